// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Searches that read thirty-two bytes at once.
extension RawSpan {
  /// The offset of the first byte from here on that is not ASCII, or the length.
  @inline(__always)
  func endOfASCII(from start: Int) -> Int {
    end(from: start) { $0 }
  }

  /// The offset of the first byte from here on that ends or interrupts a string of JSON: a quote, a backslash or a control
  /// character; or the length.
  @inline(__always)
  package func endOfPlainString(from start: Int) -> Int {
    end(from: start) { bytes in
      // A byte above one that is marked may be marked wrongly, and the first is not.
      let low: UInt64 = 0x0101_0101_0101_0101
      let quotes = bytes ^ (low &* 0x22)
      let backslashes = bytes ^ (low &* 0x5c)
      return (quotes &- low) & ~quotes | (backslashes &- low) & ~backslashes | (bytes &- low &* 0x20) & ~bytes
    }
  }

  /// The offset of the first byte from here on that is marked, or the length.
  ///
  /// - Parameter marks: Sets the highest bit of the first byte of eight that is to be marked, and of none below it; the
  ///   first byte is lowermost.
  @inline(__always)
  private func end(from start: Int, _ marks: (UInt64) -> UInt64) -> Int {
    let high: UInt64 = 0x8080_8080_8080_8080
    var offset = start
    // Most names and many values end within eight bytes; in what is longer, thirty-two are passed over at once.
    while offset + 8 <= byteCount {
      let marked = marks(word(at: offset)) & high
      if marked != 0 { return offset + marked.trailingZeroBitCount / 8 }
      offset += 8
      while offset + 32 <= byteCount {
        let all =
          marks(word(at: offset)) | marks(word(at: offset + 8)) | marks(word(at: offset + 16))
          | marks(word(at: offset + 24))
        guard all & high == 0 else { break }
        offset += 32
      }
    }
    // What is behind the end is zero, and counts neither if it is marked nor if it is not.
    let rest = byteCount - offset
    guard rest > 0 else { return byteCount }
    return offset + Swift.min(rest, (marks(lastWord(ofBytes: rest)) & high).trailingZeroBitCount / 8)
  }

  /// Eight bytes, which must be there, as an integer, the first lowermost.
  @inline(__always)
  func word(at offset: Int) -> UInt64 {
    unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// The last bytes, fewer than eight, as an integer, the first lowermost, and zeros above them.
  @inline(__always)
  func lastWord(ofBytes count: Int) -> UInt64 {
    if byteCount >= 8 { return word(at: byteCount - 8) >> UInt64(8 * (8 - count)) }
    var word: UInt64 = 0
    for offset in stride(from: byteCount - 1, through: byteCount - count, by: -1) {
      word = word << 8 | UInt64(byte(at: offset))
    }
    return word
  }
}
