// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Asynchronous sequences of bytes, sealed and opened on all cores.
@Suite(.timeLimit(.minutes(20))) struct ByteSequenceTests {
  private let context: EncryptionContext = ["table": "tokens"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  /// Pieces of bytes, and then the end or an error.
  private struct Pieces: AsyncSequence, Sendable {
    struct Broken: Error {}

    let pieces: [[UInt8]]
    var fails = false

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: pieces[...], fails: fails) }

    struct AsyncIterator: AsyncIteratorProtocol {
      var pieces: ArraySlice<[UInt8]>
      let fails: Bool

      mutating func next() async throws -> [UInt8]? {
        guard !pieces.isEmpty else {
          if fails { throw Broken() }
          return nil
        }
        return pieces.removeFirst()
      }
    }
  }

  private static func collect<S: AsyncSequence>(_ sequence: S) async -> (bytes: [UInt8], failure: (any Error)?)
  where S.Element == [UInt8] {
    var bytes: [UInt8] = []
    do {
      for try await piece in sequence { bytes += piece }
      return (bytes, nil)
    } catch {
      return (bytes, error)
    }
  }

  private func open(_ bytes: [UInt8], _ splitting: Splitting) async -> (bytes: [UInt8], failure: (any Error)?) {
    await Self.collect(Pieces(pieces: splitting.pieces(of: bytes)).opened(context: context, using: keyring))
  }

  private func expectRefused(
    _ bytes: [UInt8], _ code: EnvelopeError.Code = .payloadAltered, of plaintext: [UInt8], verified: Int,
    _ comment: String
  ) async {
    let opened = await open(bytes, .atOnce)
    #expect((opened.failure as? EnvelopeError)?.code == code, "\(comment)")
    #expect(opened.bytes.count <= verified && plaintext.starts(with: opened.bytes), "\(comment)")
  }

  @Test(arguments: AlgorithmSuite.here, Splitting.allCases)
  func opensWhatWasSealed(suite: AlgorithmSuite, splitting: Splitting) async throws {
    var random = SplitMix64(seed: 1)
    let long = splitting == .byteByByte ? 20_000 : 2_500_000
    for length in [0, 1, 4095, 4096, 4097, 8192, 12_288, long] {
      let plaintext = random.bytes(length)
      let pieces = Pieces(pieces: splitting.pieces(of: plaintext))
      let sealed = await Self.collect(
        pieces.sealed(context: context, suite: suite, chunkSize: .smallest, using: keyring))
      #expect(sealed.failure == nil)
      let chunkCount = max(1, (length + 4095) / 4096)
      #expect(sealed.bytes.count == 165 + length + chunkCount * suite.tagByteCount)
      let opened = await open(sealed.bytes, splitting)
      #expect(opened.failure == nil && opened.bytes == plaintext, "\(length) bytes")
      let stream = try await OpenedStream.open(sealed.bytes, context: context, using: keyring)
      #expect(stream.failure == nil && stream.plaintext == plaintext, "\(length) bytes")
    }
  }

  @Test(arguments: AlgorithmSuite.here) func everyIterationHasItsOwnKey(suite: AlgorithmSuite) async throws {
    let sequence = Pieces(pieces: [[1], [], [2, 3]]).sealed(context: context, suite: suite, using: keyring)
    let (a, b) = (await Self.collect(sequence), await Self.collect(sequence))
    #expect(a.failure == nil && b.failure == nil)
    #expect(a.bytes.count == b.bytes.count && a.bytes.suffix(17) != b.bytes.suffix(17))
    for sealed in [a.bytes, b.bytes] { #expect(await open(sealed, .byteByByte).bytes == [1, 2, 3]) }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesTruncations(suite: AlgorithmSuite) async throws {
    let (tag, full) = (suite.tagByteCount, 4096 + suite.tagByteCount)
    let plaintext = [UInt8](repeating: 7, count: 3 * 4096)
    let sealed = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
    for count in 0..<165 {
      await expectRefused(Array(sealed.header[..<count]), .malformed, of: [], verified: 0, "\(count) bytes")
    }
    let chunks = Array(sealed.chunks.joined())
    for end in 0...3 {
      for cut in end * full - tag - 1...end * full + tag + 1 where (0..<chunks.count).contains(cut) {
        let (complete, rest) = cut.quotientAndRemainder(dividingBy: full)
        let isTooShort = cut == 0 || rest > 0 && rest < tag + (complete > 0 ? 1 : 0)
        await expectRefused(
          sealed.header + chunks[..<cut], isTooShort ? .malformed : .payloadAltered, of: plaintext,
          verified: (rest > 0 ? complete : max(0, complete - 1)) * 4096, "\(cut) bytes")
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func refusesMovedAndForeignChunks(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 2)
    let plaintext = random.bytes(3 * 4096)
    let sealed = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
    let other = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
    let orders = [
      [1, 0, 2], [0, 2, 1], [2, 1, 0], [0, 1], [0, 2], [1, 2], [0], [2], [0, 0, 1, 2], [0, 1, 1, 2], [0, 1, 2, 2],
      [0, 1, 2, 0],
    ]
    for order in orders {
      await expectRefused(
        sealed.bytes(with: order.map { sealed.chunks[$0] }), of: plaintext, verified: 2 * 4096, "\(order)")
    }
    for number in 0..<3 {
      var chunks = sealed.chunks
      chunks[number] = other.chunks[number]
      await expectRefused(
        sealed.bytes(with: chunks), of: plaintext, verified: number * 4096, "chunk \(number) is foreign")
    }
    for count in [1, suite.tagByteCount, 4096 + suite.tagByteCount] {
      await expectRefused(
        sealed.bytes + [UInt8](repeating: 0, count: count), of: plaintext, verified: 2 * 4096, "\(count) bytes more")
    }
  }

  /// Among so many chunks that several cores open them at once.
  @Test(arguments: AlgorithmSuite.here) func refusesAlteredChunksAmongMany(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 3)
    let plaintext = random.bytes(1_500_000)
    let sealed = try await StreamParts.seal(plaintext, context: context, suite: suite, using: keyring)
    let full = 4096 + suite.tagByteCount
    for number in [0, 64, 300, sealed.chunks.count - 1] {
      let altered = sealed.bytes.flipping(bit: 1, of: 165 + number * full + 5)
      await expectRefused(altered, of: plaintext, verified: number * 4096, "chunk \(number)")
    }
  }

  @Test func passesErrorsOn() async throws {
    let sealed = try await StreamParts.seal([UInt8](repeating: 7, count: 9000), context: context, using: keyring)
    for count in [0, 100, 165, 5000, sealed.bytes.count] {
      let failing = Pieces(pieces: [Array(sealed.bytes[..<count])], fails: true)
      let opened = await Self.collect(failing.opened(context: context, using: keyring))
      #expect(opened.failure is Pieces.Broken, "\(count) bytes")
      #expect(opened.bytes.count <= 8192)
    }
    // What was sealed before an error does not open to an end.
    for count in [0, 1, 4096, 2_500_000] {
      let failing = Pieces(pieces: [[UInt8](repeating: 7, count: count)], fails: true)
      let sealed = await Self.collect(failing.sealed(context: context, suite: .tested, using: keyring))
      #expect(sealed.failure is Pieces.Broken)
      #expect(await open(sealed.bytes, .atOnce).failure is EnvelopeError, "\(count) bytes")
    }
  }

  /// A sequence that ends because its task was cancelled has not ended: what was sealed of it must not open to an end.
  @Test func cancelledSequenceIsNotSealedToItsEnd() async throws {
    let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
    continuation.yield([UInt8](repeating: 7, count: 1000))
    let keyring = keyring
    let context = context
    let sealing = Task {
      var iterator = stream.sealed(context: context, using: keyring).makeAsyncIterator()
      return try await iterator.next()
    }
    sealing.cancel()
    await #expect(throws: CancellationError.self) { try await sealing.value }
    continuation.finish()
  }

  @Test func endsAfterAnError() async throws {
    let sealed = try await StreamParts.seal([1, 2, 3], context: context, using: keyring)
    let altered = sealed.bytes.flipping(bit: 0, of: sealed.bytes.count - 1)
    var iterator = Pieces(pieces: [altered]).opened(context: context, using: keyring).makeAsyncIterator()
    await #expect(throws: EnvelopeError.self) { try await iterator.next() }
    #expect(try await iterator.next() == nil)
  }

  @Test func refusesAnotherContextAndAnAnonymousSender() async throws {
    let sealed = try await StreamParts.seal([1, 2, 3], context: context, using: keyring).bytes
    let other = await Self.collect(Pieces(pieces: [sealed]).opened(context: [:], using: keyring))
    #expect((other.failure as? EnvelopeError)?.code == .contextDiffers)
    let identity = KeysetKeyring(try .generate(.identity))
    let toRecipient = try await StreamParts.seal(
      [1, 2, 3], context: context, using: RecipientKeyring([identity.keyset.recipient()])
    ).bytes
    let refused = await Self.collect(Pieces(pieces: [toRecipient]).opened(context: context, using: identity))
    #expect((refused.failure as? EnvelopeError)?.code == .anonymousSender)
    #expect(other.bytes == [] && refused.bytes == [])
    let accepted = await Self.collect(
      Pieces(pieces: [toRecipient]).opened(context: context, using: identity, anonymousSender: .accepted))
    #expect(accepted.failure == nil && accepted.bytes == [1, 2, 3])
  }
}
