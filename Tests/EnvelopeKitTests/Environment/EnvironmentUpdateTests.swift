// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct EnvironmentUpdateTests {
  private let context: EncryptionContext = ["function": "checkout"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func update(_ sealed: SealedEnvironment, _ values: [String: String]) async throws -> SealedEnvironment {
    try await sealed.updated(to: OpenedEnvironment(values), context: context, using: keyring)
  }

  private func open(_ variables: [String: String]) async throws -> [String: String] {
    try await variables.open(context: context, using: keyring).strings
  }

  @Test func unchangedVariablesKeepTheirBytesAndTheGenerationRises() async throws {
    let first = try await SealedEnvironment.seal(
      ["A": "1", "B": "2", "C": "", "D": "4"], context: context, using: keyring)
    let second = try await update(first, ["A": "1", "B": "3", "C": "", "E": "5"])
    #expect(second.generation > first.generation)
    #expect(second.names == ["A", "B", "C", "E"])
    #expect(second.header == first.header)
    let (old, new) = (first.variables, second.variables)
    #expect(new["A"] == old["A"] && new["C"] == old["C"])
    #expect(new["B"] != old["B"] && new["ENVELOPE_HEADER"] != old["ENVELOPE_HEADER"])
    #expect(try await open(new) == ["A": "1", "B": "3", "C": "", "E": "5"])
    let third = try await update(second, ["A": "1", "B": "3", "C": "", "E": "5"])
    #expect(third.generation > second.generation)
    #expect(third.variables.filter { $0.key != "ENVELOPE_HEADER" } == new.filter { $0.key != "ENVELOPE_HEADER" })
    #expect(try await open(update(third, [:]).variables) == [:])
  }

  @Test func aPackedEnvironmentStaysPacked() async throws {
    let first = try await SealedEnvironment.seal(["A": "1"], as: .packed, context: context, using: keyring)
    let second = try await update(first, ["A": "1", "B": "2"])
    #expect(second.form == .packed && second.generation > first.generation)
    #expect(try await open(second.variables) == ["A": "1", "B": "2"])
    await expectError(.invalidArgument) { try await first.acceptingMerge(context: context, using: keyring) }
  }

  @Test func whatDoesNotVerifyIsNotUpdated() async throws {
    let sealed = try await SealedEnvironment.seal(Planted.values, context: context, using: keyring)
    let altered = try SealedEnvironment(
      variables: sealed.variables.setting("TOKEN", toText: sealed.variables["PASSWORD"]))
    await expectError(.variablesAltered, names: ["TOKEN"]) { try await update(altered, ["A": "1"]) }
    let missing = try SealedEnvironment(variables: sealed.variables.setting("TOKEN", toText: nil))
    await expectError(.variablesMissing) { try await update(missing, ["A": "1"]) }
    await expectError(.contextDiffers) {
      try await sealed.updated(to: OpenedEnvironment(["A": "1"]), context: [:], using: keyring)
    }
  }

  @Test(arguments: ["", "1A", "A-B", "A B", "É", "A=B", "ENVELOPE_HEADER", "ENVELOPE_SEALED", "A\0"])
  func namesThatCannotBeAreRefused(name: String) async throws {
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: context, using: keyring)
    await expectError(.invalidArgument) { try await update(sealed, [name: "1"]) }
    for form in [SealedEnvironment.Form.separate, .packed] {
      await expectError(.invalidArgument) {
        try await SealedEnvironment.seal([name: "1"], as: form, context: context, using: keyring)
      }
    }
  }

  @Test func theLastGenerationCannotBeCountedOn() async throws {
    let unlocked = try await UnlockedHeader.make(.environment, context: context, using: keyring)
    let last = try SealedEnvironment.seal(
      OpenedEnvironment(["A": "1"]), as: .separate, under: unlocked, generation: .max, tags: .none,
      keeping: [:])
    #expect(try await open(last.variables) == ["A": "1"])
    await expectError(.invalidArgument) { try await update(last, [:]) }
  }

  /// Whoever can write the variables must not be able to use up the generations.
  @Test func aGenerationThatIsNotVerifiedIsNotFollowedFar() async throws {
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: context, using: keyring)
    let soon = sealed.generation + 1000
    for (claimed, expected) in [
      (soon, soon + 1...soon + 1), (UInt32.max, sealed.generation...soon), (.max - 1, sealed.generation...soon),
    ] {
      let bytes = try sealed.variables.bytes(of: "ENVELOPE_HEADER")
      let end = bytes.count - 34
      var forged = Array(bytes[..<(end - 4)])
      forged.append(bigEndian: claimed)
      forged += bytes[end...]
      let claiming = try SealedEnvironment(variables: sealed.variables.setting("ENVELOPE_HEADER", to: forged))
      #expect(claiming.generation == claimed)
      let accepted = try await claiming.acceptingMerge(context: context, using: keyring)
      #expect(expected.contains(accepted.environment.generation))
      #expect(accepted.isGenerationReset == (claimed > soon))
      #expect(try await open(update(accepted.environment, ["A": "2"]).variables) == ["A": "2"])
      // Sealing does not count on it silently, and does not pass over it silently.
      guard claimed == soon else {
        await expectError(.invalidArgument) {
          try await SealedEnvironment.seal(["A": "1"], context: context, using: keyring, after: claiming)
        }
        continue
      }
      let anew = try await SealedEnvironment.seal(["A": "1"], context: context, using: keyring, after: claiming)
      #expect(expected.contains(anew.generation))
    }
  }

  /// Anybody can make an environment for a recipient, under a data key that they keep.
  @Test func nothingIsSealedUnderAnAnonymousSendersDataKey() async throws {
    let recipient = StubKeyring(scheme: .recipient, keyID: "recipient", wrappedByteCount: 80)
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: context, using: recipient)
    await expectError(.anonymousSender) {
      try await sealed.updated(to: OpenedEnvironment(["A": "2"]), context: context, using: recipient)
    }
    await expectError(.anonymousSender) { try await sealed.acceptingMerge(context: context, using: recipient) }
  }

  @Test func thereIsAGreatestNumberOfVariables() async throws {
    let names = (0...SealedEnvironment.countLimit).map { "N\($0)" }
    let tooMany = try OpenedEnvironment(capacity: 0) { (_, index) throws(EnvelopeError) in
      for name in names { try index.add(name, endingAt: 0) }
    }
    for form in [SealedEnvironment.Form.separate, .packed] {
      await expectError(.invalidArgument) {
        try await SealedEnvironment.seal(tooMany, as: form, context: context, using: keyring)
      }
    }
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: context, using: keyring).variables
    let many = sealed.merging(names.map { ($0, "ev1:AAAA") }) { old, _ in old }
    await expectError(.malformed) { try await open(many) }
  }

  /// One branch changes a variable, the other changes one and adds one, and git takes one side's header.
  @Test func aMergeOfTwoEdits() async throws {
    let base = try await SealedEnvironment.seal(["A": "1", "B": "2", "C": "3"], context: context, using: keyring)
    let ours = try await update(base, ["A": "one", "B": "2", "C": "3"])
    let theirs = try await update(base, ["A": "1", "B": "two", "C": "3"])
    let adding = try await update(base, ["A": "1", "B": "2", "C": "3", "D": "4"])
    let removing = try await update(base, ["A": "1", "B": "2"])

    let changed = ours.variables.setting("B", toText: theirs.variables["B"])
    await expectError(.variablePutBack) { try await open(changed) }
    #expect(try await accept(changed) == ["A": "one", "B": "two", "C": "3"])
    let added = ours.variables.setting("D", toText: adding.variables["D"])
    await expectError(.variablesAdded) { try await open(added) }
    #expect(try await accept(added) == ["A": "one", "B": "2", "C": "3", "D": "4"])
    let removed = removing.variables.setting("A", toText: ours.variables["A"])
    await expectError(.variablePutBack) { try await open(removed) }
    #expect(try await accept(removed) == ["A": "one", "B": "2"])

    let foreign = try await SealedEnvironment.seal(["B": "other"], context: context, using: keyring)
    let altered = try SealedEnvironment(variables: changed.setting("B", toText: foreign.variables["B"]))
    await expectError(.variablesAltered, names: ["B"]) {
      try await altered.acceptingMerge(context: context, using: keyring)
    }
    await expectError(.contextDiffers) {
      try await SealedEnvironment(variables: changed).acceptingMerge(context: [:], using: keyring)
    }
  }

  private func accept(_ variables: [String: String]) async throws -> [String: String] {
    let merged = try SealedEnvironment(variables: variables)
    let accepted = try await merged.acceptingMerge(context: context, using: keyring).environment
    #expect(accepted.generation > merged.generation)
    for (name, text) in variables where name != "ENVELOPE_HEADER" { #expect(accepted.variables[name] == text) }
    return try await open(accepted.variables)
  }
}
