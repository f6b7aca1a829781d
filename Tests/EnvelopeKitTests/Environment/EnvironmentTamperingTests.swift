// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// What somebody who can write a function's variables, and holds no key, could try.
@Suite(.timeLimit(.minutes(20))) struct EnvironmentTamperingTests {
  private let context: EncryptionContext = ["function": "checkout"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func seal(
    _ values: [String: String] = Planted.values, as form: SealedEnvironment.Form = .separate,
    after previous: SealedEnvironment? = nil
  ) async throws -> SealedEnvironment {
    try await .seal(values, as: form, context: context, using: keyring, after: previous)
  }

  @Test func swapped() async throws {
    let variables = try await seal().variables
    let altered = variables.setting("TOKEN", toText: variables["PASSWORD"])
      .setting("PASSWORD", toText: variables["TOKEN"])
    await expectError(.variablesAltered, names: ["PASSWORD", "TOKEN"]) { try await open(altered) }
    let copied = variables.setting("TOKEN", toText: variables["PASSWORD"])
    await expectError(.variablesAltered, names: ["TOKEN"]) { try await open(copied) }
  }

  @Test func renamed() async throws {
    let variables = try await seal().variables
    let renamed = variables.setting("TOKEN2", toText: variables["TOKEN"]).setting("TOKEN", toText: nil)
    await expectError(.variablesAltered, names: ["TOKEN2"]) { try await open(renamed) }
    let lowercase = variables.setting("token", toText: variables["TOKEN"]).setting("TOKEN", toText: nil)
    await expectError(.variablesAltered, names: ["token"]) { try await open(lowercase) }
  }

  @Test func removed() async throws {
    let variables = try await seal().variables
    for name in Planted.values.keys {
      await expectError(.variablesMissing, names: []) { try await open(variables.setting(name, toText: nil)) }
      let plain = variables.setting(name, toText: "plain")
      await expectError(.variablesMissing, names: []) { try await open(plain) }
    }
    let bare = variables.filter { $0.key == "ENVELOPE_HEADER" }
    let error = await expectError(.variablesMissing) { try await open(bare) }
    #expect(error?.message.contains("3") == true)
  }

  @Test func added() async throws {
    let first = try await seal()
    let more = Planted.values.merging(["MORE": "1"]) { old, _ in old }
    let second = try await first.updated(to: OpenedEnvironment(more), context: context, using: keyring)
    let added = first.variables.setting("MORE", toText: second.variables["MORE"])
    await expectError(.variablesAdded) { try await open(added) }
    // Sealed under another header, or by nobody: named.
    let other = try await seal(["MORE": "1"]).variables
    await expectError(.variablesAltered, names: ["MORE"]) {
      try await open(first.variables.setting("MORE", toText: other["MORE"]))
    }
    let zeros = first.variables.setting("MORE", to: [UInt8](repeating: 0, count: 28))
    await expectError(.variablesAltered, names: ["MORE"]) { try await open(zeros) }
    // One away and another in keeps the count.
    await expectError(.variablePutBack) { try await open(added.setting("TOKEN", toText: nil)) }
  }

  @Test func putBack() async throws {
    let first = try await seal()
    var values = Planted.values
    values["TOKEN"] = "another"
    let second = try await first.updated(to: OpenedEnvironment(values), context: context, using: keyring)
    let putBack = second.variables.setting("TOKEN", toText: first.variables["TOKEN"])
    await expectError(.variablePutBack, names: []) { try await open(putBack) }
    // The old header over new variables is as bad.
    let header = second.variables.setting("ENVELOPE_HEADER", toText: first.variables["ENVELOPE_HEADER"])
    await expectError(.variablePutBack) { try await open(header) }
    // Back and forth to the same value is still another sealing.
    let third = try await second.updated(to: OpenedEnvironment(Planted.values), context: context, using: keyring)
    let again = third.variables.setting("TOKEN", toText: first.variables["TOKEN"])
    await expectError(.variablePutBack) { try await open(again) }
  }

  @Test(arguments: [SealedEnvironment.Form.separate, .packed])
  func aWholeOlderEnvironment(form: SealedEnvironment.Form) async throws {
    let first = try await seal(as: form)
    let second = try await seal(["A": "b"], as: form, after: first)
    #expect(second.generation > first.generation)
    let older = try SealedEnvironment(variables: first.variables)
    #expect(try await older.open(context: context, using: keyring).strings == Planted.values)
    for minimum in [second.generation, .max] {
      await expectError(.staleGeneration) {
        try await older.open(context: context, using: keyring, minimumGeneration: minimum)
      }
    }
    for minimum in [0, first.generation] {
      let opened = try await older.open(context: context, using: keyring, minimumGeneration: minimum)
      #expect(opened.generation == first.generation)
    }
  }

  /// Raising the generation in the clear does not get around the minimum.
  @Test(arguments: [SealedEnvironment.Form.separate, .packed])
  func aRaisedGeneration(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(as: form)
    let name = form == .packed ? "ENVELOPE_SEALED" : "ENVELOPE_HEADER"
    var bytes = try sealed.variables.bytes(of: name)
    bytes.replaceSubrange(HeaderPart.headerByteCount..<HeaderPart.headerByteCount + 4, with: [255, 255, 255, 255])
    let raised = try SealedEnvironment(variables: sealed.variables.setting(name, to: bytes))
    await expectError(form == .packed ? .payloadAltered : .variablePutBack) {
      try await raised.open(context: context, using: keyring, minimumGeneration: .max)
    }
  }

  @Test(arguments: [SealedEnvironment.Form.separate, .packed])
  func anotherFunctionsContext(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(as: form)
    for other in [[:], ["function": "Checkout"], ["function": "checkout", "stage": "prod"]] as [EncryptionContext] {
      await expectError(.contextDiffers) { try await sealed.open(context: other, using: keyring) }
    }
  }

  @Test func bothHeaders() async throws {
    let (separate, packed) = (try await seal().variables, try await seal(as: .packed).variables)
    await expectError(.malformed) { try await open(separate.merging(packed) { old, _ in old }) }
    await expectError(.malformed) { try await open(["ENVELOPE_HEADER": "", "ENVELOPE_SEALED": ""]) }
    let stray = packed.setting("TOKEN", toText: separate["TOKEN"])
    await expectError(.malformed) { try await open(stray) }
  }

  @Test func noHeader() async throws {
    await expectError(.noHeader) { try await open([:]) }
    await expectError(.noHeader) { try await open(["PATH": "/bin", "envelope_header": "ek1:"]) }
    let variables = try await seal().variables.setting("ENVELOPE_HEADER", toText: nil)
    let error = await expectError(.noHeader) { try await open(variables) }
    #expect(error?.advice.contains("header") == true)
  }

  @Test func oneFormUnderTheNameOfTheOther() async throws {
    let (separate, packed) = (try await seal().variables, try await seal(as: .packed).variables)
    await expectError(.malformed) {
      try await open(["ENVELOPE_SEALED": try #require(separate["ENVELOPE_HEADER"])])
    }
    await expectError(.malformed) {
      try await open(["ENVELOPE_HEADER": try #require(packed["ENVELOPE_SEALED"])])
    }
    let value = Envelope.text(of: try await Envelope.seal([1], context: context, suite: .tested, using: keyring))
    await expectError(.malformed) { try await open(["ENVELOPE_HEADER": value]) }
    await expectError(.malformed) { try await open(["ENVELOPE_SEALED": value]) }
  }

  /// A variable that says it is sealed and has a name that none can have, as a shell may well export.
  @Test(arguments: ["BASH_FUNC_x%%", "", "1A", "a-b", "é", "\u{212a}EY", String(repeating: "A", count: 256)])
  func namesThatCannotBe(name: String) async throws {
    let variables = try await seal().variables
    let altered = variables.setting(name, toText: variables["TOKEN"])
    await expectError(.malformed) { try await open(altered) }
  }

  @Test func plainVariablesAreNeitherReadNorAnError() async throws {
    let plain = ["PATH": "/bin", "1A": "x", "é": "", "EV": "ev1", "EK": "ek1:AAAA", "": "y"]
    let variables = try await seal().variables.merging(plain) { old, _ in old }
    let opened = try await open(variables)
    #expect(try opened.strings == Planted.values)
    for name in plain.keys {
      #expect(opened[name] == nil)
      await expectError(.variableMissing) { try opened.require(name) }
    }
  }

  private func open(_ variables: [String: String]) async throws -> OpenedEnvironment {
    try await variables.open(context: context, using: keyring)
  }
}
