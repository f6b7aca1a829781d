// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// A stream opens only for its context, as a stream, and not from an unknown sender.
@Suite(.timeLimit(.minutes(20))) struct StreamContextTests {
  private let context: EncryptionContext = ["function": "checkout", "table": "tokens"]
  private let plaintext = [UInt8](repeating: 7, count: 5000)
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func expectRefused(
    _ bytes: [UInt8], _ code: EnvelopeError.Code, context: EncryptionContext? = nil, using keyring: some Keyring,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    for splitting in Splitting.allCases {
      let opened = try await OpenedStream.open(
        bytes, splitting: splitting, context: context ?? self.context, using: keyring)
      #expect(opened.failure?.code == code, sourceLocation: sourceLocation)
      #expect(opened.plaintext == [], sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesAnotherContext(suite: AlgorithmSuite) async throws {
    let sealed = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring).bytes
    let others: [EncryptionContext] = [
      [:], ["function": "checkout"], ["function": "checkout", "table": "Tokens"],
      ["function": "tokens", "table": "checkout"], context.adding("1", for: "z"),
    ]
    for other in others { try await expectRefused(sealed, .contextDiffers, context: other, using: keyring) }
    for wrong in [["": ""], ["envelope-kind": "file"]] as [EncryptionContext] {
      try await expectRefused(sealed, .invalidArgument, context: wrong, using: keyring)
      await expectError(.invalidArgument) {
        try await StreamParts.seal(plaintext, context: wrong, suite: suite, using: keyring)
      }
    }
    try await expectRefused(sealed, .keyNotFound, using: KeysetKeyring(try .generate()))
  }

  @Test(arguments: AlgorithmSuite.here) func refusesEnvelopesOfOtherKinds(suite: AlgorithmSuite) async throws {
    let value = try await Envelope.seal(plaintext, context: context, suite: suite, using: keyring)
    try await expectRefused(value, .malformed, using: keyring)
    for form in [SealedEnvironment.Form.separate, .packed] {
      let sealed = try await SealedEnvironment.seal(["A": "b"], as: form, context: context, using: keyring)
      try await expectRefused(sealed.header.bytes + [UInt8](repeating: 0, count: 100), .malformed, using: keyring)
    }
    let file = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring).bytes
    await expectError(.malformed) { try await Envelope.open(file, context: context, using: keyring) }
  }

  /// With its data key, which somebody has kept, an entry does not move from a value to a stream, and not back.
  @Test(arguments: AlgorithmSuite.here) func entriesDoNotMoveBetweenKinds(suite: AlgorithmSuite) async throws {
    let value = try await Envelope.seal([1], context: context, suite: suite, using: keyring)
    let file = try await StreamParts.seal([1], context: context, suite: suite, using: keyring).header
    let environment = try await SealedEnvironment.seal(["A": "b"], context: context, using: keyring)
    var reader = ByteReader(file)
    let headers = [
      try Envelope.header(of: value), environment.header, try Header(from: &reader, expecting: .file),
    ]
    for header in headers {
      let known = try await UnlockedHeader.unlock(header, context: context, using: keyring)
      let forger = KnownKeyring(
        entry: header.wrappedKeys[0], dataKey: known.dataKey.withBytes { [UInt8](copying: $0) })
      let stream = try await StreamParts.seal(plaintext, context: context, suite: suite, using: forger)
      guard header.kind == .file else {
        try await expectRefused(stream.bytes, .unwrapFailed, using: keyring)
        continue
      }
      // Of its own kind it does: that is what a known data key can forge.
      let opened = try await OpenedStream.open(stream.bytes, context: context, using: keyring)
      #expect(opened.failure == nil && opened.plaintext == plaintext)
      let forgedValue = try await Envelope.seal([1], context: context, suite: suite, using: forger)
      await expectError(.unwrapFailed) { try await Envelope.open(forgedValue, context: context, using: keyring) }
      let forged = try await SealedEnvironment.seal(["A": "evil"], context: context, using: forger)
      await expectError(.unwrapFailed) { try await forged.open(context: context, using: keyring) }
    }
  }

  @Test(arguments: KEM.here) func refusesAnAnonymousSender(kem: KEM) async throws {
    let identity = KeysetKeyring(try .generate(kem.identity))
    let recipient = try identity.keyset.recipient()
    let sealed = try await StreamParts.seal(
      plaintext, context: context, using: RecipientKeyring([recipient])
    ).bytes
    try await expectRefused(sealed, .anonymousSender, using: identity)
    let opened = try await OpenedStream.open(
      sealed, context: context, using: identity, anonymousSender: .accepted)
    #expect(opened.failure == nil && opened.plaintext == plaintext)
    #expect(opened.source?.scheme == (kem == .x25519 ? .recipient : .postQuantumRecipient))
  }
}
