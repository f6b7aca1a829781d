// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Where the reading of a dotenv text has got to; every byte is looked at a fixed number of times.
struct DotenvReader {
  private var position: Int
  /// Whether every line ends in CRLF.
  let isFromWindows: Bool
  /// Whether a comment has been passed over.
  private(set) var hasComment = false
  /// The variables that have been read, in the order of the text.
  private(set) var entries: [DotenvEntry] = []
  /// What has been found out about the line that is being read.
  private var differences: DotenvDifferences = []
  private var comment: Range<Int>?

  init(_ text: RawSpan) {
    position = text.byteOrderMarkLength
    isFromWindows = Self.isEveryLineFeedAfterCarriageReturn(in: text)
  }

  private static func isEveryLineFeedAfterCarriageReturn(in text: RawSpan) -> Bool {
    var previous = UInt8.space
    for offset in 0..<text.byteCount {
      let byte = text.byte(at: offset)
      if byte == .lineFeed, previous != .carriageReturn { return false }
      previous = byte
    }
    return true
  }

  /// Reads up to the end of a line, or of the value that begins in it; false at the end of the text.
  mutating func readLine(
    of text: RawSpan, into output: inout OutputRawSpan, _ index: inout OpenedEnvironment.Index
  ) throws(EnvelopeError) -> Bool {
    let line = position
    skipBlanks(in: text)
    guard let first = text.byteIfAny(at: position) else { return false }
    if first == .lineFeed || first == .carriageReturn || first == .hash {
      try skipRestOfLine(of: text)
      return true
    }
    let start = position
    (differences, comment) = ([], nil)
    noteTab(in: text, from: line)
    let (name, isExported) = try readName(in: text)
    try readValue(of: text, isExported: isExported, into: &output)
    if ShellName.isKept(name) { differences.insert(.shell) }
    entries.append(DotenvEntry(name: name, lines: line..<position, comment: comment, differences: differences))
    do {
      try index.add(name, endingAt: output.byteCount)
    } catch {
      // The name is valid, so what is wrong is that it is there already.
      throw .line(
        at: start, in: text, "sets \(EnvelopeError.quoted(name)) a second time", advice: "Remove one of the two.",
        names: [name])
    }
    return true
  }

  private mutating func skipBlanks(in text: RawSpan) {
    while let byte = text.byteIfAny(at: position), byte.isBlank { position += 1 }
  }

  /// Takes note of a tab among blanks that were passed over, which to Node is a part of the value or of the name.
  private mutating func noteTab(in text: RawSpan, from start: Int) {
    for offset in start..<position where text.byte(at: offset) == UInt8(ascii: "\t") { differences.insert(.others) }
  }

  /// Passes over a comment, if any, and the line end.
  private mutating func skipRestOfLine(of text: RawSpan) throws(EnvelopeError) {
    let start = position
    var end = start
    defer { if start < end, text.byte(at: start) == .hash { (hasComment, comment) = (true, start..<end) } }
    while let byte = text.byteIfAny(at: position) {
      try checkOutsideQuotes(byte, in: text)
      position += 1
      if byte == .lineFeed { return }
      if byte != .carriageReturn { end = position }
    }
  }

  /// Refuses NUL bytes, and carriage returns that are no part of a line end.
  private func checkOutsideQuotes(_ byte: UInt8, in text: RawSpan) throws(EnvelopeError) {
    try checkNotNUL(byte, in: text)
    if byte == .carriageReturn, text.byteIfAny(at: position + 1) != .lineFeed {
      throw .line(
        at: position, in: text, "has a carriage return inside", advice: "End lines with LF or CRLF; quote the value.")
    }
  }

  private func checkNotNUL(_ byte: UInt8, in text: RawSpan) throws(EnvelopeError) {
    if byte == 0 {
      throw .line(
        at: position, in: text, "has a NUL byte, which no process environment can hold",
        advice: "Encode the value before it is sealed, for example as base64.")
    }
  }

  /// Reads `NAME=` with the blanks around `=`, and `export ` before it.
  private mutating func readName(in text: RawSpan) throws(EnvelopeError) -> (name: String, isExported: Bool) {
    let start = position
    var name = scanName(in: text)
    var end = position
    skipBlanks(in: text)
    let isExported = name == "export" && position > end
    if isExported {
      // Node takes one blank, which is no tab, for a part of the line's form.
      if position != end + 1 { differences.insert(.others) }
      noteTab(in: text, from: end)
      name = scanName(in: text)
      end = position
      skipBlanks(in: text)
    }
    if position > end { differences.insert(.shell) }
    // What is not a name is not shown, for it may be the second line of a secret.
    guard let name, VariableName.isValid(name), text.byteIfAny(at: position) == .equals else {
      if text.isConflictMark(at: start) { throw .mergeConflict(at: start, in: text) }
      throw .line(
        at: start, in: text, "is not of the form NAME=value",
        advice: "Name it with letters, digits and underscores, a digit not first, at most \(VariableName.byteLimit) "
          + "characters; quote a value of several lines.")
    }
    position += 1
    return (name, isExported)
  }

