// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// One variable of a dotenv text, and where it stands.
struct DotenvEntry {
  let name: String
  /// Its line or lines, the line end included.
  let lines: Range<Int>
  /// The comment behind the value, from its `#` to the end of the line, if any.
  let comment: Range<Int>?
  /// How readers of dotenv files differ about it.
  let differences: DotenvDifferences
}

/// How readers of dotenv files differ about a line.
///
/// A variable without any of them has the value here that it has in `sh` (`set -a; . ./file`).
struct DotenvDifferences: OptionSet {
  let rawValue: UInt8

  /// `sh` replaces or runs a part of the value; python-dotenv and Compose may replace it, too.
  static let substitutes = DotenvDifferences(rawValue: 1)
  /// `sh` reads another value, no value, or runs a part of the line as a command.
  static let shell = DotenvDifferences(rawValue: 2)
  /// python-dotenv or Node reads another value than `sh`, whose value is taken here.
  static let others = DotenvDifferences(rawValue: 4)
}

extension DotenvDifferences {
  /// The differences about a value without quotes.
  ///
  /// - Parameter isExported: Whether `export` stands before the name: its arguments are then split and expanded further.
  init(unquoted value: RawSpan, isExported: Bool) {
    self = []
    var previous = UInt8.colon
    for offset in 0..<value.byteCount {
      let byte = value.byte(at: offset)
      switch byte {
      case .backquote: insert(.substitutes)
      case .dollar where Self.isExpanded(after: offset, in: value): insert(.substitutes)
      case .hash: insert(.others)
      case UInt8(ascii: "~") where isExported || previous == .colon: insert(.shell)
      default:
        let isSpecial = byte.isBlank || Self.isSpecial(byte) || isExported && Self.patterns.utf8.contains(byte)
        if isSpecial { insert(.shell) }
      }
      previous = byte
    }
  }

  /// What ends a word, joins commands, quotes, redirects, or is lost in bash.
  private static func isSpecial(_ byte: UInt8) -> Bool {
    switch byte {
    case .singleQuote, .doubleQuote, .backslash, .delete, UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"),
      UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "("), UInt8(ascii: ")"):
      true
    default: false
    }
  }

  /// What the arguments of `export` are expanded by.
  private static let patterns = "{}*?[]="

  /// Whether `sh` replaces a `$` by something, as the byte after it shows.
  static func isExpanded(after offset: Int, in text: RawSpan) -> Bool {
    guard let next = text.byteIfAny(at: offset + 1) else { return false }
    return next.isLetter || next.isDigit || expanded.utf8.contains(next)
  }

  private static let expanded = "_{([*@#?$!-"
}

extension RawSpan {
  /// Whether `sh` sets another variable on the line of this value, which has no quotes around it.
  ///
  /// A `;` alone is no sign of that: connection strings are full of `;NAME=value`.
  func setsFurtherVariable(isExported: Bool) -> Bool {
    for offset in 0..<byteCount {
      switch byte(at: offset) {
      case UInt8(ascii: ";"), UInt8(ascii: "&"):
        guard let word = endOfWord(after: offset), let name = endOfWord(after: word - 1) else { continue }
        if word < name, extracting(offset + 1..<word).endsInExport, byteIfAny(at: name) == .equals { return true }
      case let byte where isExported && byte.isBlank && byteIfAny(at: offset + 1)?.isBlank == false:
        if let name = endOfWord(after: offset), byteIfAny(at: name) == .equals { return true }
      default: continue
      }
    }
    return false
  }

  private var endsInExport: Bool {
    let word = Array("export".utf8)
    return byteCount >= word.count && word.indices.allSatisfy { byte(at: byteCount - word.count + $0) == word[$0] }
  }

  /// Where the name ends that follows a byte and blanks; nil if none follows.
  private func endOfWord(after offset: Int) -> Int? {
    var start = offset + 1
    while let byte = byteIfAny(at: start), byte.isBlank { start += 1 }
    var end = start
    while let byte = byteIfAny(at: end), byte.isNamePart { end += 1 }
    return end > start && !byte(at: start).isDigit ? end : nil
  }
}

extension RawSpan {
  /// Whether a value begins or ends with white space of Unicode, which python-dotenv takes off and `sh` does not.
  var isBlankAtAnEnd: Bool {
    let scalars = String(decoding: [UInt8](copying: self), as: UTF8.self).unicodeScalars
    return [scalars.first, scalars.last].contains { scalar in
      guard let scalar else { return false }
      return scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
    }
  }
}

extension UInt8 {
  static let backquote = UInt8(ascii: "`")
  /// A mark of bash's own, which it drops from some values.
  static let delete = UInt8(0x7f)
  static let colon = UInt8(ascii: ":")
  static let dollar = UInt8(ascii: "$")

  /// Whether names of variables may have it.
  var isNamePart: Bool { isLetter || isDigit || self == UInt8(ascii: "_") }
}
