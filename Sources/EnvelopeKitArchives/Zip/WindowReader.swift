// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Archives
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// Reads parts of a sealed file through one window of plaintext, which is wiped when it moves and at the end.
  ///
  /// A window ends where a chunk ends, so that reading on opens each chunk once.
  struct WindowReader: ~Copyable {
    private let file: SealedFile
    private var start = 0
    private var window = SecretBytes(byteCount: 0) { _ in }

    init(_ file: SealedFile) { self.file = file }

    /// The length of the file.
    var byteCount: Int { file.byteCount }

    /// Gives access to a part of the file, which the caller has checked to lie inside.
    mutating func withBytes<R>(
      _ range: Range<Int>, _ body: (RawSpan) throws(EnvelopeError) -> R
    ) throws(EnvelopeError) -> R {
      if range.lowerBound < start || range.upperBound > start + window.byteCount { try move(to: range) }
      let part = range.lowerBound - start..<range.upperBound - start
      return try window.withBytes { (bytes) throws(EnvelopeError) -> R in try body(bytes.extracting(part)) }
    }

    /// Gives access to the beginning of a part: to as much as the window has of it, at least one byte.
    mutating func withBeginning<R>(
      of range: Range<Int>, _ body: (RawSpan) throws(EnvelopeError) -> R
    ) throws(EnvelopeError) -> R {
      if !(start..<start + window.byteCount).contains(range.lowerBound) {
        try move(to: range.lowerBound..<range.lowerBound + 1)
      }
      return try withBytes(range.lowerBound..<min(range.upperBound, start + window.byteCount), body)
    }

    /// Reads from the beginning of a part to its end, or to the end of the chunk that its last byte is in.
    private mutating func move(to range: Range<Int>) throws(EnvelopeError) {
      let chunks = (range.upperBound + file.chunkByteCount - 1) / file.chunkByteCount
      window = try file.read(range.lowerBound..<min(chunks * file.chunkByteCount, file.byteCount))
      start = range.lowerBound
    }
  }
#endif