  /// The name that begins here, or nil where it is too long to be one.
  private mutating func scanName(in text: RawSpan) -> String? {
    var name: [UInt8] = []
    while let byte = text.byteIfAny(at: position), byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") {
      guard name.count < VariableName.byteLimit else { return nil }
      name.append(byte)
      position += 1
    }
    return String(decoding: name, as: UTF8.self)
  }

  private mutating func readValue(
    of text: RawSpan, isExported: Bool, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let start = position
    skipBlanks(in: text)
    noteTab(in: text, from: start)
    if position > start, let byte = text.byteIfAny(at: position), ![.hash, .lineFeed, .carriageReturn].contains(byte) {
      differences.insert(.shell)
    }
    switch text.byteIfAny(at: position) {
    case .singleQuote?:
      try readQuoted(.singleQuote, of: text, into: &output)
      try skipAfterQuote(in: text)
    case .doubleQuote?:
      try readQuoted(.doubleQuote, of: text, into: &output)
      try skipAfterQuote(in: text)
    case .hash? where position > start:
      differences.insert(.others)
      try skipRestOfLine(of: text)
    case .backquote?:
      throw .line(
        at: position, in: text,
        "begins a value with a backquote, in which sh runs a command and Node sees a quote",
        advice: "Put the value in single quotes.")
    default:
      try readUnquoted(of: text, isExported: isExported, into: &output)
    }
  }

  private mutating func readUnquoted(
    of text: RawSpan, isExported: Bool, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let start = position
    var end = start
    while let byte = text.byteIfAny(at: position), byte != .lineFeed {
      try checkOutsideQuotes(byte, in: text)
      if byte == .hash, position > end { break }
      position += 1
      // A carriage return here is part of the line end.
      if !byte.isBlank, byte != .carriageReturn { end = position }
    }
    noteTab(in: text, from: end)
    let value = text.extracting(start..<end)
    if value.isBlankAtAnEnd { differences.insert(.others) }
    if value.setsFurtherVariable(isExported: isExported) {
      throw .line(
        at: start, in: text, "sets more than one variable in sh, and one in other readers",
        advice: "Give each variable a line of its own; or put the value in quotes.")
    }
    differences.formUnion(DotenvDifferences(unquoted: value, isExported: isExported))
    output.append(value)
    try skipRestOfLine(of: text)
  }

  private mutating func readQuoted(
    _ quote: UInt8, of text: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let start = position
    position += 1
    while let byte = text.byteIfAny(at: position) {
      try checkNotNUL(byte, in: text)
      if byte == quote {
        position += 1
        return
      }
      if byte == .backslash, quote == .doubleQuote {
        try readEscape(in: text, into: &output)
      } else {
        note(byte, in: text, quotedBy: quote)
        let isLineEndOfWindows =
          isFromWindows && byte == .carriageReturn && text.byteIfAny(at: position + 1) == .lineFeed
        if !isLineEndOfWindows { output.append(byte) }
        position += 1
      }
    }
    throw .line(
      at: start, in: text, "opens a quote that is never closed", advice: "Close it, or quote the value with the other.")
  }

  /// Notes what readers differ about in quotes.
  private mutating func note(_ byte: UInt8, in text: RawSpan, quotedBy quote: UInt8) {
    let next = text.byteIfAny(at: position + 1)
    switch byte {
    case .carriageReturn: differences.insert(.others)
    case .delete: differences.insert(.shell)
    // To python-dotenv `\\` and `\'` are escapes in single quotes.
    case .backslash where next == .backslash || next == .singleQuote: differences.insert(.others)
    case .backquote where quote == .doubleQuote: differences.insert(.substitutes)
    case .dollar where quote == .doubleQuote && DotenvDifferences.isExpanded(after: position, in: text):
      differences.insert(.substitutes)
    default: break
    }
  }

  private mutating func readEscape(in text: RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    switch text.byteIfAny(at: position + 1) {
    case let byte? where Self.controls[byte] != nil:
      // `sh` keeps the backslash and the letter.
      differences.insert(.shell)
      output.append(Self.controls[byte] ?? byte)
    case let byte? where [.doubleQuote, .backslash, .dollar, .backquote].contains(byte):
      // Node keeps the backslash, python-dotenv that before `$` and a backquote.
      differences.insert(.others)
      output.append(byte)
    case let byte? where Self.disputed.contains(byte):
      throw .line(
        at: position, in: text, "has a backslash in double quotes before a character that readers disagree about",
        advice: "Write \\\\ for a backslash, or use single quotes.")
    default:
      // Stands for itself; what follows is read next, and a NUL or the end of the text is found there.
      output.append(UInt8.backslash)
      position += 1
      return
    }
    position += 2
  }

  private static let controls: [UInt8: UInt8] = [
    UInt8(ascii: "n"): .lineFeed, UInt8(ascii: "r"): .carriageReturn, UInt8(ascii: "t"): .tab,
  ]

  /// What python-dotenv takes for an escape and `sh` does not, or the other way round, and that is not allowed here.
  private static let disputed = Set("'abfv\r\n".utf8)

  private mutating func skipAfterQuote(in text: RawSpan) throws(EnvelopeError) {
    let start = position
    skipBlanks(in: text)
    switch text.byteIfAny(at: position) {
    case nil, .lineFeed?, .carriageReturn?: break
    case .hash? where position > start: break
    default:
      throw .line(
        at: position, in: text, "goes on after the closing quote",
        advice: "Quote the whole value, and put a blank before a comment.")
    }
    try skipRestOfLine(of: text)
  }
}
