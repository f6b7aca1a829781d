// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Base64, hexadecimal and percent encodings.
extension SecretForms {
  /// Lengths at which encoders break lines: MIME and `base64`, and PEM.
  private static let lineLengths = [76, 64]

  /// Adds base64 and base64url of the value, and of the value inside longer data.
  ///
  /// Inside longer data the encoding depends on how many bytes precede the value, modulo three. Characters that stand
  /// for bits of the neighbours as well are left out.
  mutating func addBase64(of value: RawSpan) {
    for alphabet in ["+/", "-_"] as [StaticString] {
      for alignment in 0..<3 {
        let (start, end) = (8 * alignment, 8 * (alignment + value.byteCount))
        let characters = (start + 5) / 6..<end / 6
        addBase64(value, characters, alignment, alphabet, padding: 0)
        // The value ends the data: the last character depends on it alone, too.
        guard end % 6 != 0 else { continue }
        let last = characters.lowerBound..<characters.upperBound + 1
        addBase64(value, last, alignment, alphabet, padding: 0)
        addBase64(value, last, alignment, alphabet, padding: end % 6 == 2 ? 2 : 1)
      }
    }
    addBase64Lines(of: value)
  }

  /// Adds the lines of base64 that is broken into lines.
  private mutating func addBase64Lines(of value: RawSpan) {
    let count = (8 * value.byteCount + 5) / 6
    for length in Self.lineLengths where count > length {
      for start in stride(from: 0, to: count, by: length) {
        let line = start..<min(start + length, count)
        if line.count >= Self.minimumLineByteCount {
          addBase64(value, line, 0, "+/", padding: 0)
        } else {
          // A short line is text that occurs elsewhere, so it is masked only after the line before it.
          for end in ["\n", "\r\n"] as [StaticString] {
            appendBase64(value, start - length..<start, 0, "+/")
            list.append(end)
            addBase64(value, line, 0, "+/", padding: 0)
          }
        }
      }
    }
  }

  private mutating func addBase64(
    _ value: RawSpan, _ characters: Range<Int>, _ alignment: Int, _ alphabet: StaticString, padding: Int
  ) {
    appendBase64(value, characters, alignment, alphabet)
    for _ in 0..<padding { list.append(.equals) }
    list.endPattern(of: secret)
  }

  private mutating func appendBase64(
    _ value: RawSpan, _ characters: Range<Int>, _ alignment: Int, _ alphabet: StaticString
  ) {
    for character in characters {
      // The character's bits are the upper ones of two bytes; those of neighbours are zero.
      let bit = 6 * character
      let (index, shift) = (bit / 8 - alignment, bit % 8)
      let bits = UInt16(value.byteIfAny(at: index) ?? 0) << 8 | UInt16(value.byteIfAny(at: index + 1) ?? 0)
      list.append(Self.base64Digit(UInt8(truncatingIfNeeded: bits >> UInt16(10 - shift) & 0x3f), alphabet))
    }
  }

  private static func base64Digit(_ value: UInt8, _ alphabet: StaticString) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    default: unsafe alphabet.utf8Start[Int(value) - 62]
    }
  }

  /// Adds hexadecimal in both cases.
  mutating func addHexadecimal(of value: RawSpan) {
    for isUpper in [false, true] { add(value) { $0.appendHexadecimal($1, isUpper: isUpper) } }
  }

  /// Adds the encodings in which every byte is escaped: `%41` and `\x41`.
  mutating func addEscapedBytes(of value: RawSpan) {
    for isUpper in [false, true] {
      add(value) { list, byte in
        list.append("%")
        list.appendHexadecimal(byte, isUpper: isUpper)
      }
      add(value) { list, byte in
        list.append("\\x")
        list.appendHexadecimal(byte, isUpper: isUpper)
      }
    }
  }

  /// The characters besides letters and digits that encoders leave as they are.
  private static let unescaped: [(characters: StaticString, isForm: Bool)] = [
    // RFC 3986; JavaScript's encodeURIComponent; forms of HTML.
    ("-._~", false), ("-._~!*'()", false), ("*-._", true), ("-._~", true),
    // Paths; JavaScript's encodeURI; queries; JavaScript's escape; letters and digits alone.
    ("-._~/", false), ("-._~!$&'()*+,;=:@/", false), ("-._~!*'();/?:@&=+$,#", false), ("-._~!$&'()*+,;=:@/?", false),
    ("@*_+-./", false), ("-._", false), ("", false),
    // Foundation's sets for paths, users and hosts.
    ("-._~!$&'()*+,=:@/", false), ("-._~!$&'()*+,;=", false), ("-._~!$&'()*+,:;=[]", false),
  ]

  /// Adds percent encodings.
  mutating func addPercentEncodings(of value: RawSpan) {
    for (characters, isForm) in Self.unescaped {
      for isUpper in [false, true] {
        add(value) { list, byte in
          if isForm, byte == .space {
            list.append("+")
          } else if byte.isLetter || byte.isDigit || characters.contains(byte) {
            list.append(byte)
          } else {
            list.append("%")
            list.appendHexadecimal(byte, isUpper: isUpper)
          }
        }
      }
    }
  }
}

extension PatternList {
  /// Appends two digits.
  mutating func appendHexadecimal(_ byte: UInt8, isUpper: Bool) {
    appendDigit(byte >> 4, isUpper: isUpper)
    appendDigit(byte & 15, isUpper: isUpper)
  }

  /// Appends a digit of a value below 16.
  mutating func appendDigit(_ value: UInt8, isUpper: Bool) {
    append(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: isUpper ? "A" : "a") + value - 10)
  }
}

extension StaticString {
  /// Whether one of the bytes is this one.
  func contains(_ byte: UInt8) -> Bool {
    for index in 0..<utf8CodeUnitCount where unsafe utf8Start[index] == byte { return true }
    return false
  }
}
