// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension RawSpan {
  /// Decodes the Unicode scalar at an offset, which must be inside.
  ///
  /// - Returns: The scalar and the number of its bytes. If the bytes are not UTF-8, nil and the number of bytes that
  ///   decoders replace by one U+FFFD (Unicode, "substitution of maximal subparts").
  func scalar(at offset: Int) -> (value: UInt32?, byteCount: Int) {
    let first = byte(at: offset)
    let (count, second): (Int, ClosedRange<UInt8>)
    switch first {
    case 0x00...0x7f: return (UInt32(first), 1)
    case 0xc2...0xdf: (count, second) = (2, 0x80...0xbf)
    case 0xe0: (count, second) = (3, 0xa0...0xbf)
    case 0xed: (count, second) = (3, 0x80...0x9f)
    case 0xe1...0xef: (count, second) = (3, 0x80...0xbf)
    case 0xf0: (count, second) = (4, 0x90...0xbf)
    case 0xf1...0xf3: (count, second) = (4, 0x80...0xbf)
    case 0xf4: (count, second) = (4, 0x80...0x8f)
    default: return (nil, 1)
    }
    var value = UInt32(first) & (0x7f >> UInt32(count))
    for index in 1..<count {
      guard let next = byteIfAny(at: offset + index), (index == 1 ? second : 0x80...0xbf).contains(next) else {
        return (nil, index)
      }
      value = value << 6 | UInt32(next & 0x3f)
    }
    return (value, count)
  }
}
