// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension JSONScanner {
  /// Reads the string that begins here, and gives its UTF-8 away byte after byte.
  package mutating func readString(in text: RawSpan, _ append: (UInt8) -> Void) throws(EnvelopeError) {
    let start = position
    try take(.doubleQuote, in: text)
    while let byte = text.byteIfAny(at: position) {
      switch byte {
      case .doubleQuote:
        return try take(.doubleQuote, in: text)
      case .backslash:
        try readEscape(in: text, append)
      case 0..<0x20:
        throw .json(at: position, in: text, "has a control character in a string", advice: "Write it as an escape.")
      default:
        append(byte)
        advance(by: 1)
      }
    }
    throw .json(at: start, in: text, "opens a string that is never closed")
  }

  /// Reads a member's name, or passes over it and returns nil where it is longer than a variable's name can be.
  package mutating func readName(in text: RawSpan) throws(EnvelopeError) -> String? {
    var name: [UInt8] = []
    try readString(in: text) { byte in
      if name.count <= Self.nameByteLimit { name.append(byte) }
    }
    return name.count <= Self.nameByteLimit ? String(decoding: name, as: UTF8.self) : nil
  }

  private mutating func readEscape(in text: RawSpan, _ append: (UInt8) -> Void) throws(EnvelopeError) {
    let start = position
    advance(by: 2)
    switch text.byteIfAny(at: start + 1) {
    case UInt8(ascii: "b")?: append(0x08)
    case UInt8(ascii: "f")?: append(0x0c)
    case UInt8(ascii: "n")?: append(.lineFeed)
    case UInt8(ascii: "r")?: append(.carriageReturn)
    case UInt8(ascii: "t")?: append(.tab)
    case let byte? where byte == .doubleQuote || byte == .backslash || byte == UInt8(ascii: "/"): append(byte)
    case UInt8(ascii: "u")?:
      guard let scalar = scalar(in: text) else {
        throw .json(at: start, in: text, "has an escape that stands for no character")
      }
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte) }
    default:
      throw .json(at: start, in: text, "has an unknown escape", advice: "Write \\\\ for a backslash.")
    }
  }

  /// The character of four hexadecimal digits, or of two such units that are a surrogate pair.
  private mutating func scalar(in text: RawSpan) -> Unicode.Scalar? {
    guard let first = Self.unit(at: position, in: text) else { return nil }
    advance(by: 4)
    guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
    guard text.byteIfAny(at: position) == .backslash, text.byteIfAny(at: position + 1) == UInt8(ascii: "u"),
      let second = Self.unit(at: position + 2, in: text), UTF16.isTrailSurrogate(second)
    else { return nil }
    advance(by: 6)
    return Unicode.Scalar(0x1_0000 + (UInt32(first & 0x3ff) << 10 | UInt32(second & 0x3ff)))
  }

  /// The UTF-16 code unit that four hexadecimal digits stand for; nil if they are not there.
  package static func unit(at offset: Int, in text: RawSpan) -> UInt16? {
    var unit: UInt16 = 0
    for offset in offset..<offset + 4 {
      guard let digit = text.byteIfAny(at: offset).flatMap({ valueOfDigit($0) }) else { return nil }
      unit = unit << 4 | digit
    }
    return unit
  }

  private static func valueOfDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
