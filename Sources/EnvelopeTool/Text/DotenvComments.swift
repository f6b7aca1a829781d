// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Chooses the comments of a dotenv text that a sealed file may have: those in which no variable is set.
///
/// A variable that was commented out, `# TOKEN=old`, is a secret like any other, and a comment is not sealed. A comment
/// that holds a secret in other words cannot be recognized.
struct DotenvComments {
  /// Whether all comments are kept, because they stand in a sealed file already or the user says so.
  let keepsAll: Bool
  /// Whether no comments and no blank lines are kept.
  let keepsNone: Bool
  /// The names of the variables that are set in comments which are left out, as they come.
  private(set) var leftOut: [String] = []
  private(set) var keptCount = 0
  private let names: Set<String>
  /// What ends a value of several lines that is commented out.
  private var end: [UInt8]?

  static let all = DotenvComments(keepsAll: true, names: [])
  static let none = DotenvComments(keepsAll: false, keepsNone: true, names: [])

  /// - Parameter names: The variables of the text; others are recognized by their capitals.
  init(keepsAll: Bool, keepsNone: Bool = false, names: [String]) {
    self.keepsAll = keepsAll
    self.keepsNone = keepsNone
    self.names = Set(names)
  }

  /// Whether to keep a comment, which begins with `#`; called for one after the other.
  mutating func keeps(_ comment: RawSpan) -> Bool {
    if keepsNone || !keepsAll && (isPartOfValue(comment) || beginsValue(comment)) { return false }
    keptCount += 1
    return true
  }

  /// Takes note of a line that is no comment, which ends a value that is commented out.
  mutating func endValue() { end = nil }

  private mutating func isPartOfValue(_ comment: RawSpan) -> Bool {
    guard let end else { return false }
    if ends(end, in: comment, from: 0) { self.end = nil }
    return true
  }

  /// Whether a variable or a key in PEM begins in a comment.
  private mutating func beginsValue(_ comment: RawSpan) -> Bool {
    if comment.offset(of: Array("-----BEGIN".utf8), from: 0) != nil {
      end = Array("-----END".utf8)
      return true
    }
    guard let (name, value) = assignment(in: comment) else { return false }
    if !leftOut.contains(name) { leftOut.append(name) }
    if let quote = comment.byteIfAny(at: value), [.singleQuote, .doubleQuote, .backquote].contains(quote),
      !ends([quote], in: comment, from: value + 1)
    {
      end = [quote]
    } else if comment.endsInBackslash {
      end = []
    }
    return true
  }

  /// Whether a value of several lines ends in a comment: at a quote that no backslash is before, at the last line of a
  /// key in PEM, or, if nothing is its end, at a line that does not go on.
  private func ends(_ end: [UInt8], in comment: RawSpan, from start: Int) -> Bool {
    guard let quote = end.first else { return !comment.endsInBackslash }
    guard end.count == 1 else { return comment.offset(of: end, from: start) != nil }
    var offset = start
    while let byte = comment.byteIfAny(at: offset) {
      if byte == quote { return true }
      offset += byte == .backslash && quote != .singleQuote ? 2 : 1
    }
    return false
  }

  /// The first variable that is set in a comment, and where its value begins.
  private func assignment(in comment: RawSpan) -> (name: String, value: Int)? {
    var (offset, isFirst) = (0, true)
    while offset < comment.byteCount {
      let start = offset
      while let byte = comment.byteIfAny(at: offset), byte.isNamePart { offset += 1 }
      guard offset > start else {
        offset += 1
        continue
      }
      let end = offset
      while comment.byteIfAny(at: offset)?.isBlank == true { offset += 1 }
      let isAppended =
        comment.byteIfAny(at: offset) == UInt8(ascii: "+") && comment.byteIfAny(at: offset + 1) == .equals
      if isAppended { offset += 1 }
      if let sign = comment.byteIfAny(at: offset), [.equals, .colon].contains(sign),
        end - start <= VariableName.byteLimit
      {
        var value = offset + 1
        while let byte = comment.byteIfAny(at: value), byte.isBlank || byte == .carriageReturn { value += 1 }
        let name = String(decoding: [UInt8](copying: comment.extracting(start..<end)), as: UTF8.self)
        let isTight =
          isFirst && sign == .equals && offset <= end + (isAppended ? 1 : 0) && value == offset + 1
          && comment.byteIfAny(at: value) != .equals
        if value < comment.byteCount, isTight && VariableName.isValid(name) || isVariable(name, sign) {
          return (name, value)
        }
      }
      isFirst = isFirst && comment.isExport(start..<end)
    }
    return nil
  }

  /// Whether it is a variable of the text, or looks like one: before a colon, as in YAML, `NOTE` does not.
  private func isVariable(_ name: String, _ sign: UInt8) -> Bool {
    names.contains(name)
      || (sign == .equals || name.utf8.contains(UInt8(ascii: "_")))
        && name.utf8.count > 1 && VariableName.isValid(name) && name.utf8.allSatisfy { !$0.isLetter || $0 & 0x20 == 0 }
  }
}

extension RawSpan {
  /// Whether the line goes on in the next, as a shell reads it.
  fileprivate var endsInBackslash: Bool {
    var end = byteCount
    while end > 0, [.carriageReturn, .lineFeed].contains(byte(at: end - 1)) { end -= 1 }
    return end > 0 && byte(at: end - 1) == .backslash
  }

  fileprivate func isExport(_ range: Range<Int>) -> Bool {
    range.count == 6 && offset(of: Array("export".utf8), from: range.lowerBound) == range.lowerBound
  }
}
