// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Sealed files, in both directions and refused alike by an implementation in another language.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct PythonFileTests {
  private static let context = ["app": "shop", "function": "ordérs λ"]
  private static let sizes = [12, 13, 16, 20].compactMap { ChunkSize(exponent: $0) }

  private let python: PythonPeer
  private let store: KeyStore
  private let text: String

  init() throws {
    python = try PythonPeer()
    var store = KeyStore()
    try store.add(.generate(), alias: "key")
    self.store = store
    text = try Here.text(of: store)
  }

  @Test(arguments: AlgorithmSuite.here) func filesOpenBothWays(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 1)
    let context = Here.context(Self.context)
    for chunkSize in Self.sizes {
      let size = chunkSize.byteCount
      // Base64 of long files takes most of the time.
      let lengths =
        size > 1 << 13 ? [0, 1, 100] : [0, 1, size - 1, size, size + 1, 2 * size, 3 * size, 3 * size + 100]
      for length in lengths {
        let plaintext = random.bytes(length)
        let here = try await StreamParts.seal(
          plaintext, splitting: .atRandom, context: context, suite: suite, chunkSize: chunkSize,
          using: store.keyring())
        #expect(try python.openFile(here.bytes, context: Self.context, by: .store(text)) == .made(["": plaintext]))
        let there = try python.sealFile(
          plaintext, context: Self.context, by: .store(text), suite: suite, chunkSize: chunkSize)
        #expect(there.count == here.bytes.count)
        let opened = try await OpenedStream.open(
          there, splitting: .atRandom, context: context, using: store.keyring())
        #expect(opened.failure == nil && opened.plaintext == plaintext)
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func filesForARecipientOpenBothWays(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 2)
    let identity = try Keyset.generate(.identity)
    var keys = KeyStore()
    try keys.add(identity)
    let (recipient, secret) = (try identity.recipient(), try Here.text(of: keys))
    let (plaintext, context) = (random.bytes(9000), Here.context(Self.context))
    let here = try await StreamParts.seal(
      plaintext, context: context, suite: suite, using: RecipientKeyring([recipient]))
    for (sender, expected) in [
      (AnonymousSender.accepted, PythonPeer.Outcome.made(["": plaintext])),
      (.refused, .refused("anonymousSender", names: [])),
    ] {
      let outcome = try python.openFile(
        here.bytes, context: Self.context, by: .store(secret), anonymousSender: sender)
      #expect(outcome == expected)
    }
    let there = try python.sealFile(
      plaintext, context: Self.context, by: .recipient(recipient.description), suite: suite, chunkSize: .smallest)
    let accepted = try await OpenedStream.open(
      there, context: context, using: keys.keyring(), anonymousSender: .accepted)
    #expect(accepted.failure == nil && accepted.plaintext == plaintext)
    let refused = try await OpenedStream.open(there, context: context, using: keys.keyring())
    #expect(refused.failure?.code == .anonymousSender && refused.plaintext == [])
  }

  @Test(arguments: [UInt64(3), 4], AlgorithmSuite.here)
  func alteredFilesAreRefusedAlike(seed: UInt64, suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: seed)
    for length in [0, 100, 4096, 8192, 9000] {
      let plaintext = random.bytes(length)
      let file = try await StreamParts.seal(
        plaintext, context: Here.context(Self.context), suite: suite, using: store.keyring()
      ).bytes
      for _ in 0..<120 {
        let altered = Here.altered(file, &random)
        let there = try python.openFile(altered, context: Self.context, by: .store(text))
        let opened = try await OpenedStream.open(
          altered, splitting: .atRandom, context: Here.context(Self.context), using: store.keyring())
        guard let failure = opened.failure else {
          Issue.record("It opened: \(Envelope.text(of: altered))")
          continue
        }
        #expect(
          there == .refused(failure.code.rawValue, names: failure.names), "\(Envelope.text(of: altered))")
        #expect(plaintext.starts(with: opened.plaintext))
      }
    }
  }
}
