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

  @Test func theFunctionsNameComesFromTheVariables() async throws {
    let named = try await variables().setting("AWS_LAMBDA_FUNCTION_NAME", toText: "checkout")
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
      using: recipient, function: "f", acceptingAnonymousSender: true, variables: sealed.variables)
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

  @Test func theProcessesOwnVariables() async {
    let variables = ProcessEnvironment.variables
    #expect(variables["PATH"]?.isEmpty == false)
    #expect(variables[""] == nil)
  }
}
