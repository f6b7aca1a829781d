// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport

@testable import EnvelopeKit

/// A sealed stream: its header and its chunks.
struct StreamParts {
  var header: [UInt8]
  var chunks: [[UInt8]]

  var bytes: [UInt8] { header + chunks.joined() }

  /// The bytes with other chunks after the header.
  func bytes(with chunks: [[UInt8]]) -> [UInt8] { header + chunks.joined() }

  static func seal(
    _ plaintext: [UInt8], splitting: Splitting = .atOnce, context: EncryptionContext = [:],
    suite: AlgorithmSuite = .tested, chunkSize: ChunkSize = .smallest, coreCount: Int = 1, using keyring: some Keyring
  ) async throws -> StreamParts {
    var bytes: [UInt8] = []
    var sealer = try await StreamSealer(
      context: context, suite: suite, chunkSize: chunkSize, coreCount: coreCount, using: keyring)
    for piece in splitting.pieces(of: plaintext) {
      try sealer.append(unsafe piece.span.bytes) { bytes += [UInt8](copying: $0) }
    }
    try sealer.finish { bytes += [UInt8](copying: $0) }
    return try StreamParts(bytes, sealedChunkByteCount: chunkSize.byteCount + suite.tagByteCount)
  }

  /// Divides the bytes of a stream as the format says, without the code under test.
  init(_ bytes: [UInt8], sealedChunkByteCount: Int) throws {
    var reader = ByteReader(bytes)
    _ = try Header(from: &reader, expecting: .file)
    header = Array(bytes.prefix(reader.position))
    chunks = []
    var rest = bytes.dropFirst(header.count)
    while !rest.isEmpty {
      chunks.append(Array(rest.prefix(sealedChunkByteCount)))
      rest = rest.dropFirst(sealedChunkByteCount)
    }
  }
}

/// What a stream passed on, and how it ended.
struct OpenedStream {
  /// The plaintext that was passed on before the end or the error.
  var plaintext: [UInt8] = []
  /// The entry that the data key was unwrapped from.
  var source: WrappedDataKey?
  /// Nil if the stream was opened to its end.
  var failure: EnvelopeError?

  static func open(
    _ bytes: [UInt8], splitting: Splitting = .atOnce, context: EncryptionContext = [:], coreCount: Int = 1,
    using keyring: some Keyring, anonymousSender sender: AnonymousSender = .refused
  ) async throws -> OpenedStream {
    var opened = OpenedStream()
    do {
      let byteCount = try splitting.headerByteCount(of: bytes)
      var opener = try await StreamOpener(
        header: Array(bytes.prefix(byteCount)), context: context, coreCount: coreCount, using: keyring,
        anonymousSender: sender)
      opened.source = opener.source
      for piece in splitting.pieces(of: bytes.dropFirst(byteCount)) {
        try opener.append(unsafe piece.span.bytes) { opened.plaintext += [UInt8](copying: $0) }
      }
      try opener.finish { opened.plaintext += [UInt8](copying: $0) }
    } catch let error as EnvelopeError {
      opened.failure = error
    }
    return opened
  }
}

extension Splitting {
  /// The length of the header, found with as few bytes as arrive in this way.
  fileprivate func headerByteCount(of bytes: [UInt8]) throws -> Int {
    var (beginning, found): ([UInt8], Int?) = ([], nil)
    for piece in pieces(of: bytes) where found == nil {
      beginning += piece
      found = try StreamOpener.headerByteCount(of: unsafe beginning.span.bytes)
    }
    guard let found else { throw EnvelopeError.truncated }
    return found
  }
}

extension AlgorithmSuite {
  /// How many bytes longer a sealed chunk is than its plaintext.
  var tagByteCount: Int { self == .aegis256 ? 32 : 16 }
}

extension ChunkSize {
  /// 4,096 bytes, so that a file of several chunks is small.
  static let smallest = ChunkSize(byteCount: 4096) ?? .standard
}
