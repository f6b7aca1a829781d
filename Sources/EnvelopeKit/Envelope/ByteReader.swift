// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Reads bytes from outside in order; every length is checked before anything is taken.
struct ByteReader {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remainingByteCount: Int { bytes.count - position }

  mutating func take(_ count: Int) throws(EnvelopeError) -> [UInt8] {
    guard count >= 0, count <= remainingByteCount else { throw .truncated }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func takeByte() throws(EnvelopeError) -> UInt8 {
    guard remainingByteCount > 0 else { throw .truncated }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func takeUInt16() throws(EnvelopeError) -> UInt16 { try takeBigEndian() }

  mutating func takeUInt32() throws(EnvelopeError) -> UInt32 { try takeBigEndian() }

  /// An integer, most significant byte first.
  private mutating func takeBigEndian<T: FixedWidthInteger>() throws(EnvelopeError) -> T {
    let byteCount = T.bitWidth / 8
    guard byteCount <= remainingByteCount else { throw .truncated }
    defer { position += byteCount }
    return bytes[position..<position + byteCount].reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  /// All that is left.
  mutating func takeRest() -> [UInt8] {
    defer { position = bytes.count }
    return Array(bytes[position...])
  }

  /// The bytes read so far.
  var consumed: [UInt8] { Array(bytes[..<position]) }
}

extension EnvelopeError {
  static let truncated = EnvelopeError(
    .malformed, "The envelope ends too early", advice: "Copy all of it again.")
}
