// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// No bit of a sealed stream can change without being noticed.
@Suite(.timeLimit(.minutes(20))) struct StreamFlipTests {
  private let context: EncryptionContext = ["function": "checkout", "table": "tokens"]
  private let plaintext = Array(Planted.password.utf8)
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  @Test(arguments: AlgorithmSuite.here) func refusesEveryFlippedBit(suite: AlgorithmSuite) async throws {
    let sealed = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
    let parts = HeaderPart.partsOfFile(payloadByteCount: plaintext.count + suite.tagByteCount)
    #expect(sealed.bytes.count == parts.count)
    var seen: [HeaderPart: Set<EnvelopeError.Code>] = [:]
    for (index, part) in zip(sealed.bytes.indices, parts) {
      for bit in 0..<8 {
        let opened = try await OpenedStream.open(
          sealed.bytes.flipping(bit: bit, of: index), context: context, using: keyring)
        let error = await expectError(at: "\(part), byte \(index), bit \(bit)", part.codesWhenFlipped) {
          if let failure = opened.failure { throw failure }
        }
        #expect(opened.plaintext == [])
        if let error { seen[part, default: []].insert(error.code) }
      }
    }
    #expect(seen[.kind] == [.unsupportedVersion, .malformed])
    #expect(seen[.parameters] == [.headerAltered, .malformed])
  }

  @Test(arguments: AlgorithmSuite.here) func refusesFlippedBitsOfEveryChunk(suite: AlgorithmSuite) async throws {
    let plaintext = (0..<3 * 4096).map { UInt8($0 % 251) }
    let sealed = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
    let (start, full) = (sealed.header.count, 4096 + suite.tagByteCount)
    let places = (start..<sealed.bytes.count).filter { place in
      let offset = (place - start) % full
      return offset < 3 || offset > 4090 || place % 101 == 0
    }
    for place in places {
      let opened = try await OpenedStream.open(
        sealed.bytes.flipping(bit: place % 8, of: place), splitting: .atRandom, context: context, using: keyring)
      #expect(opened.failure?.code == .payloadAltered, "byte \(place)")
      #expect(opened.plaintext.count <= (place - start) / full * 4096, "byte \(place)")
      #expect(plaintext.starts(with: opened.plaintext), "byte \(place)")
    }
  }
}
