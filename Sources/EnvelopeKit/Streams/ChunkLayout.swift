// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// How the bytes after a file's header divide into chunks (`Docs/Format.md`, section Files).
package struct ChunkLayout: Sendable, Equatable {
  /// The plaintext bytes of every chunk but the last.
  package let chunkByteCount: Int
  /// How many bytes a sealed chunk is longer than its plaintext.
  package let tagByteCount: Int
  /// The plaintext bytes of the file.
  package let byteCount: Int

  /// The number of chunks, at least one.
  package var chunkCount: Int { max(1, (byteCount + chunkByteCount - 1) / chunkByteCount) }
  /// The sealed bytes of every chunk but the last.
  package var sealedChunkByteCount: Int { chunkByteCount + tagByteCount }
  /// The bytes of all sealed chunks.
  package var sealedByteCount: Int { byteCount + chunkCount * tagByteCount }

  /// Divides a plaintext.
  ///
  /// - Throws: `invalidArgument` if the sealed file would be longer than 2⁶² bytes.
  init(plaintext byteCount: Int, chunkByteCount: Int, tagByteCount: Int) throws(EnvelopeError) {
    guard (0...1 << 61).contains(byteCount) else {
      throw EnvelopeError(.invalidArgument, "A file cannot have \(byteCount) bytes")
    }
    self.byteCount = byteCount
    self.chunkByteCount = chunkByteCount
    self.tagByteCount = tagByteCount
  }

  /// Divides sealed bytes.
  ///
  /// - Throws: `malformed` if no sequence of chunks has this length.
  init(sealed byteCount: Int, chunkByteCount: Int, tagByteCount: Int) throws(EnvelopeError) {
    let sealedChunk = chunkByteCount + tagByteCount
    guard byteCount >= tagByteCount, byteCount <= 1 << 62 else { throw .truncated }
    let count = max(1, (byteCount - 1) / sealedChunk + 1)
    // The last chunk has a tag, and is empty only if the file is.
    guard count == 1 || byteCount - (count - 1) * sealedChunk > tagByteCount else { throw .truncated }
    self.chunkByteCount = chunkByteCount
    self.tagByteCount = tagByteCount
    self.byteCount = byteCount - count * tagByteCount
  }

  /// Where chunks lie in the plaintext.
  package func plaintext(of chunks: Range<Int>) -> Range<Int> {
    min(chunks.lowerBound * chunkByteCount, byteCount)..<min(chunks.upperBound * chunkByteCount, byteCount)
  }

  /// Where chunks lie among the sealed bytes.
  package func sealed(of chunks: Range<Int>) -> Range<Int> {
    min(
      chunks.lowerBound * sealedChunkByteCount, sealedByteCount)..<min(
        chunks.upperBound * sealedChunkByteCount, sealedByteCount)
  }
}

extension Header {
  /// How sealed bytes of this length, which follow the header, divide into chunks.
  ///
  /// - Throws: `malformed` if the header is not a file's, or no sequence of chunks has this length.
  package func layout(sealed byteCount: Int) throws(EnvelopeError) -> ChunkLayout {
    guard let chunkByteCount = form.chunkSize?.byteCount else { throw .truncated }
    return try ChunkLayout(
      sealed: byteCount, chunkByteCount: chunkByteCount, tagByteCount: suite.chunkAEAD.tagByteCount)
  }
}
