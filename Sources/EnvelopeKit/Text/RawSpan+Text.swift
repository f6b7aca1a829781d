// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Bytes from outside that should be text: one pass over them, nothing copied.
extension RawSpan {
  /// The byte at an offset, which must be inside.
  package func byte(at offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// The byte at an offset, or nil outside.
  package func byteIfAny(at offset: Int) -> UInt8? {
    offset >= 0 && offset < byteCount ? byte(at: offset) : nil
  }

  /// Whether the text begins with another, byte for byte.
  package func starts(with text: String) -> Bool {
    text.withUTF8Bytes { text in
      guard byteCount >= text.byteCount else { return false }
      for offset in 0..<text.byteCount where byte(at: offset) != text.byte(at: offset) { return false }
      return true
    }
  }

  /// Whether the text has another somewhere, byte for byte.
  package func contains(_ text: String) -> Bool {
    for start in 0..<byteCount where extracting(droppingFirst: start).starts(with: text) { return true }
    return false
  }

  /// The number of the line that an offset lies in, from 1; for error messages.
  package func line(at offset: Int) -> Int {
    var line = 1
    for position in 0..<Swift.min(offset, byteCount) where byte(at: position) == .lineFeed { line += 1 }
    return line
  }

  /// Three where the text begins with UTF-8's byte order mark, or zero.
  package var byteOrderMarkLength: Int {
    byteCount >= 3 && byte(at: 0) == 0xef && byte(at: 1) == 0xbb && byte(at: 2) == 0xbf ? 3 : 0
  }

  /// The offset of the first byte that is not part of well-formed UTF-8 (Unicode, table 3-7), or nil.
  package var firstOffsetOutsideUTF8: Int? {
    var offset = 0
    while offset < byteCount {
      guard byte(at: offset) >= 0x80 else {
        offset = endOfASCII(from: offset + 1)
        continue
      }
      guard let length = lengthOfUTF8Sequence(at: offset) else { return offset }
      offset += length
    }
    return nil
  }

  /// The length of the sequence that begins here with a byte that is not ASCII; nil if it is not well-formed.
  private func lengthOfUTF8Sequence(at offset: Int) -> Int? {
    let first = byte(at: offset)
    // The second byte's range shuts out overlong forms, surrogates and what lies beyond U+10FFFF.
    let (length, second): (Int, ClosedRange<UInt8>)
    switch first {
    case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
    case 0xe0: (length, second) = (3, 0xa0...0xbf)
    case 0xed: (length, second) = (3, 0x80...0x9f)
    case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
    case 0xf0: (length, second) = (4, 0x90...0xbf)
    case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
    case 0xf4: (length, second) = (4, 0x80...0x8f)
    default: return nil
    }
    guard byteCount - offset >= length, second.contains(byte(at: offset + 1)) else { return nil }
    for position in offset + 2..<Swift.max(offset + length, offset + 2)
    where !(0x80...0xbf).contains(byte(at: position)) {
      return nil
    }
    return length
  }

  /// Whether any byte is this one.
  package func contains(_ byte: UInt8) -> Bool {
    for offset in 0..<byteCount where self.byte(at: offset) == byte { return true }
    return false
  }
}

extension UInt8 {
  package static let tab = UInt8(ascii: "\t")
  package static let lineFeed = UInt8(ascii: "\n")
  package static let carriageReturn = UInt8(ascii: "\r")
  package static let space = UInt8(ascii: " ")
  package static let backslash = UInt8(ascii: "\\")
  package static let singleQuote = UInt8(ascii: "'")
  package static let doubleQuote = UInt8(ascii: "\"")
  package static let hash = UInt8(ascii: "#")
  package static let equals = UInt8(ascii: "=")

  /// Whether it is a space or a tab.
  package var isBlank: Bool { self == .space || self == .tab }

  /// Whether it is an ASCII digit.
  package var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

  /// Whether it is an ASCII letter.
  package var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
}

extension OutputRawSpan {
  /// Appends text that is no secret, for which the caller has seen to it that there is room.
  package mutating func append(_ text: String) {
    for byte in text.utf8 { append(byte) }
  }
}

extension FixedWidthInteger {
  /// The number that a sign and decimal digits stand for, or nil; read from the bytes themselves, for a string of
  /// them would be left unwiped.
  init?(decimal bytes: RawSpan) {
    // No integer is longer than a sign and 40 digits.
    guard (1...41).contains(bytes.byteCount) else { return nil }
    func byte(_ index: Int) -> UInt8 { unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) }
    let isNegative = byte(0) == UInt8(ascii: "-")
    let start = isNegative || byte(0) == UInt8(ascii: "+") ? 1 : 0
    guard start < bytes.byteCount else { return nil }
    var value: Self = 0
    for index in start..<bytes.byteCount {
      let digit = byte(index) &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      let (next, overflowsNext) =
        isNegative
        ? product.subtractingReportingOverflow(Self(digit)) : product.addingReportingOverflow(Self(digit))
      guard !overflows, !overflowsNext else { return nil }
      value = next
    }
    self = value
  }
}
