// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Where variables are written into a text that has others, comments and blank lines.
struct DotenvLayout {
  private(set) var comments: DotenvComments
  private let environment: OpenedEnvironment
  private let entries: [DotenvEntry]
  /// The names of the variables whose lines stay as they are.
  private let kept: Set<String>
  private let style: Dotenv.Style
  private let isFromWindows: Bool
  /// The new variables that begin the text.
  private let leading: [String]
  /// The new variables that follow an entry, by its index; -1 for those before the first.
  private var following: [Int: [String]] = [:]
  private let firstIndex: Int

  init(
    _ environment: OpenedEnvironment, first: [String], entries: [DotenvEntry], kept: Set<String>, style: Dotenv.Style,
    comments: DotenvComments, isFromWindows: Bool
  ) {
    self.environment = environment
    self.entries = entries
    self.kept = kept
    self.style = style
    self.comments = comments
    self.isFromWindows = isFromWindows
    let order = VariablesText.order(environment, first: first)
    let there = Set(entries.map(\.name))
    leading = order.first.filter { !there.contains($0) }
    let places = entries.indices.filter { !first.contains(entries[$0].name) }
    firstIndex = places.first ?? entries.endIndex
    let isSorted = zip(places, places.dropFirst()).allSatisfy { entries[$0].name < entries[$1].name }
    for name in order.rest where !there.contains(name) {
      let place = isSorted ? places.last { entries[$0].name < name } ?? -1 : entries.endIndex - 1
      following[place, default: []].append(name)
    }
  }

  /// The room for all that is written.
  ///
  /// - Parameter byteCount: The room that the variables take.
  func capacity(beside byteCount: Int, of model: RawSpan) -> Int {
    // Line ends that are missing, and the empty line.
    byteCount + model.byteCount + entries.count * 2 + 2
  }

  mutating func write(_ model: RawSpan, to output: inout OutputRawSpan) throws(EnvelopeError) {
    for name in leading { try append(name, to: &output) }
    if !leading.isEmpty, entries.count + following.count > 0 { output.append(UInt8.lineFeed) }
    var end = model.byteOrderMarkLength
    for (index, entry) in entries.enumerated() {
      let isFirst = index == firstIndex && following[-1] != nil
      let start = isFirst ? startOfComments(before: entry.lines.lowerBound, notBefore: end, in: model) : end
      if isFirst {
        append(model, end..<start, to: &output)
        try append(following[-1], to: &output)
      }
      append(model, start..<entry.lines.lowerBound, to: &output)
      try append(entry, of: model, to: &output)
      try append(following[index], to: &output)
      end = entry.lines.upperBound
    }
    append(model, end..<model.byteCount, to: &output)
    if firstIndex == entries.endIndex { try append(following[-1], to: &output) }
  }

  private func append(_ names: [String]?, to output: inout OutputRawSpan) throws(EnvelopeError) {
    for name in names ?? [] { try append(name, to: &output) }
  }

  private func append(_ name: String, to output: inout OutputRawSpan) throws(EnvelopeError) {
    Dotenv.append(try environment.require(name), to: &output, for: style)
  }

  private mutating func append(
    _ entry: DotenvEntry, of model: RawSpan, to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    comments.endValue()
    if kept.contains(entry.name) {
      var lines = entry.lines
      if let comment = entry.comment, !comments.keeps(model.extracting(comment)) {
        lines = lines.lowerBound..<comment.lowerBound
        while model.byte(at: lines.upperBound - 1).isBlank { lines = lines.lowerBound..<lines.upperBound - 1 }
      }
      return Self.append(model.extracting(lines), isFromWindows: isFromWindows, to: &output)
    }
    guard environment[entry.name] != nil else { return }
    if let comment = entry.comment, comments.keeps(model.extracting(comment)) {
      Self.append(model.extracting(comment), isFromWindows: isFromWindows, to: &output)
    }
    comments.endValue()
    try append(entry.name, to: &output)
  }

  /// Appends lines without variables, but for comments that are left out.
  private mutating func append(_ model: RawSpan, _ range: Range<Int>, to output: inout OutputRawSpan) {
    guard !comments.keepsNone else { return }
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start
      while end < range.upperBound, model.byte(at: end) != .lineFeed { end += 1 }
      end = min(end + 1, range.upperBound)
      let line = model.extracting(start..<end)
      let blanks = line.blankCount
      let length = line.byteIfAny(at: line.byteCount - 1) == .lineFeed ? line.byteCount - 1 : line.byteCount
      let isComment = line.byteIfAny(at: blanks) == .hash
      if !isComment { comments.endValue() }
      if !isComment || comments.keeps(line.extracting(blanks..<length)) {
        Self.append(line, isFromWindows: isFromWindows, to: &output)
      }
      start = end
    }
  }

  /// Where the comments begin that stand directly above a line.
  private func startOfComments(before line: Int, notBefore limit: Int, in model: RawSpan) -> Int {
    var start = line
    while start > limit {
      var previous = start - 1
      while previous > limit, model.byte(at: previous - 1) != .lineFeed { previous -= 1 }
      let text = model.extracting(previous..<start)
      guard text.byteIfAny(at: text.blankCount) == .hash else { break }
      start = previous
    }
    return start
  }

  /// Appends lines, each of which ends in LF then.
  ///
  /// - Parameter isFromWindows: Whether all line ends are CRLF; else those inside quotes are part of the value.
  private static func append(_ lines: RawSpan, isFromWindows: Bool, to output: inout OutputRawSpan) {
    for offset in 0..<lines.byteCount {
      let byte = lines.byte(at: offset)
      let isLast = offset + 2 >= lines.byteCount
      let isLineEnd = byte == .carriageReturn && [.lineFeed, nil].contains(lines.byteIfAny(at: offset + 1))
      if isLineEnd, isFromWindows || isLast { continue }
      output.append(byte)
    }
    if lines.byteIfAny(at: lines.byteCount - 1) != .lineFeed { output.append(UInt8.lineFeed) }
  }
}

extension RawSpan {
  /// How many blanks it begins with.
  fileprivate var blankCount: Int {
    var count = 0
    while byteIfAny(at: count)?.isBlank == true { count += 1 }
    return count
  }
}
