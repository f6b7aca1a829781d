// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Which entry of a header opens it, and what is said where none does.
@Suite(.timeLimit(.minutes(20))) struct UnlockTests {
  /// Returns an entry that was never in the list.
  private struct LyingKeyring: Keyring {
    let keyring: StubKeyring
    var dataKey: [UInt8]?

    func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      try await keyring.generateDataKey(for: context)
    }

    func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
      try await keyring.wrap(dataKey, for: context)
    }

    func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      keyring.unwraps.increment()
      let source = try WrappedDataKey(scheme: .keyset, keyID: KeyID("mine"), bytes: [UInt8](repeating: 1, count: 72))
      return UnwrappedDataKey(dataKey: try DataKey(copying: dataKey ?? Planted.wrappingKey), source: source)
    }
  }

  @Test(arguments: AlgorithmSuite.here) func anEntryOfAnotherCommitmentIsPassedOver(suite: AlgorithmSuite) async throws
  {
    let right = StubKeyring(keyID: "right")
    let wrong = StubKeyring(keyID: "wrong", error: 1)
    let envelope = try await seal(MultiKeyring([right, wrong]), suite)
    let opener = try await Opener(for: envelope, context: [:], using: MultiKeyring([wrong, right]))
    #expect(opener.source.keyID.string == "right")
    #expect(wrong.unwraps.value >= 1 && right.unwraps.value == 1)
  }

  @Test(arguments: AlgorithmSuite.here) func fifteenWrongEntriesBeforeTheRightOne(suite: AlgorithmSuite) async throws {
    let wrong = (0..<15).map { StubKeyring(keyID: "wrong\($0)", error: 1) }
    let right = StubKeyring(keyID: "right")
    let envelope = try await seal(MultiKeyring(wrong + [right]), suite)
    let opener = try await Opener(for: envelope, context: [:], using: MultiKeyring(wrong + [right]))
    #expect(opener.source.keyID.string == "right")
  }

  /// The keyring held the key that it was asked for; that the other one is somebody else's is beside the point.
  @Test(arguments: AlgorithmSuite.here) func onlyEntriesOfAnotherCommitmentAreAnAlteredHeader(suite: AlgorithmSuite)
    async throws
  {
    let wrong = StubKeyring(keyID: "wrong")
    let envelope = try await seal(MultiKeyring([wrong, StubKeyring(keyID: "other")]), suite)
    var mistaken = wrong
    mistaken.error = 1
    await expectError(.headerAltered) { try await Opener(for: envelope, context: [:], using: mistaken) }
    #expect(wrong.unwraps.value <= 16)
  }

  @Test(arguments: AlgorithmSuite.here) func aFlippedCommitmentOrTagUnderTwoKeysIsAnAlteredHeader(suite: AlgorithmSuite)
    async throws
  {
    let keyset = KeysetKeyring(try .generate())
    let envelope = try await seal(MultiKeyring([StubKeyring(keyID: "other"), keyset]), suite)
    let end = envelope.count - suite.aead.overheadByteCount - 3
    for index in end - 48..<end {
      await expectError(at: "byte \(index)", [.headerAltered]) {
        try await Opener(for: envelope.flipping(bit: 3, of: index), context: [:], using: keyset)
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func aKeyServiceThatFailsIsNotAnAlteredHeader(suite: AlgorithmSuite)
    async throws
  {
    let wrong = StubKeyring(keyID: "wrong", error: 1)
    let down = StubKeyring(keyID: "down", failure: .keyServiceUnavailable)
    let envelope = try await seal(MultiKeyring([wrong, down]), suite)
    await expectError(.keyServiceUnavailable) {
      try await Opener(for: envelope, context: [:], using: MultiKeyring([wrong, down]))
    }
  }

  @Test(arguments: AlgorithmSuite.here) func aSourceThatIsNotInTheListEndsIt(suite: AlgorithmSuite) async throws {
    let keyring = StubKeyring(keyID: "k", dataKey: Planted.dataKey)
    let envelope = try await seal(keyring, suite)
    await expectError(.headerAltered) {
      try await Opener(for: envelope, context: [:], using: LyingKeyring(keyring: keyring))
    }
    #expect(keyring.unwraps.value == 1)
  }

  /// The source decides whether a sender is anonymous, so one that the header does not list is not reported.
  @Test(arguments: AlgorithmSuite.here) func aSourceThatIsNotInTheListIsNotReported(suite: AlgorithmSuite) async throws
  {
    let keyring = StubKeyring(scheme: .recipient, keyID: "k", wrappedByteCount: 80, dataKey: Planted.dataKey)
    let envelope = try await seal(keyring, suite)
    await expectError(.headerAltered) {
      try await Opener(
        for: envelope, context: [:], using: LyingKeyring(keyring: keyring, dataKey: Planted.dataKey))
    }
  }

  @Test(arguments: AlgorithmSuite.here) func sixteenKeysAreTakenAndSeventeenRefused(suite: AlgorithmSuite) async throws
  {
    let keyrings = (0..<17).map { StubKeyring(keyID: "key\($0)") }
    let envelope = try await seal(MultiKeyring(Array(keyrings.prefix(16))), suite)
    for keyring in keyrings.prefix(16) {
      #expect(try await Envelope.open(envelope, context: [:], using: keyring).copy() == [1, 2, 3])
    }
    await expectError(.invalidArgument) { try await seal(MultiKeyring(keyrings), suite) }
  }

  @Test(arguments: AlgorithmSuite.here) func keyringsThatGenerateWhatAHeaderCannotHold(suite: AlgorithmSuite)
    async throws
  {
    let keyset = KeysetKeyring(try .generate())
    await expectError(.invalidArgument) { try await seal(MultiKeyring([keyset, keyset]), suite) }
    let recipient = StubKeyring(scheme: .recipient, keyID: "same", wrappedByteCount: 80)
    await expectError(.invalidArgument) {
      try await seal(MultiKeyring([recipient, StubKeyring(keyID: "same")]), suite)
    }
    let passphrase = StubKeyring(scheme: .passphrase, keyID: "p", wrappedByteCount: 90)
    await expectError(.invalidArgument) { try await seal(MultiKeyring([passphrase, keyset]), suite) }
    #expect(try await Envelope.open(seal(passphrase, suite), context: [:], using: passphrase).copy() == [1, 2, 3])
  }

  private func seal(_ keyring: some Keyring, _ suite: AlgorithmSuite) async throws -> [UInt8] {
    try await Envelope.seal([1, 2, 3], context: [:], suite: suite, using: keyring)
  }
}
