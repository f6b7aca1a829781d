// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Extracts the lines of a log from bytes that arrive in parts, in memory that the input does not determine.
///
/// The content decides how the bytes are read: as lines, each of which can stand behind a prefix or in a member of a JSON
/// object, or as JSON that a service exported. Nothing here is verified: what comes out is for ``RecordReader``.
struct LogInput: ~Copyable {
  /// What was found.
  enum Form: Equatable {
    /// A line, without its line feed.
    case line
    /// The beginning of a line that is longer than ``byteLimit``; the rest was passed over.
    case tooLong
    /// Exported JSON that is cut or not JSON; there are no bytes. What follows is read as lines.
    case malformed
    /// Data that gzip compressed, of which nothing is read; there are no bytes.
    case compressed
  }

  /// Something that was found, and where.
  struct Line: Equatable {
    let form: Form
    /// The number of the line or, in exported JSON, of the event; from 1.
    let number: Int
    /// Whether the number is that of an event.
    let isEvent: Bool
  }

  /// The longest line in bytes.
  static let byteLimit = RecordLine.byteLimit

  enum State {
    case undecided
    case lines
    case export
    /// Passing over the rest of a line.
    case rest
    case compressed
  }

  /// Where the bytes of the current line are.
  private enum Place {
    case buffer(Range<Int>)
    case text(Range<Int>)
  }

  var state = State.undecided
  var buffer: [UInt8] = []
  var position = 0
  var isAtEnd = false
  /// The number of lines, and of events, before the current one.
  var (lineCount, eventCount) = (0, 0)
  /// Decoded strings, and how far they have been passed on.
  var (text, textPosition) = ([UInt8](), 0)
  var textLine: Line?
  /// The beginning of a line that a container's log driver cut.
  var partial: [UInt8] = []
  var export = ExportReader()
  /// How far the buffer was searched for a line feed.
  var searched = 0
  private var place = Place.buffer(0..<0)

  init() {}

  /// Appends bytes.
  ///
  /// Call ``next()`` until it returns nil before appending more, or the buffer grows.
  mutating func append(_ bytes: RawSpan) {
    if position > 0 {
      buffer.removeSubrange(..<position)
      searched = max(0, searched - position)
      position = 0
    }
    unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
  }

  /// Ends the input: ``next()`` returns what is left.
  mutating func finish() { isAtEnd = true }

  /// The next line; nil if more bytes are needed, or at the end.
  mutating func next() -> Line? {
    while true {
      if let line = nextOfText() { return line }
      switch state {
      case .compressed: return nil
      case .undecided:
        guard decide() else { return nil }
        if state == .compressed { return Line(form: .compressed, number: 0, isEvent: false) }
      case .lines:
        guard let found = nextLine() else { return flushPartial() }
        if let line = found.line { return line }
      case .rest: guard skipRest() else { return nil }
      case .export:
        switch readExport() {
        case .needsMore: return nil
        case .event: continue
        case .malformed: return Line(form: .malformed, number: eventCount + 1, isEvent: true)
        }
      }
    }
  }

