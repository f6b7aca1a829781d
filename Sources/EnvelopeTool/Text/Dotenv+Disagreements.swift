// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Dotenv {
  /// What readers of dotenv files disagree about in a text.
  struct Disagreement: Equatable {
    /// A sentence without a full stop.
    let message: String
    /// The variables that it is about, in the order of the text; empty if it is about the text.
    let names: [String]
  }

  /// What common readers take for different values in a text.
  ///
  /// A variable that is in none of these has the value that it has in `sh`.
  ///
  /// - Throws: As ``read(_:)``.
  static func disagreements(in text: RawSpan) throws(EnvelopeError) -> [Disagreement] {
    let entries = try readWithEntries(text).reader.entries
    func names(_ isIncluded: (DotenvDifferences) -> Bool) -> [String] {
      entries.filter { isIncluded($0.differences) }.map(\.name)
    }
    let substituted = names { $0.contains(.substitutes) }
    let unlikeShell = names { $0.contains(.shell) && !$0.contains(.substitutes) }
    let unlikeOthers = names { $0 == .others }
    let ofVariables = [
      Disagreement(
        message: "Taken as written, where sh, python-dotenv or Compose would put in a variable or what a command "
          + "writes: \(EnvelopeError.listed(substituted))",
        names: substituted),
      Disagreement(
        message: "Taken as python-dotenv and Node read them; sh reads other values, or runs a part of the line: "
          + EnvelopeError.listed(unlikeShell),
        names: unlikeShell),
      Disagreement(
        message: "Taken as sh reads them; python-dotenv or Node reads other values: "
          + EnvelopeError.listed(unlikeOthers),
        names: unlikeOthers),
    ]
    return disagreementsOfForm(in: text) + ofVariables.filter { !$0.names.isEmpty }
  }

  /// What is about the text: its byte order mark and its line ends.
  private static func disagreementsOfForm(in text: RawSpan) -> [Disagreement] {
    var messages: [String] = []
    if text.byteOrderMarkLength > 0 {
      messages.append(
        "The text begins with a byte order mark, which is left out; sh, Node and python-dotenv before 1.2.3 take it for a "
          + "part of the first line")
    }
    var (lines, number, lineFeeds) = ([Int](), 1, 0)
    for offset in 0..<text.byteCount where text.byte(at: offset) == .lineFeed {
      if text.byteIfAny(at: offset - 1) == .carriageReturn { lines.append(number) } else { lineFeeds += 1 }
      number += 1
    }
    if !lines.isEmpty {
      let which =
        lineFeeds == 0
        ? "The lines end in CRLF, as on Windows"
        : "Mixed line ends: \(lines.count == 1 ? "line" : "lines") \(EnvelopeError.listed(lines.map(String.init))) in CRLF, "
          + "as on Windows, the others in LF"
      messages.append("\(which); sh takes the carriage return for a part of the value")
    }
    return messages.map { Disagreement(message: $0, names: []) }
  }
}
