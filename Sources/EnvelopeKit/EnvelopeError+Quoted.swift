// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// Every message, report and log line shows text from outside through these functions: file names, words of YAML, names
// of variables, functions and keys, responses of services.
extension EnvelopeError {
  /// Quotes text from outside, so that it steers no terminal and forges no line.
  ///
  /// Characters that a terminal obeys or does not show are written as `\u{1b}`, quotes and backslashes after a backslash.
  ///
  /// At most 64 bytes of the text are shown; `…` stands for the rest.
  package static func quoted(_ text: String) -> String { quoted(text, limit: 64) }

  private static func quoted(_ text: String, limit: Int) -> String {
    var (quoted, byteCount) = ("'", 0)
    for scalar in text.unicodeScalars {
      byteCount += String(scalar).utf8.count
      guard byteCount <= limit else { return quoted + "…'" }
      quoted += scalar == "'" || scalar == "\\" ? "\\\(scalar)" : scalar.shown
    }
    return quoted + "'"
  }

  /// Shows a name from outside as it is if it is of letters, digits and `/._-+@%,:=~` alone, else quoted.
  package static func shown(_ name: String) -> String {
    let isBare = !name.isEmpty && name.unicodeScalars.allSatisfy(\.isBare)
    return isBare ? name : quoted(name, limit: 4096)
  }

  /// Joins names with commas; shows at most 20 of them, and counts the rest.
  package static func listed(_ names: [String]) -> String {
    let shown = names.prefix(20).joined(separator: ", ")
    return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
  }

  /// Escapes the characters of a line that ``quoted(_:)`` escapes, but for quotes and backslashes.
  ///
  /// What was quoted stays as it is: this is for whole lines, in case a part of one was not.
  package static func escaped(_ line: String) -> String {
    guard !line.unicodeScalars.allSatisfy(\.isPrintable) else { return line }
    return line.unicodeScalars.map(\.shown).joined()
  }
}

extension Unicode.Scalar {
  /// Whether a terminal shows the character, and neither obeys it nor shows others in another order for it: no control
  /// and format characters (among them those that turn the direction of writing), no line and paragraph separators, no
  /// blanks but the space, nothing invisible or unassigned.
  package var isPrintable: Bool {
    if isASCII { return (0x20...0x7e).contains(value) }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      return false
    default: return !properties.isDefaultIgnorableCodePoint
    }
  }

  fileprivate var shown: String { isPrintable ? String(self) : "\\u{\(String(value, radix: 16))}" }

  fileprivate var isBare: Bool {
    if isASCII {
      return properties.isAlphabetic || ("0"..."9").contains(self) || "/._-+@%,:=~".unicodeScalars.contains(self)
    }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter, .modifierLetter, .nonspacingMark,
      .spacingMark, .decimalNumber:
      return isPrintable
    default: return false
    }
  }
}
