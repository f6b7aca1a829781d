// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct HandlerSecretsTests {
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func variables(_ context: EncryptionContext = ["function": "checkout"]) async throws -> [String: String] {
    try await SealedEnvironment.seal(Planted.values, context: context, using: keyring).variables
  }

  /// What AWS Lambda sets for every function, and reserves.
  private static let lambda = [
    "AWS_LAMBDA_FUNCTION_NAME": "checkout", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
  ]

  /// Outside AWS Lambda, whoever sets the variables could name the function whose environment they put there.
  @Test func takesFunctionNameFromVariablesOnlyInLambda() async throws {
    let inLambda = try await variables().merging(Self.lambda) { $1 }
    #expect(try await HandlerSecrets.open(using: keyring, variables: inLambda).strings == Planted.values)
    for name in Self.lambda.keys {
      for text in [nil, ""] {
        let elsewhere = inLambda.setting(name, toText: text)
        await expectError(.functionUnknown) { try await HandlerSecrets.open(using: keyring, variables: elsewhere) }
        let named = try await HandlerSecrets.open(using: keyring, function: "checkout", variables: elsewhere)
        #expect(try named.strings == Planted.values)
      }
    }
  }

  @Test func theFunctionsNameComesFromTheVariables() async throws {
    let named = try await variables().merging(Self.lambda) { $1 }
    #expect(try await HandlerSecrets.open(using: keyring, variables: named).strings == Planted.values)
    // What is said wins over what the platform says.
    let other = named.setting("AWS_LAMBDA_FUNCTION_NAME", toText: "other")
    await expectError(.contextDiffers) { try await HandlerSecrets.open(using: keyring, variables: other) }
    let said = try await HandlerSecrets.open(using: keyring, function: "checkout", variables: other)
    #expect(try said.strings == Planted.values)
    let inContext = try await HandlerSecrets.open(
      using: keyring, context: ["function": "checkout"], variables: other)
    #expect(try inContext.strings == Planted.values)
    // Another function's environment does not open here.
    await expectError(.contextDiffers) {
      try await HandlerSecrets.open(using: keyring, function: "refunds", variables: named)
    }
  }

  @Test func noNameAtAll() async throws {
    let variables = try await variables()
    await expectError(.functionUnknown) { try await HandlerSecrets.open(using: keyring, variables: variables) }
    let empty = variables.setting("AWS_LAMBDA_FUNCTION_NAME", toText: "")
    await expectError(.functionUnknown) { try await HandlerSecrets.open(using: keyring, variables: empty) }
    await expectError(.invalidArgument) {
      try await HandlerSecrets.open(using: keyring, function: "", variables: variables)
    }
    await expectError(.invalidArgument) {
      try await HandlerSecrets.open(
        using: keyring, function: "checkout", context: ["function": "checkout"], variables: variables)
    }
    await expectError(.noHeader) { try await HandlerSecrets.open(using: keyring, variables: [:]) }
  }

  @Test func furtherPairsOfTheContext() async throws {
    let variables = try await variables(["function": "checkout", "stage": "prod"])
    let opened = try await HandlerSecrets.open(
      using: keyring, function: "checkout", context: ["stage": "prod"], variables: variables)
    #expect(try opened.strings == Planted.values)
    await expectError(.contextDiffers) {
      try await HandlerSecrets.open(using: keyring, function: "checkout", variables: variables)
    }
    await expectError(.contextDiffers) {
      try await HandlerSecrets.open(
        using: keyring, function: "checkout", context: ["stage": "dev"], variables: variables)
    }
  }

  @Test func anUnsealedVariableIsNeverReturned() async throws {
    let variables = try await variables().setting("PLAIN", toText: "plain").setting("HOST", toText: "evil.example")
    let opened = try await HandlerSecrets.open(using: keyring, function: "checkout", variables: variables)
    #expect(opened.names == Planted.values.keys.sorted())
    for name in ["PLAIN", "HOST", "ENVELOPE_HEADER", "PATH"] {
      #expect(opened[name] == nil)
      await expectError(.variableMissing, names: [name]) { try opened.require(name) }
    }
    // In place of a sealed one, it is a missing one.
    let replaced = variables.setting("TOKEN", toText: "mine")
    await expectError(.variablesMissing) {
      try await HandlerSecrets.open(using: keyring, function: "checkout", variables: replaced)
    }
  }

  /// A variable that looks sealed and cannot be is refused, as in a document.
  @Test(arguments: [
    ["É=ev1:AAAA"], ["\u{212A}EY=ev1:AAAA"], ["A=ev1:AAAA", "A=plain"], ["A=plain", "A=ev1:AAAA"],
    ["ENVELOPE_HEADER=ek1:A", "ENVELOPE_HEADER=ek1:A"], ["ENVELOPE_SEALED=x", "ENVELOPE_SEALED=y"],
  ])
  func refusesProcessVariablesThatLookSealedAndCannotBe(entries: [String]) async {
    await expectError(.malformed) { try processVariables(entries.map { Array($0.utf8) }) }
  }

  @Test func refusesProcessVariablesThatAreNotUTF8() async throws {
    for name in ["A", "ENVELOPE_HEADER"] {
      await expectError(.malformed, names: [name]) { try processVariables([Array("\(name)=ev1:".utf8) + [0xff]]) }
    }
    await expectError(.malformed) { try processVariables([[0xc9] + Array("=ev1:AAAA".utf8)]) }
    await expectError(.malformed) { try processVariables([Array("ENVELOPE_HEADER=".utf8) + [0xff]]) }
    // What does not look sealed is passed over.
    let passedOver: [[UInt8]] = [[0x41, 0x3d, 0xff], [0xc9, 0x3d, 0x41], Array("NOSIGN".utf8), Array("B=1".utf8)]
    #expect(try processVariables(passedOver + [Array("B=2".utf8)]) == ["B": "1"])
  }

  private func processVariables(_ entries: [[UInt8]]) throws(EnvelopeError) -> [String: String] {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: entries.count + 1)
    unsafe pointers[entries.count] = nil
    for (index, entry) in entries.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: entry.count + 1)
      for (place, byte) in (entry + [0]).enumerated() { unsafe copy[place] = CChar(bitPattern: byte) }
      unsafe pointers[index] = copy
    }
    defer {
      for index in entries.indices { unsafe pointers[index]?.deallocate() }
      unsafe pointers.deallocate()
    }
    return try unsafe ProcessEnvironment.variables(in: pointers)
  }

  @Test func aRecipientsEnvironmentHasNoSender() async throws {
    let recipient = StubKeyring(scheme: .recipient, keyID: "recipient", wrappedByteCount: 80)
    let context: EncryptionContext = ["function": "f"]
    let sealed = try await SealedEnvironment.seal(Planted.values, context: context, using: recipient)
    await expectError(.anonymousSender) {
      try await HandlerSecrets.open(using: recipient, function: "f", variables: sealed.variables)
    }
    let secrets = HandlerSecrets(using: recipient, function: "f", variables: sealed.variables)
    await expectError(.anonymousSender) { try await secrets.opened() }
    let accepted = try await HandlerSecrets.open(
      using: recipient, function: "f", anonymousSender: .accepted, variables: sealed.variables)
    #expect(try accepted.strings == Planted.values)
    #expect(accepted.source?.scheme == .recipient)

    // Under a keyset too, it depends on which of the two opened it.
    let both = try MultiKeyring([keyring, recipient])
    let twice = try await SealedEnvironment.seal(Planted.values, context: context, using: both).variables
    #expect(try await HandlerSecrets.open(using: both, function: "f", variables: twice).names.count == 3)
    await expectError(.anonymousSender) {
      try await HandlerSecrets.open(using: recipient, function: "f", variables: twice)
    }
  }

  @Test func anOlderGenerationThanDemanded() async throws {
    let variables = try await variables()
    let generation = try SealedEnvironment(variables: variables).generation
    await expectError(.staleGeneration) {
      try await HandlerSecrets.open(
        using: keyring, function: "checkout", minimumGeneration: generation + 1, variables: variables)
    }
    let opened = try await HandlerSecrets.open(
      using: keyring, function: "checkout", minimumGeneration: generation, variables: variables)
    #expect(opened.generation == generation)
  }

  @Test func theProcessesOwnVariables() throws {
    let variables = try ProcessEnvironment.variables()
    #expect(variables["PATH"]?.isEmpty == false)
    #expect(variables[""] == nil)
  }
}
