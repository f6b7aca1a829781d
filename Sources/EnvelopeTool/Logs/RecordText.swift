// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// An opened record as a line to read: `2026-11-27T03:12:05.123Z INFO shop: message key=value`.
///
/// All text is escaped, so that it is one line and steers no terminal.
struct RecordText {
  /// What stands before a line that is not authenticated.
  ///
  /// No line of a record begins so.
  static let foreignMark = "[unauthenticated] "

  private var head: [String: String] = [:]
  private var pairs: [(name: String, value: String)] = []

  /// Reads the members of a merged record.
  init(_ members: [MergedRecord.Member], of json: RawSpan) {
    for member in members {
      let name = String(decoding: member.name, as: UTF8.self)
      let value = json.extracting(member.value)
      switch name {
      case "segment", "sequence": continue
      case "time", "level", "label", "message":
        head[name] = value.string(at: 0) ?? Self.text(of: value)
      case "metadata":
        guard let values = try? MergedRecord.members(of: value) else {
          pairs.append((name, Self.text(of: value)))
          continue
        }
        for member in values {
          pairs.append(
            (String(decoding: member.name, as: UTF8.self), Self.text(of: value.extracting(member.value))))
        }
      default: pairs.append((name, Self.text(of: value)))
      }
    }
  }

  /// The line.
  func line(_ output: RecordOutput) -> String {
    let level = head["level"].map { RecordLevel(rawValue: $0.lowercased()) }
    let name = (head["level"] ?? "-").uppercased()
    var line = Self.word(head["time"] ?? "-") + " "
    line += output.coloured(Self.word(name), Self.colour(of: level ?? nil))
    line += " \(Self.word(head["label"] ?? "-")):"
    if let message = head["message"], !message.isEmpty { line += " \(EnvelopeError.escaped(message))" }
    for (name, value) in pairs { line += " " + output.coloured(Self.word(name) + "=", 2) + value }
    return line
  }

  private static func colour(of level: RecordLevel?) -> Int {
    switch level {
    case .trace, .debug, nil: 2
    case .info: 32
    case .notice: 36
    case .warning: 33
    case .error, .critical: 31
    }
  }

  /// A value of JSON as it is shown.
  private static func text(of value: RawSpan) -> String {
    if let string = value.string(at: 0) { return word(string) }
    return EnvelopeError.escaped(String(decoding: [UInt8](copying: value), as: UTF8.self))
  }

  /// Text that is one word, or in double quotes.
  private static func word(_ text: String) -> String {
    let isBare =
      !text.isEmpty
      && text.unicodeScalars.allSatisfy { $0.isPrintable && $0 != " " && $0 != "\"" && $0 != "=" && $0 != "[" }
    guard !isBare else { return text }
    let escaped = text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    return "\"\(EnvelopeError.escaped(escaped))\""
  }

  /// A line of other origin as it is shown: marked and, on a terminal, dimmed and divided so that no part of it begins a
  /// line without a mark.
  static func foreignLines(_ line: RawSpan, _ output: RecordOutput) -> [String] {
    let text = EnvelopeError.escaped(String(decoding: [UInt8](copying: line), as: UTF8.self))
    guard output.isTerminal else { return [foreignMark + text] }
    let room = max(Console.columns - foreignMark.count, 8)
    var (lines, part, width) = ([String](), "", 0)
    for scalar in text.unicodeScalars {
      // Characters of other scripts can be two columns wide.
      let columns = scalar.isASCII ? 1 : 2
      if width + columns > room {
        lines.append(part)
        (part, width) = ("", 0)
      }
      part.unicodeScalars.append(scalar)
      width += columns
    }
    return (lines + [part]).map { output.coloured(foreignMark + $0, 2) }
  }
}
