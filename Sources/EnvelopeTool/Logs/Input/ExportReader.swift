// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Reads JSON that `aws logs` and `aws xray` write as it arrives, and keeps only the string that it stands in.
///
/// Passed on are the strings of members `message`, `@message`, `log` and `Document`, the `value` of objects whose `field`
/// is `@message`, and strings in arrays if the text is an array.
struct ExportReader {
  enum Step {
    case needsMore
    /// A string is complete; ``takeText()`` returns it.
    case event(isWhole: Bool, isDocument: Bool)
    /// A line feed follows a complete document.
    case endOfLine
    case malformed
  }

  /// What may come next.
  private enum Expected {
    case value, valueOrEnd, name, nameOrEnd, colon, commaOrEnd, end
  }

  /// What is done with a string.
  enum Use {
    case name, ignored, event, document, field, value
  }

  private struct Level {
    let isObject: Bool
    var use = Use.ignored
    /// Whether the member `field` is `@message`.
    var isMessage = false
    var hasValue = false
  }

  private static let depthLimit = 64

  private var levels: [Level] = []
  private var expected = Expected.value
  private var isRootArray = false
  private var isInString = false
  private var isInWord = false
  private var use = Use.ignored
  private var string = ExportString()
  /// The member `value` of an object whose member `field` has not come yet.
  private var value = ExportString()
  private var finished = ExportString()
  private var lineFeedCount = 0

  private var isFresh = true

  /// Whether no document is begun.
  var isBetweenDocuments: Bool { levels.isEmpty && !isInString && (expected == .end || isFresh) }

  mutating func takeLineFeedCount() -> Int {
    defer { lineFeedCount = 0 }
    return lineFeedCount
  }

  /// The string that is complete.
  mutating func takeText() -> [UInt8] { finished.take() }

  /// Reads on, and moves the position behind what was read.
  mutating func read(_ bytes: RawSpan, _ position: inout Int) -> Step {
    while position < bytes.byteCount {
      if isInString {
        guard let isClosed = string.read(bytes, &position) else { return .malformed }
        guard isClosed else { return .needsMore }
        isInString = false
        if let step = close() { return step }
        continue
      }
      let byte = bytes.byte(at: position)
      if isInWord {
        if byte.isLetter || byte.isDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
          || byte == UInt8(ascii: "+")
        {
          position += 1
          continue
        }
        isInWord = false
      }
      if byte.isBlank || byte == .carriageReturn || byte == .lineFeed {
        position += 1
        if byte == .lineFeed {
          lineFeedCount += 1
          if expected == .end { return .endOfLine }
        }
        continue
      }
      guard let step = take(byte, &position) else { continue }
      return step
    }
    return .needsMore
  }

  /// Takes a byte that is none of a string or a word.
  private mutating func take(_ byte: UInt8, _ position: inout Int) -> Step? {
    if byte < 0x80 { isFresh = false }
    switch (byte, expected) {
    case (0xef, .value), (0xbb, .value), (0xbf, .value):
      // A byte order mark before a document.
      guard levels.isEmpty else { return .malformed }
    case (.doubleQuote, .name), (.doubleQuote, .nameOrEnd): begin(.name)
    case (.doubleQuote, .value), (.doubleQuote, .valueOrEnd): begin(useOfValue)
    case (UInt8(ascii: "{"), .value), (UInt8(ascii: "["), .value), (UInt8(ascii: "{"), .valueOrEnd),
      (UInt8(ascii: "["), .valueOrEnd):
      guard levels.count < Self.depthLimit else { return .malformed }
      let isObject = byte == UInt8(ascii: "{")
      if levels.isEmpty { isRootArray = !isObject }
      levels.append(Level(isObject: isObject))
      expected = isObject ? .nameOrEnd : .valueOrEnd
    case (UInt8(ascii: "}"), .nameOrEnd), (UInt8(ascii: "}"), .commaOrEnd):
      guard levels.last?.isObject == true else { return .malformed }
      position += 1
      return leave()
    case (UInt8(ascii: "]"), .valueOrEnd), (UInt8(ascii: "]"), .commaOrEnd):
      guard levels.last?.isObject == false else { return .malformed }
      position += 1
      return leave()
    case (UInt8(ascii: ":"), .colon): expected = .value
    case (UInt8(ascii: ","), .commaOrEnd): expected = levels.last?.isObject == true ? .name : .value
    case (_, .value) where byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-"),
      (_, .valueOrEnd) where byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-"):
      isInWord = true
      afterValue()
    default: return .malformed
    }
    position += 1
    return nil
  }

  private mutating func begin(_ use: Use) {
    self.use = use
    isInString = true
    string.begin(limit: use == .ignored ? 0 : use == .name || use == .field ? 64 : LogInput.byteLimit)
  }

  private var useOfValue: Use {
    guard let level = levels.last else { return .ignored }
    guard !level.isObject else { return level.use }
    return isRootArray && levels.allSatisfy { !$0.isObject } ? .event : .ignored
  }

  private mutating func afterValue() { expected = levels.isEmpty ? .end : .commaOrEnd }

  /// Ends an object or an array.
  private mutating func leave() -> Step? {
    let level = levels.removeLast()
    afterValue()
    guard level.isMessage, level.hasValue else { return nil }
    swap(&value, &finished)
    return .event(isWhole: finished.isWhole, isDocument: false)
  }

  /// Uses the string that was closed.
  private mutating func close() -> Step? {
    guard use != .name else {
      levels[levels.count - 1].use = Self.use(ofMember: string)
      expected = .colon
      return nil
    }
    afterValue()
    switch use {
    case .name, .ignored: return nil
    case .event, .document:
      swap(&string, &finished)
      return .event(isWhole: finished.isWhole, isDocument: use == .document)
    case .field:
      levels[levels.count - 1].isMessage = string.isWhole && string.bytes.elementsEqual("@message".utf8)
    case .value:
      levels[levels.count - 1].hasValue = true
      swap(&string, &value)
    }
    return nil
  }

  private static func use(ofMember name: ExportString) -> Use {
    guard name.isWhole else { return .ignored }
    switch String(decoding: name.bytes, as: UTF8.self) {
    case "message", "@message", "log": return .event
    case "Document": return .document
    case "field": return .field
    case "value": return .value
    default: return .ignored
    }
  }
}
