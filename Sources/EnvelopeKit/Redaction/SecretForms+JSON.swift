// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The escapes of JSON and of Swift's string literals.
extension SecretForms {
  /// What encoders of JSON escape besides quotation marks, backslashes and control characters.
  private static let escaped: [StaticString] = ["", "/", "<>&", "<>&='", "<>&'\""]

  /// Adds the forms that most encoders of JSON write, and that of `debugDescription`.
  mutating func addPlainJSON(of value: RawSpan) {
    for characters in ["", "/"] as [StaticString] {
      for isASCII in [false, true] {
        addJSON(of: value, escaping: characters, isASCII: isASCII, isUpper: false, escapesDelete: false)
      }
    }
    addSwift(of: value)
  }

  /// Adds the texts that stand for the value inside a string of JSON, Swift or Python.
  mutating func addJSON(of value: RawSpan) {
    for characters in Self.escaped {
      for isASCII in [false, true] {
        for isUpper in [false, true] {
          addJSON(of: value, escaping: characters, isASCII: isASCII, isUpper: isUpper, escapesDelete: false)
          if characters.utf8CodeUnitCount == 0 {
            addJSON(of: value, escaping: characters, isASCII: isASCII, isUpper: isUpper, escapesDelete: true)
          }
        }
      }
    }
    addSwift(of: value)
    for escapesSingleQuote in [false, true] { addPython(of: value, escapesSingleQuote: escapesSingleQuote) }
  }

  private mutating func addJSON(
    of value: RawSpan, escaping characters: StaticString, isASCII: Bool, isUpper: Bool, escapesDelete: Bool
  ) {
    var offset = 0
    while offset < value.byteCount {
      let byte = value.byte(at: offset)
      let (scalar, count) = value.scalar(at: offset)
      switch byte {
      case .doubleQuote where !characters.contains(byte), .backslash:
        list.append(.backslash)
        list.append(byte)
      case 0x08: list.append("\\b")
      case 0x09: list.append("\\t")
      case 0x0a: list.append("\\n")
      case 0x0c: list.append("\\f")
      case 0x0d: list.append("\\r")
      case UInt8(ascii: "/") where characters.contains(byte): list.append("\\/")
      case ..<0x20: list.appendUnicode(UInt32(byte), isUpper: isUpper)
      case 0x7f where escapesDelete: list.appendUnicode(0x7f, isUpper: isUpper)
      case ..<0x80 where characters.contains(byte): list.appendUnicode(UInt32(byte), isUpper: isUpper)
      default:
        // Encoders that escape <, > and & escape the separators of lines and paragraphs too.
        let isSeparator = scalar == 0x2028 || scalar == 0x2029
        if byte >= 0x80, let scalar, isASCII || isSeparator && characters.contains(UInt8(ascii: "<")) {
          list.appendUnicode(scalar, isUpper: isUpper)
        } else {
          for index in offset..<offset + count { list.append(value.byte(at: index)) }
        }
      }
      offset += count
    }
    list.endPattern(of: secret)
  }

  /// Adds what Python's `ascii` prints.
  private mutating func addPython(of value: RawSpan, escapesSingleQuote: Bool) {
    var offset = 0
    while offset < value.byteCount {
      let (scalar, count) = value.scalar(at: offset)
      switch scalar {
      case 0x5c: list.append("\\\\")
      case 0x27 where escapesSingleQuote: list.append("\\'")
      case 0x09: list.append("\\t")
      case 0x0a: list.append("\\n")
      case 0x0d: list.append("\\r")
      case .some(let scalar) where scalar >= 0x7f || scalar < 0x20: list.appendPython(scalar)
      default:
        for index in offset..<offset + count { list.append(value.byte(at: index)) }
      }
      offset += count
    }
    list.endPattern(of: secret)
  }

  /// Adds what `debugDescription` prints, as interpolating an array or an optional does.
  private mutating func addSwift(of value: RawSpan) {
    for escapesSingleQuote in [false, true] {
      for isASCII in [false, true] {
        var offset = 0
        while offset < value.byteCount {
          let (scalar, count) = value.scalar(at: offset)
          switch scalar {
          case 0x22, 0x5c:
            list.append(.backslash)
            list.append(value.byte(at: offset))
          case 0x27 where escapesSingleQuote: list.append("\\'")
          case 0x00: list.append("\\0")
          case 0x09: list.append("\\t")
          case 0x0a: list.append("\\n")
          case 0x0d: list.append("\\r")
          case .some(let scalar) where scalar < 0x20 || scalar == 0x7f || isASCII && scalar > 0x7f:
            list.appendSwift(scalar, minimumDigitCount: scalar > 0xffff ? 8 : scalar > 0x7f ? 4 : 2)
          default:
            for index in offset..<offset + count { list.append(value.byte(at: index)) }
          }
          offset += count
        }
        list.endPattern(of: secret)
      }
    }
  }
}

extension PatternList {
  /// Appends JSON's escape of a scalar, a pair of surrogates if it is beyond U+FFFF.
  fileprivate mutating func appendUnicode(_ scalar: UInt32, isUpper: Bool) {
    guard scalar < 0x10000 else {
      appendUnicode(0xd800 + (scalar - 0x10000) >> 10, isUpper: isUpper)
      appendUnicode(0xdc00 + (scalar - 0x10000) & 0x3ff, isUpper: isUpper)
      return
    }
    append("\\u")
    for shift in [12, 8, 4, 0] as [UInt32] {
      appendDigit(UInt8(truncatingIfNeeded: scalar >> shift & 15), isUpper: isUpper)
    }
  }

  /// Appends Python's escape of a scalar.
  fileprivate mutating func appendPython(_ scalar: UInt32) {
    let digits: UInt32 = scalar > 0xffff ? 8 : scalar > 0xff ? 4 : 2
    append(digits == 8 ? "\\U" : digits == 4 ? "\\u" : "\\x")
    for index in (0..<digits).reversed() {
      appendDigit(UInt8(truncatingIfNeeded: scalar >> (4 * index) & 15), isUpper: false)
    }
  }

  /// Appends Swift's escape of a scalar.
  fileprivate mutating func appendSwift(_ scalar: UInt32, minimumDigitCount: UInt32) {
    append("\\u{")
    var digits = minimumDigitCount
    while digits < 8, scalar >> (4 * digits) != 0 { digits += 1 }
    for index in (0..<digits).reversed() {
      appendDigit(UInt8(truncatingIfNeeded: scalar >> (4 * index) & 15), isUpper: true)
    }
    append("}")
  }
}
