// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// No chunk of a stream can be missing, moved, repeated or foreign, and no byte of one is passed on before it has verified.
@Suite(.timeLimit(.minutes(20))) struct StreamTamperingTests {
  private static let size = ChunkSize.smallest.byteCount
  private let context: EncryptionContext = ["table": "tokens"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func seal(_ plaintext: [UInt8], _ suite: AlgorithmSuite) async throws -> StreamParts {
    try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
  }

  /// Expects that a stream is refused and passes on at most the chunks that verify before; exactly these if its bytes come
  /// one by one.
  private func expectRefused(
    _ bytes: [UInt8], _ code: EnvelopeError.Code = .payloadAltered, of plaintext: [UInt8], verified: Int,
    _ splittings: [Splitting] = [.atOnce, .atRandom], _ comment: String
  ) async throws {
    for splitting in splittings {
      let opened = try await OpenedStream.open(bytes, splitting: splitting, context: context, using: keyring)
      #expect(opened.failure?.code == code, "\(comment), \(splitting)")
      let isExact = splitting == .byteByByte
      #expect(isExact ? opened.plaintext.count == verified : opened.plaintext.count <= verified, "\(comment)")
      #expect(plaintext.starts(with: opened.plaintext), "\(comment), \(splitting)")
    }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesEveryTruncationAtAChunksEnd(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 1)
    let (tag, full) = (suite.tagByteCount, Self.size + suite.tagByteCount)
    for length in [0, 1, Self.size - 1, Self.size, Self.size + 1, 3 * Self.size, 3 * Self.size + 100] {
      let plaintext = random.bytes(length)
      let sealed = try await seal(plaintext, suite)
      let chunks = Array(sealed.chunks.joined())
      let ends = (0...sealed.chunks.count).map { min($0 * full, chunks.count) }
      let cuts = Set(ends.flatMap { $0 - tag - 1...$0 + tag + 1 }).filter { (0..<chunks.count).contains($0) }
      for cut in cuts.sorted() {
        let (complete, rest) = cut.quotientAndRemainder(dividingBy: full)
        let isTooShort = cut == 0 || rest > 0 && rest < tag + (complete > 0 ? 1 : 0)
        try await expectRefused(
          sealed.header + chunks[..<cut], isTooShort ? .malformed : .payloadAltered, of: plaintext,
          verified: (rest > 0 ? complete : max(0, complete - 1)) * Self.size,
          cut % 7 == 0 ? Splitting.allCases : [.atOnce], "\(cut) of \(chunks.count) bytes")
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesEveryTruncationOfTheHeader(suite: AlgorithmSuite) async throws {
    let sealed = try await seal([1, 2, 3], suite)
    for count in sealed.header.indices {
      try await expectRefused(
        Array(sealed.header[..<count]), .malformed, of: [], verified: 0, Splitting.allCases, "\(count) bytes")
      await expectError(.malformed) {
        try await StreamOpener(header: Array(sealed.header[..<count]), context: context, using: keyring).source
      }
    }
    await expectError(.malformed) {
      try await StreamOpener(header: sealed.header + [0], context: context, using: keyring).source
    }
  }

  /// Every sequence of up to four of four chunks, and of five that begin as the stream: swapped, missing, repeated, moved.
  @Test(arguments: AlgorithmSuite.here) func refusesEveryOtherOrderOfChunks(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 2)
    let plaintext = random.bytes(4 * Self.size)
    let sealed = try await seal(plaintext, suite)
    var orders: [[Int]] = [[]]
    var tried = 0
    for count in 1...5 {
      orders = orders.flatMap { order in (0..<4).map { order + [$0] } }
      if count == 5 { orders.removeAll { !$0.starts(with: [0, 1]) } }
      for order in orders where order != [0, 1, 2, 3] {
        let verified = order.indices.first { $0 == 3 || order[$0] != $0 || $0 == order.count - 1 } ?? 0
        try await expectRefused(
          sealed.bytes(with: order.map { sealed.chunks[$0] }), of: plaintext, verified: verified * Self.size,
          tried % 50 == 0 ? Splitting.allCases : [.atOnce], "\(order)")
        tried += 1
      }
    }
    #expect(tried == 4 + 16 + 64 + 255 + 64)
  }

  @Test(arguments: AlgorithmSuite.here) func refusesChunksOfAnotherStream(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 3)
    for length in [0, 1, Self.size, 3 * Self.size + 1] {
      let plaintext = random.bytes(length)
      let (own, other) = (try await seal(plaintext, suite), try await seal(plaintext, suite))
      for mask in 1..<(1 << own.chunks.count) {
        let mixed = own.chunks.indices.map { mask >> $0 & 1 == 1 ? other.chunks[$0] : own.chunks[$0] }
        try await expectRefused(
          own.bytes(with: mixed), of: plaintext, verified: mask.trailingZeroBitCount * Self.size, Splitting.allCases,
          "\(length) bytes, chunks \(String(mask, radix: 2))")
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesChunksWithAnotherMark(suite: AlgorithmSuite) async throws {
    let chunks = try await ChunkSequence.make(
      context: context, suite: suite, chunkSize: .smallest, using: keyring)
    let plaintext = [UInt8](repeating: 7, count: 2 * Self.size)
    func sealed(_ byteCount: Int, from first: Int, isLast: Bool) throws -> [UInt8] {
      let count = byteCount + suite.tagByteCount
      return try SecretBytes(byteCount: count) { (output) throws(EnvelopeError) in
        let bytes = Array(plaintext[..<byteCount])
        // Only a last chunk can be short, so a short one that is not the last is the first bytes of none.
        try chunks.seal(unsafe bytes.span.bytes, from: first, endsFile: isLast, into: &output)
      }.copy()
    }
    let first = try sealed(Self.size, from: 0, isLast: false)
    let firstAsLast = try sealed(Self.size, from: 0, isLast: true)
    let second = try sealed(Self.size, from: 1, isLast: false)
    let secondAsLast = try sealed(Self.size, from: 1, isLast: true)
    let empty = try sealed(0, from: 1, isLast: true)
    for (parts, code, verified) in [
      ([first], EnvelopeError.Code.payloadAltered, 0), ([first, second], .payloadAltered, 1),
      ([firstAsLast, second], .payloadAltered, 0), ([firstAsLast, secondAsLast], .payloadAltered, 0),
      ([second], .payloadAltered, 0), ([secondAsLast], .payloadAltered, 0), ([first, empty], .malformed, 1),
      ([firstAsLast, empty], .payloadAltered, 0), ([empty], .payloadAltered, 0),
    ] {
      try await expectRefused(
        chunks.header + parts.joined(), code, of: plaintext, verified: verified * Self.size, Splitting.allCases,
        "\(parts.map(\.count))")
    }
    for right in [[firstAsLast], [first, secondAsLast]] {
      let opened = try await OpenedStream.open(chunks.header + right.joined(), context: context, using: keyring)
      #expect(opened.failure == nil && opened.plaintext == Array(plaintext.prefix(opened.plaintext.count)))
      #expect(opened.plaintext.count == right.count * Self.size)
    }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesEveryExtension(suite: AlgorithmSuite) async throws {
    for length in [0, 1, Self.size - 1, Self.size, Self.size + 1, 2 * Self.size] {
      let plaintext = [UInt8](repeating: 7, count: length)
      let sealed = try await seal(plaintext, suite)
      let verified = (sealed.chunks.count - 1) * Self.size
      for count in Array(1...suite.tagByteCount + 2) + [Self.size, Self.size + suite.tagByteCount] {
        try await expectRefused(
          sealed.bytes + [UInt8](repeating: 0, count: count), of: plaintext, verified: verified,
          count < 3 ? Splitting.allCases : [.atOnce], "\(length) and \(count) bytes")
      }
      try await expectRefused(
        sealed.bytes + sealed.chunks[sealed.chunks.count - 1], of: plaintext, verified: verified, Splitting.allCases,
        "doubled")
      try await expectRefused(
        sealed.header + [0] + sealed.chunks.joined(), of: plaintext, verified: 0,
        Splitting.allCases, "\(length) bytes after a zero byte")
    }
  }

  @Test(arguments: AlgorithmSuite.here, [1, 4])
  func refusesAnAlteredChunkAmongMany(suite: AlgorithmSuite, coreCount: Int) async throws {
    var random = SplitMix64(seed: 4)
    let plaintext = random.bytes(600_000)
    let sealed = try await seal(plaintext, suite)
    let (headerByteCount, full) = (sealed.header.count, Self.size + suite.tagByteCount)
    for number in [0, 63, 64, 130, sealed.chunks.count - 1] {
      let altered = sealed.bytes.flipping(bit: 5, of: headerByteCount + number * full + 11)
      for splitting in number == 64 ? [Splitting.atOnce, .atRandom] : [.atOnce] {
        let opened = try await OpenedStream.open(
          altered, splitting: splitting, context: context, coreCount: coreCount, using: keyring)
        #expect(opened.failure?.code == .payloadAltered)
        #expect(opened.plaintext.count <= number * Self.size && plaintext.starts(with: opened.plaintext))
      }
    }
  }
}
