// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Where the reading of JSON has got to; the text has been found to be UTF-8.
package struct JSONScanner {
  package private(set) var position: Int
  private var depth = 0

  private static let depthLimit = 64
  /// A longer name of a member is passed over.
  static let nameByteLimit = 255

  package init(at position: Int) { self.position = position }

  package mutating func advance(by count: Int) { position += count }

  package mutating func skipBlanks(in text: RawSpan) {
    while let byte = text.byteIfAny(at: position), byte.isBlank || byte == .lineFeed || byte == .carriageReturn {
      position += 1
    }
  }

  /// Reads the object that begins here.
  ///
  /// - Parameters:
  ///   - text: The whole text.
  ///   - body: Is given each member's name, nil where it has more than 255 bytes, and the name's offset; it must read
  ///     the value.
  package mutating func readObject(
    in text: RawSpan, _ body: (inout JSONScanner, String?, Int) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    try enter(in: text)
    defer { depth -= 1 }
    guard !takeIfNext(UInt8(ascii: "}"), in: text) else { return }
    repeat {
      skipBlanks(in: text)
      let start = position
      guard text.byteIfAny(at: start) == .doubleQuote else { throw .noName(at: start, in: text) }
      let name = try readName(in: text)
      skipBlanks(in: text)
      try take(UInt8(ascii: ":"), in: text)
      skipBlanks(in: text)
      try body(&self, name, start)
    } while takeIfNext(UInt8(ascii: ","), in: text)
    try take(UInt8(ascii: "}"), in: text)
  }

  /// Passes over the value that begins here, and checks it.
  package mutating func skipValue(in text: RawSpan) throws(EnvelopeError) {
    switch text.byteIfAny(at: position) {
    case UInt8(ascii: "{")?:
      try readObject(in: text) { (scanner, _, _) throws(EnvelopeError) in try scanner.skipValue(in: text) }
    case UInt8(ascii: "[")?: try skipArray(in: text)
    case .doubleQuote?: try readString(in: text) { _ in }
    case UInt8(ascii: "t")?: try take("true", in: text)
    case UInt8(ascii: "f")?: try take("false", in: text)
    case UInt8(ascii: "n")?: try take("null", in: text)
    default: try skipNumber(in: text)
    }
  }

  private mutating func skipArray(in text: RawSpan) throws(EnvelopeError) {
    try enter(in: text)
    defer { depth -= 1 }
    guard !takeIfNext(UInt8(ascii: "]"), in: text) else { return }
    repeat {
      skipBlanks(in: text)
      try skipValue(in: text)
    } while takeIfNext(UInt8(ascii: ","), in: text)
    try take(UInt8(ascii: "]"), in: text)
  }

  private mutating func enter(in text: RawSpan) throws(EnvelopeError) {
    depth += 1
    guard depth <= Self.depthLimit else {
      throw .json(at: position, in: text, "is nested deeper than \(Self.depthLimit)")
    }
    position += 1
  }

  private mutating func skipNumber(in text: RawSpan) throws(EnvelopeError) {
    let start = position
    if text.byteIfAny(at: position) == UInt8(ascii: "-") { position += 1 }
    let hasLeadingZero = text.byteIfAny(at: position) == UInt8(ascii: "0")
    let digits = skipDigits(in: text)
    var isNumber = digits == 1 || digits > 1 && !hasLeadingZero
    if text.byteIfAny(at: position) == UInt8(ascii: ".") {
      position += 1
      isNumber = skipDigits(in: text) > 0 && isNumber
    }
    if let byte = text.byteIfAny(at: position), byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      if let sign = text.byteIfAny(at: position), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
        position += 1
      }
      isNumber = skipDigits(in: text) > 0 && isNumber
    }
    guard isNumber else { throw .json(at: start, in: text, "is not a value") }
  }

  private mutating func skipDigits(in text: RawSpan) -> Int {
    let start = position
    while let byte = text.byteIfAny(at: position), byte.isDigit { position += 1 }
    return position - start
  }

  /// Passes over blanks and then a byte, or only over blanks where another byte follows.
  private mutating func takeIfNext(_ byte: UInt8, in text: RawSpan) -> Bool {
    skipBlanks(in: text)
    guard text.byteIfAny(at: position) == byte else { return false }
    position += 1
    return true
  }

  package mutating func take(_ byte: UInt8, in text: RawSpan) throws(EnvelopeError) {
    guard text.byteIfAny(at: position) == byte else {
      throw .json(at: position, in: text, "lacks \(Self.names[byte] ?? "a sign")")
    }
    position += 1
  }

  private static let names: [UInt8: String] = [
    .doubleQuote: "a double quote", UInt8(ascii: ":"): "a colon after the name",
    UInt8(ascii: "}"): "a comma, or a brace at the end", UInt8(ascii: "]"): "a comma, or a bracket at the end",
  ]

  private mutating func take(_ word: String, in text: RawSpan) throws(EnvelopeError) {
    let start = position
    for byte in word.utf8 {
      guard text.byteIfAny(at: position) == byte else { throw .json(at: start, in: text, "is not a value") }
      position += 1
    }
  }
}

extension EnvelopeError {
  fileprivate static func noName(at offset: Int, in text: RawSpan) -> EnvelopeError {
    guard text.byteIfAny(at: offset) == UInt8(ascii: "}") else {
      return .json(
        at: offset, in: text, "has no name in double quotes where one is expected",
        advice: "Write each member as \"NAME\": \"value\", with commas between them.")
    }
    return .json(at: offset, in: text, "has a comma before the closing brace", advice: "Remove the comma.")
  }

  /// An error at a place in JSON, which it does not show.
  package static func json(
    at offset: Int, in text: RawSpan, _ failure: String, advice: String = "Correct the JSON.", names: [String] = []
  ) -> EnvelopeError {
    EnvelopeError(
      .malformed, "Line \(text.line(at: offset)) of the JSON, at byte \(offset + 1), \(failure)", advice: advice,
      names: names)
  }
}
