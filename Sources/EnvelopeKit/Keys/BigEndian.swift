// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
  /// Appends an integer, most significant byte first.
  package mutating func append<T: FixedWidthInteger>(bigEndian value: T) {
    for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  /// Appends a 16-bit length and the bytes; the caller has seen to it that there are at most 65,535.
  package mutating func append(lengthPrefixed16 bytes: some Collection<UInt8>) {
    append(bigEndian: UInt16(bytes.count))
    append(contentsOf: bytes)
  }
}

extension OutputRawSpan {
  /// Appends an integer, most significant byte first.
  package mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    unsafe append(value.bigEndian, as: T.self)
  }

  /// Appends a 16-bit length and the bytes; the caller has seen to it that there is room, and at most 65,535.
  package mutating func append(lengthPrefixed16 bytes: RawSpan) {
    append(bigEndian: UInt16(bytes.byteCount))
    append(bytes)
  }

  /// Appends a 16-bit length and the UTF-8 bytes of a string, as the other function does.
  package mutating func append(lengthPrefixed16 string: String) {
    string.withUTF8Bytes { append(lengthPrefixed16: $0) }
  }
}

extension RawSpan {
  /// The integer that eight bytes, which must be there, stand for.
  package func bigEndianInteger(at offset: Int) -> UInt64 {
    unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
