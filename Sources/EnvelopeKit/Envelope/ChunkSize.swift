// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// How many bytes of a file are sealed together (`Docs/Format.md`, section Files).
///
/// A reader at an offset opens at least one chunk. Each chunk has a tag, of 16 bytes in suite 01 and 32 in suite 02.
public struct ChunkSize: Hashable, Sendable {
  /// The binary logarithm of the number of bytes, 12 to 20.
  let exponent: UInt8

  /// The size that a header states; nil if the format does not allow it.
  init?(exponent: UInt8) {
    guard (12...20).contains(exponent) else { return nil }
    self.exponent = exponent
  }

  /// Returns nil unless the number is a power of two from 4,096 to 1,048,576.
  public init?(byteCount: Int) {
    guard (1 << 12...1 << 20).contains(byteCount), byteCount.nonzeroBitCount == 1 else { return nil }
    exponent = UInt8(byteCount.trailingZeroBitCount)
  }

  private init(standard exponent: UInt8) { self.exponent = exponent }

  /// 65,536 bytes.
  public static let standard = ChunkSize(standard: 16)

  /// The number of plaintext bytes in every chunk but the last.
  public var byteCount: Int { 1 << Int(exponent) }
}
