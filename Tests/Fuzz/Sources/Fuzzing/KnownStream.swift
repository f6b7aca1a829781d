// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

/// A stream of three chunks that is sealed when a fuzzer starts.
package struct KnownStream: Sendable {
  package let plaintext: [UInt8]
  package let header: [UInt8]
  package let chunks: [[UInt8]]
  /// Those of another stream of the same plaintext.
  package let otherChunks: [[UInt8]]

  package static let suites = AlgorithmSuite.allCases.filter(\.isAvailable)
  /// One of each suite.
  package static let all = suites.map { KnownStream($0) }
  private static let chunkSize = ChunkSize(byteCount: 4096) ?? .standard
  // One keyset.
  private static let headerByteCount = 165

  private init(_ suite: AlgorithmSuite) {
    plaintext = (0..<2 * 4096 + 100).map { UInt8($0 % 251) }
    let bytes = Self.seal(plaintext, suite, in: [])
    header = Array(bytes.prefix(Self.headerByteCount))
    chunks = Self.chunks(of: bytes, suite)
    otherChunks = Self.chunks(of: Self.seal(plaintext, suite, in: []), suite)
  }

  private static func chunks(of bytes: [UInt8], _ suite: AlgorithmSuite) -> [[UInt8]] {
    let byteCount = 4096 + tagByteCount(suite)
    return stride(from: headerByteCount, to: bytes.count, by: byteCount).map {
      Array(bytes[$0..<min($0 + byteCount, bytes.count)])
    }
  }

  package var bytes: [UInt8] { header + chunks.joined() }

  /// The bytes after changes: another order of chunks, among them those of the other stream, and then edits.
  ///
  /// The result may be the same bytes.
  package func changed(by input: inout FuzzedBytes) -> [UInt8] {
    let all = chunks + otherChunks
    let order = input.shortBytes().map { Int($0) % all.count }
    var bytes = order.isEmpty ? bytes : header + order.flatMap { all[$0] }
    bytes.edit(by: &input)
    return bytes
  }

  /// How many bytes longer a sealed chunk is than its plaintext.
  package static func tagByteCount(_ suite: AlgorithmSuite) -> Int { suite == .aegis256 ? 32 : 16 }

  /// Seals a plaintext that arrives in pieces of these lengths, and then the rest.
  package static func seal(_ plaintext: [UInt8], _ suite: AlgorithmSuite, in pieces: [Int]) -> [UInt8] {
    let keyring = Known.keyring
    return require("a stream is sealed") {
      try immediately {
        var bytes: [UInt8] = []
        var sealer = try await StreamSealer(
          context: Known.context, suite: suite, chunkSize: chunkSize, using: keyring)
        try forEachPiece(of: plaintext[...], in: pieces) { (piece) throws(EnvelopeError) in
          try sealer.append(piece) { bytes += [UInt8](copying: $0) }
        }
        try sealer.finish { bytes += [UInt8](copying: $0) }
        return bytes
      }
    }
  }
}

/// Calls `body` with pieces of these lengths, and then with the rest.
package func forEachPiece(
  of bytes: ArraySlice<UInt8>, in lengths: [Int], _ body: (RawSpan) throws(EnvelopeError) -> Void
) throws(EnvelopeError) {
  var rest = bytes
  for length in lengths + [rest.count] {
    let piece = Array(rest.prefix(length))
    rest = rest.dropFirst(length)
    try unsafe body(piece.span.bytes)
  }
}
