// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// A stream of any length opens to what was sealed, in whatever pieces its bytes arrive.
@Suite(.timeLimit(.minutes(20))) struct StreamTests {
  private let context: EncryptionContext = ["function": "checkout", "table": "tokens"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  @Test(arguments: AlgorithmSuite.here, Splitting.allCases)
  func opensStreamsOfEveryLength(suite: AlgorithmSuite, splitting: Splitting) async throws {
    var random = SplitMix64(seed: 1)
    for chunkSize in [ChunkSize.smallest, try #require(ChunkSize(byteCount: 8192))] {
      let size = chunkSize.byteCount
      for length in [0, 1, size - 1, size, size + 1, 2 * size - 1, 2 * size, 2 * size + 1, 3 * size] {
        let plaintext = random.bytes(length)
        let sealed = try await StreamParts.seal(
          plaintext, splitting: splitting, context: context, suite: suite, chunkSize: chunkSize, using: keyring)
        #expect(sealed.header.starts(with: Array("EK".utf8) + [1, 4, suite.rawValue, size == 4096 ? 12 : 13]))
        #expect(sealed.header.count == 165)
        #expect(sealed.chunks.map(\.count) == Self.lengths(of: length, size).map { $0 + suite.tagByteCount })
        for splitting in Splitting.allCases {
          let opened = try await OpenedStream.open(
            sealed.bytes, splitting: splitting, context: context, using: keyring)
          #expect(opened.failure == nil && opened.plaintext == plaintext, "\(length) bytes, \(splitting)")
          #expect(opened.source?.keyID.string == "\(keyring.keyset.id).1")
        }
      }
    }
  }

  /// The lengths of the chunks of a plaintext.
  private static func lengths(of byteCount: Int, _ size: Int) -> [Int] {
    let rest = byteCount % size
    let complete = [Int](repeating: size, count: byteCount / size)
    return rest > 0 || byteCount == 0 ? complete + [rest] : complete
  }

  @Test(arguments: AlgorithmSuite.here) func opensStreamsOfEveryChunkSize(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 2)
    for exponent in 12...20 {
      let chunkSize = try #require(ChunkSize(byteCount: 1 << exponent))
      for length in [0, 1, chunkSize.byteCount, chunkSize.byteCount + 1] {
        let plaintext = random.bytes(length)
        let sealed = try await StreamParts.seal(plaintext, suite: suite, chunkSize: chunkSize, using: keyring)
        #expect(sealed.header[5] == UInt8(exponent))
        let opened = try await OpenedStream.open(sealed.bytes, using: keyring)
        #expect(opened.failure == nil && opened.plaintext == plaintext, "2^\(exponent), \(length) bytes")
      }
    }
  }

  @Test func allowsNoOtherChunkSize() {
    for byteCount in [Int.min, -4096, -1, 0, 1, 2048, 4095, 4097, 12288, 1 << 21, 1 << 62, .max] {
      #expect(ChunkSize(byteCount: byteCount) == nil)
    }
    #expect(ChunkSize.smallest.byteCount == 4096)
    #expect(ChunkSize.standard.byteCount == 65_536)
    #expect(ChunkSize(byteCount: 65_536) == .standard)
  }

  /// More chunks than one worker takes at once: what one number of cores seals, another opens.
  @Test(arguments: AlgorithmSuite.here, [(1, 4), (4, 1), (3, 2)])
  func opensStreamsOfSeveralCores(suite: AlgorithmSuite, cores: (Int, Int)) async throws {
    var random = SplitMix64(seed: 3)
    for length in [0, 1 << 19, 600_001] {
      let plaintext = random.bytes(length)
      for splitting in [Splitting.atOnce, .atRandom] {
        let sealed = try await StreamParts.seal(
          plaintext, splitting: splitting, suite: suite, coreCount: cores.0, using: keyring)
        let opened = try await OpenedStream.open(
          sealed.bytes, splitting: splitting, coreCount: cores.1, using: keyring)
        #expect(opened.failure == nil && opened.plaintext == plaintext, "\(length) bytes, \(splitting)")
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func everyStreamHasItsOwnKey(suite: AlgorithmSuite) async throws {
    let plaintext = [UInt8](repeating: 0, count: 8192)
    let a = try await StreamParts.seal(plaintext, suite: suite, using: keyring)
    let b = try await StreamParts.seal(plaintext, suite: suite, using: keyring)
    #expect(Set(a.chunks + b.chunks).count == 4)
    #expect(a.header != b.header)
  }

  /// What a caller sees who does not finish: not the last chunk, and no event that says that the stream was opened.
  @Test(arguments: AlgorithmSuite.here) func isNotCompleteUntilFinished(suite: AlgorithmSuite) async throws {
    let recorder = EventRecorder()
    let observed = ObservedKeyring(keyring, observer: recorder)
    for length in [0, 1, 4096, 8192] {
      let sealed = try await StreamParts.seal([UInt8](repeating: 7, count: length), suite: suite, using: keyring)
      _ = recorder.take()
      var opener = try await StreamOpener(header: sealed.header, context: [:], using: observed)
      var plaintext: [UInt8] = []
      for chunk in sealed.chunks {
        try opener.append(unsafe chunk.span.bytes) { plaintext += [UInt8](copying: $0) }
      }
      #expect(plaintext.count == max(0, length - 4096))
      #expect(!recorder.take().contains("opened"))
      try opener.finish { plaintext += [UInt8](copying: $0) }
      #expect(plaintext.count == length)
      #expect(recorder.take() == ["opened"])
    }
  }

  @Test(arguments: AlgorithmSuite.here) func sealedStreamThatWasNotFinishedIsRefused(suite: AlgorithmSuite) async throws
  {
    for length in [0, 1, 4096, 4097, 8192] {
      var bytes: [UInt8] = []
      do {
        var sealer = try await StreamSealer(context: [:], suite: suite, chunkSize: .smallest, using: keyring)
        let plaintext = [UInt8](repeating: 7, count: length)
        try sealer.append(unsafe plaintext.span.bytes) { bytes += [UInt8](copying: $0) }
      }
      let opened = try await OpenedStream.open(bytes, using: keyring)
      #expect(opened.failure?.code == (length <= 4096 ? .malformed : .payloadAltered))
      #expect(opened.plaintext == [])
    }
  }

  @Test func takesNothingMoreAfterAnError() async throws {
    let sealed = try await StreamParts.seal([UInt8](repeating: 7, count: 9000), using: keyring)
    let chunk = sealed.chunks[0]
    // The chunk is altered, or what receives its plaintext throws.
    for bytes in [chunk.flipping(bit: 0, of: 0) + [0], chunk + [0]] {
      var opener = try await StreamOpener(header: sealed.header, context: [:], using: keyring)
      let code = Self.code { () throws(EnvelopeError) in
        try opener.append(unsafe bytes.span.bytes) { (_) throws(EnvelopeError) in throw .truncated }
      }
      #expect(code == (bytes[0] == chunk[0] ? .malformed : .payloadAltered))
      let next = Self.code { () throws(EnvelopeError) in
        try opener.append(unsafe chunk.span.bytes) { _ in Issue.record("It passed bytes on") }
      }
      #expect(next == .invalidArgument)
      #expect(Self.codeAtEnd(of: opener) == .invalidArgument)
    }
    var sealer = try await StreamSealer(context: [:], suite: .tested, chunkSize: .smallest, using: keyring)
    let code = Self.code { () throws(EnvelopeError) in
      try sealer.append(unsafe chunk.span.bytes) { (_) throws(EnvelopeError) in throw .truncated }
    }
    #expect(code == .malformed)
    let next = Self.code { () throws(EnvelopeError) in
      try sealer.append(unsafe chunk.span.bytes) { _ in Issue.record("It passed bytes on") }
    }
    #expect(next == .invalidArgument)
  }

  private static func code(_ body: () throws(EnvelopeError) -> Void) -> EnvelopeError.Code? {
    do {
      try body()
      return nil
    } catch {
      return error.code
    }
  }

  private static func codeAtEnd(of opener: consuming StreamOpener) -> EnvelopeError.Code? {
    do {
      try opener.finish { _ in Issue.record("It passed bytes on") }
      return nil
    } catch {
      return error.code
    }
  }
}
