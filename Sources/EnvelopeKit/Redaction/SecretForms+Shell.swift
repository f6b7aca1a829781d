// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The quotings of shells.
extension SecretForms {
  /// Adds the texts that stand for the value between quotation marks of a shell or without them.
  mutating func addShell(of value: RawSpan) {
    // 'it'\''s', and 'it'"'"'s' as in Python's shlex.
    for quote in ["'\\''", "'\"'\"'"] as [StaticString] {
      add(value) { list, byte in if byte == .singleQuote { list.append(quote) } else { list.append(byte) } }
    }
    for characters in ["\\\"$`", "\\\"$`!"] as [StaticString] {
      add(value) { $0.append(byte: $1, escapedIn: characters) }
    }
    // A backslash before each character, as in `printf %q`; # and ~ are escaped at the start alone, or everywhere.
    for characters in [
      " \t!\"$&'()*,;<>?[\\]^`{|}", " \t!\"$&'()*,;<>?[\\]^`{|}#~", " \t!\"$&'()*;<>?[\\]^`{|}",
      " \t\"$&'()*;<>?[\\`|#~=%",
    ] as [StaticString] {
      add(value) { $0.append(byte: $1, escapedIn: characters) }
      guard let first = value.byteIfAny(at: 0), first == .hash || first == UInt8(ascii: "~") else { continue }
      list.append(.backslash)
      list.append(first)
      add(value.extracting(1...)) { $0.append(byte: $1, escapedIn: characters) }
    }
    // Every character but these, letters and digits, as in Ruby's Shellwords.
    let punctuation: StaticString = "_-.,:+/@"
    add(value) { list, byte in
      if byte == .lineFeed {
        list.append("'\n'")
      } else {
        let isPlain = byte.isLetter || byte.isDigit || byte >= 0x80 || punctuation.contains(byte)
        if !isPlain { list.append(.backslash) }
        list.append(byte)
      }
    }
    addANSI(of: value)
  }

  /// Adds what stands between `$'` and `'`, with the bytes of other characters as they are, octal, or hexadecimal.
  private mutating func addANSI(of value: RawSpan) {
    for isHexadecimal in [false, true] {
      for (isASCII, quotesDouble) in [(false, false), (true, false), (true, true)] {
        for escapeName in ["E", "e"] as [StaticString] {
          add(value) { list, byte in
            switch byte {
            case .backslash, .singleQuote:
              list.append(.backslash)
              list.append(byte)
            case .doubleQuote where quotesDouble: list.append("\\\"")
            case .tab: list.append("\\t")
            case .lineFeed: list.append("\\n")
            case .carriageReturn: list.append("\\r")
            case 0x07 where !isHexadecimal: list.append("\\a")
            case 0x08 where !isHexadecimal: list.append("\\b")
            case 0x0b where !isHexadecimal: list.append("\\v")
            case 0x0c where !isHexadecimal: list.append("\\f")
            case 0x1b where !isHexadecimal:
              list.append(.backslash)
              list.append(escapeName)
            case ..<0x20, 0x7f: list.appendANSI(byte, isHexadecimal: isHexadecimal)
            case 0x80... where isASCII: list.appendANSI(byte, isHexadecimal: isHexadecimal)
            default: list.append(byte)
            }
          }
        }
      }
    }
    // A Python `repr` between double quotation marks leaves single ones as they are, and escapes no other ones.
    add(value) { list, byte in
      switch byte {
      case .backslash: list.append("\\\\")
      case 0x09: list.append("\\t")
      case 0x0a: list.append("\\n")
      case 0x0d: list.append("\\r")
      case ..<0x20, 0x7f...: list.appendANSI(byte, isHexadecimal: true)
      default: list.append(byte)
      }
    }
  }
}

extension PatternList {
  fileprivate mutating func append(byte: UInt8, escapedIn characters: StaticString) {
    if characters.contains(byte) { append(.backslash) }
    append(byte)
  }

  fileprivate mutating func appendANSI(_ byte: UInt8, isHexadecimal: Bool) {
    if isHexadecimal {
      append("\\x")
      appendHexadecimal(byte, isUpper: false)
    } else {
      append(.backslash)
      for shift in [6, 3, 0] as [UInt8] { append(UInt8(ascii: "0") + byte >> shift & 7) }
    }
  }
}