  /// Gives access to the bytes of the current line, which are valid only inside `body`.
  func withLine<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    switch place {
    case .buffer(let range): try unsafe body(buffer.span.bytes.extracting(range))
    case .text(let range): try unsafe body(text.span.bytes.extracting(range))
    }
  }

  // MARK: Decoded strings

  /// Passes a decoded string on line by line.
  mutating func pass(_ bytes: [UInt8], isWhole: Bool = true, isDocument: Bool = false, isEvent: Bool, number: Int) {
    (text, textPosition) = (bytes, 0)
    // A document is one JSON text, wherever its lines end.
    if isDocument { for index in text.indices where text[index] == .lineFeed { text[index] = .space } }
    textLine = Line(form: isWhole ? .line : .tooLong, number: number, isEvent: isEvent)
  }

  private mutating func nextOfText() -> Line? {
    guard let line = textLine else { return nil }
    let end = text[textPosition...].firstIndex(of: .lineFeed) ?? text.count
    place = .text(textPosition..<Self.end(of: text, textPosition..<end))
    textPosition = end + 1
    if textPosition >= text.count { textLine = nil }
    return line
  }

  // MARK: Lines

  /// The next line of the buffer; nil if more bytes are needed, and no line in it if it is a part that is kept.
  private mutating func nextLine() -> (line: Line?, Void)? {
    guard let end = endOfLine() else {
      // A carriage return may be the last byte.
      guard buffer.count - position > Self.byteLimit + 1 else { return nil }
      lineCount += 1
      place = .buffer(position..<position + Self.byteLimit)
      position += Self.byteLimit
      (searched, state) = (position, .rest)
      return (Line(form: .tooLong, number: lineCount, isEvent: false), ())
    }
    lineCount += 1
    let range = position..<Self.end(of: buffer, position..<end)
    position = min(end + 1, buffer.count)
    searched = position
    guard range.count <= Self.byteLimit else {
      place = .buffer(range.prefix(Self.byteLimit))
      return (Line(form: .tooLong, number: lineCount, isEvent: false), ())
    }
    let line = Line(form: .line, number: lineCount, isEvent: false)
    switch unsafe LineWrapping.find(in: buffer.span.bytes.extracting(range)) {
    case .none: place = .buffer(range)
    case .prefix(let count): place = .buffer(range.dropFirst(count))
    case .member(let bytes, let isOfContainer):
      return join(bytes, isOfContainer) ? (nil, ()) : nextOfText().map { ($0, ()) } ?? (line, ())
    }
    return (line, ())
  }

  /// Where the line that begins here ends; nil if that is not known yet.
  private mutating func endOfLine() -> Int? {
    let searched = searched
    let found = unsafe buffer.withUnsafeBufferPointer { bytes -> Int? in
      guard searched < bytes.count, let start = bytes.baseAddress else { return nil }
      guard let found = unsafe memchr(start + searched, Int32(UInt8.lineFeed), bytes.count - searched) else {
        return nil
      }
      return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }
    if let found { return found }
    self.searched = buffer.count
    return isAtEnd && position < buffer.count ? buffer.count : nil
  }

  /// The end of a line without a carriage return.
  private static func end(of bytes: [UInt8], _ range: Range<Int>) -> Int {
    !range.isEmpty && bytes[range.upperBound - 1] == .carriageReturn ? range.upperBound - 1 : range.upperBound
  }

  private mutating func skipRest() -> Bool {
    guard let end = endOfLine() else {
      position = buffer.count
      return false
    }
    position = min(end + 1, buffer.count)
    (searched, state) = (position, .lines)
    return true
  }

  // MARK: Lines that a container's log driver cut

  /// Joins what is in a container's log to the part before, and returns whether the line goes on in the next one.
  ///
  /// Such drivers cut lines after 16 KiB. A sealed line begins with a brace and ends with one, and has none in between
  /// that the parts could end with.
  private mutating func join(_ bytes: [UInt8], _ isOfContainer: Bool) -> Bool {
    let isBeginning = bytes.starts(with: Array("{\"".utf8))
    var bytes = bytes
    if !partial.isEmpty {
      // The line before is not continued, if another begins.
      bytes = isBeginning ? partial + [.lineFeed] + bytes : partial + bytes
      partial = []
    }
    let last = bytes.last { $0 != .lineFeed && $0 != .carriageReturn }
    if isOfContainer, bytes.last != .lineFeed, last != UInt8(ascii: "}"), bytes.count <= Self.byteLimit,
      bytes.count >= 8192, bytes.starts(with: Array("{\"".utf8))
    {
      partial = bytes
      return true
    }
    pass(
      bytes.count > Self.byteLimit ? Array(bytes.prefix(Self.byteLimit)) : bytes,
      isWhole: bytes.count <= Self.byteLimit, isEvent: false, number: lineCount)
    return false
  }

  private mutating func flushPartial() -> Line? {
    guard isAtEnd, position == buffer.count, !partial.isEmpty else { return nil }
    pass(partial, isEvent: false, number: lineCount)
    partial = []
    return nextOfText()
  }
}
