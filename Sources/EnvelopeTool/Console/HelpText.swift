// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Lays out help for a width.
///
/// The argument parser wraps neither usage lines nor the lines of examples so that they can be copied. So it hands over
/// each paragraph as one line, and all are wrapped here.
enum HelpText {
  /// The least width that is laid out for: less would leave no room beside the names of options.
  static let minimumColumns = 40

  /// Wraps help in which each paragraph, option and example is one line.
  static func wrapped(_ help: String, to columns: Int) -> String {
    let columns = max(columns, minimumColumns)
    var (isExample, isAfterUsage) = (false, false)
    return help.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix(usage) {
        isAfterUsage = true
        return wrap(line, to: columns, hanging: usage.count, keepingBrackets: true)
      }
      if isAfterUsage { return wrap(line, to: columns, hanging: labelColumns) }
      if line.isEmpty || line == "EXAMPLE" || line == "EXAMPLES" { isExample = !line.isEmpty }
      guard line.hasPrefix("  ") else { return wrap(line, to: columns, hanging: 0) }
      // A shell reads on after a backslash.
      return isExample
        ? wrap(line, to: columns, hanging: 6, mark: " \\") : wrap(line, to: columns, hanging: textColumn(of: line))
    }.joined(separator: "\n")
  }

  private static let usage = "USAGE: "
  /// Where the argument parser begins the text about an option.
  private static let labelColumns = 26

  /// Where the text of a table's row begins: after the last two blanks.
  private static func textColumn(of line: Substring) -> Int {
    var (column, blanks) = (0, 0)
    for (index, character) in line.enumerated() {
      if character != " ", blanks >= 2 { column = index }
      blanks = character == " " ? blanks + 1 : 0
    }
    return column
  }

  /// - Parameters:
  ///   - hanging: How far the lines after the first are indented.
  ///   - mark: What ends each line but the last.
  private static func wrap(
    _ line: Substring, to columns: Int, hanging: Int, keepingBrackets: Bool = false, mark: String = ""
  ) -> String {
    guard line.count > columns else { return String(line) }
    let indent = String(repeating: " ", count: hanging)
    var lines: [String] = []
    // What stands before the text stays as it is, with its blanks.
    let start = line.count > hanging ? line.prefix(hanging) : ""
    var current = String(start)
    var isEmpty = true
    for word in words(of: line.dropFirst(start.count), keepingBrackets: keepingBrackets) {
      if !isEmpty, current.count + 1 + word.count + mark.count > columns {
        lines.append(current + mark)
        (current, isEmpty) = (indent, true)
      }
      current += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return (lines + [current]).joined(separator: "\n")
  }

  /// The words of a line; an option with its value in brackets is one.
  private static func words(of line: Substring, keepingBrackets: Bool) -> [String] {
    var words: [String] = []
    var isOpen = false
    for word in line.split(separator: " ") {
      if isOpen, let last = words.popLast() { words.append("\(last) \(word)") } else { words.append(String(word)) }
      let text = words.last ?? ""
      isOpen = keepingBrackets && text.count { $0 == "[" } > text.count { $0 == "]" }
    }
    return words
  }
}
