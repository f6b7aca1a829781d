// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension LogInput {
  enum ExportStep {
    case needsMore
    case event
    case malformed
  }

  /// Decides by the content how to read what begins here; false if more bytes are needed.
  mutating func decide() -> Bool {
    let form = unsafe LogForm.detect(buffer.span.bytes.extracting(droppingFirst: position), isAtEnd: isAtEnd)
    switch form {
    case nil: return false
    case .lines?:
      if lineCount == 0, unsafe buffer.span.bytes.extracting(droppingFirst: position).byteOrderMarkLength > 0 {
        position += 3
      }
      (state, searched) = (.lines, position)
    case .export?: (state, export) = (.export, ExportReader())
    case .compressed?: state = .compressed
    }
    return true
  }

  /// Reads exported JSON up to the next event.
  mutating func readExport() -> ExportStep {
    // Neither may be changed while the buffer is lent out.
    var (reader, offset) = (ExportReader(), position)
    swap(&reader, &export)
    let step = unsafe reader.read(buffer.span.bytes, &offset)
    swap(&reader, &export)
    position = offset
    lineCount += export.takeLineFeedCount()
    switch step {
    case .needsMore:
      guard isAtEnd else { return .needsMore }
      (state, searched) = (.lines, position)
      // Between two documents the input may end.
      return export.isBetweenDocuments ? .needsMore : .malformed
    case .event(let isWhole, let isDocument):
      eventCount += 1
      pass(
        export.takeText(), isWhole: isWhole, isDocument: isDocument, isEvent: true, number: eventCount)
      return .event
    case .endOfLine:
      state = .undecided
      return .event
    case .malformed:
      (state, searched) = (.rest, position)
      // The rest of this line is no line of its own.
      lineCount += 1
      return .malformed
    }
  }
}

/// How bytes are read.
enum LogForm {
  case lines
  case export
  case compressed

  /// As far as the beginning must be looked at.
  private static let byteLimit = 1 << 16

  /// The first members of what `aws logs` and `aws xray` write.
  private static let names: Set<String> = [
    "events", "searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken", "queryLanguage", "results",
    "statistics", "status", "encryptionKey", "Traces", "UnprocessedTraceIds", "NextToken", "LimitExceeded",
  ]
  /// The first members of the elements of an array that was taken out of that.
  private static let elementNames: Set<String> = [
    "field", "value", "timestamp", "message", "logStreamName", "ingestionTime", "eventId", "Id", "Document", "Segments",
    "Duration",
  ]

  /// Looks at the beginning of an input; nil if more bytes are needed to decide.
  static func detect(_ bytes: RawSpan, isAtEnd: Bool) -> LogForm? {
    let undecided: LogForm? = isAtEnd || bytes.byteCount >= byteLimit ? .lines : nil
    // Two bytes of compressed data, and three of a byte order mark.
    if let first = bytes.byteIfAny(at: 0), first == 0x1f && bytes.byteCount < 2 || first == 0xef && bytes.byteCount < 3,
      undecided == nil
    {
      return nil
    }
    if bytes.byteIfAny(at: 0) == 0x1f, bytes.byteIfAny(at: 1) == 0x8b { return .compressed }
    var offset = bytes.byteOrderMarkLength
    var isSpread = false
    func skipBlanks() {
      while let byte = bytes.byteIfAny(at: offset), byte.isBlank || byte == .lineFeed || byte == .carriageReturn {
        offset += 1
        isSpread = isSpread || byte == .lineFeed
      }
    }
    skipBlanks()
    guard var first = bytes.byteIfAny(at: offset) else { return undecided }
    isSpread = false
    var depth = 0
    while first == UInt8(ascii: "["), depth < 2 {
      (offset, depth) = (offset + 1, depth + 1)
      skipBlanks()
      guard let next = bytes.byteIfAny(at: offset) else { return undecided }
      first = next
    }
    if depth > 0, first == .doubleQuote {
      // Messages alone; a sealed one begins with a brace.
      guard let next = bytes.byteIfAny(at: offset + 1) else { return undecided }
      return isSpread || next == UInt8(ascii: "{") ? .export : .lines
    }
    guard first == UInt8(ascii: "{") else { return .lines }
    offset += 1
    skipBlanks()
    guard let quote = bytes.byteIfAny(at: offset) else { return undecided }
    guard quote == .doubleQuote else { return .lines }
    let start = offset + 1
    offset = start
    while let byte = bytes.byteIfAny(at: offset), byte != .doubleQuote {
      guard byte.isLetter, offset - start < 32 else { return .lines }
      offset += 1
    }
    guard offset < bytes.byteCount else { return undecided }
    let name = String(decoding: [UInt8](copying: bytes.extracting(start..<offset)), as: UTF8.self)
    return (depth == 0 ? names : elementNames).contains(name) ? .export : .lines
  }
}
