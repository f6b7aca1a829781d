// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Tells a sealed document that cannot be read from a text that only mentions one, such as a source, a page or a fixture.
///
/// A document is read as dotenv lines, or as JSON of the forms that commands take; then one of its variables is sealed.
/// A text that is neither is a damaged document if its header is where a document has it: at the beginning of a line
/// among lines of which half at least are those of a document, or in JSON that has a mistake. Text of fewer digits than a
/// tag has, or that goes on with another character, is an example, not something sealed.
enum DamagedDocument {
  /// Whether a text that is refused as a document was meant to be one.
  static func isMeant(by text: RawSpan) -> Bool {
    if let variables = try? VariablesText.read(text) {
      return variables.secrets.contains { secret in
        secret.looksSealed && secret.withBytes { $0.isSealedText(at: 0) }
      }
    }
    guard VariablesText.isJSON(text) else { return text.holdsHeaderLine && text.isMostlyVariables || text.isWideText }
    var scanner = JSONScanner(at: text.byteOrderMarkLength)
    scanner.skipBlanks(in: text)
    do throws(EnvelopeError) {
      let isFound = try scanner.skipObject(in: text)
      scanner.skipBlanks(in: text)
      return isFound || scanner.position < text.byteCount && text.holdsHeaderMember
    } catch {
      return text.holdsHeaderMember
    }
  }
}

extension JSONScanner {
  /// Passes over an object, and returns whether it has a header where a document has it.
  fileprivate mutating func skipObject(in text: RawSpan) throws(EnvelopeError) -> Bool {
    var isFound = false
    try readObject(in: text) { (scanner, name, _) throws(EnvelopeError) in
      let isObject = text.byteIfAny(at: scanner.position) == UInt8(ascii: "{")
      if name == VariableName.header || name == VariableName.sealed, text.isSealedText(at: scanner.position + 1) {
        isFound = true
      }
      if isObject, name == "Environment" || name == "Variables" {
        if try scanner.skipObject(in: text) { isFound = true }
      } else {
        try scanner.skipValue(in: text)
      }
    }
    return isFound
  }
}

extension RawSpan {
  private static let headers = [VariableName.header, VariableName.sealed].map { Array($0.utf8) }

  /// Whether at least half of the lines that are not blank are variables, comments or what git puts around a conflict.
  fileprivate var isMostlyVariables: Bool {
    var (lines, others, start) = (0, 0, byteOrderMarkLength)
    while start < byteCount {
      var offset = start
      while let byte = byteIfAny(at: offset), byte.isBlank || byte == .carriageReturn { offset += 1 }
      let first = offset
      while let byte = byteIfAny(at: offset), byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") { offset += 1 }
      // A line is a variable's if = follows its name, or a name follows export.
      let follows = byteIfAny(at: offset)
      let isVariable = offset > first && (follows == .equals || offset - first == 6 && follows == .space)
      let mark = byteIfAny(at: first) ?? .lineFeed
      if mark != .lineFeed {
        lines += 1
        if !isVariable, !Set("#<=>|".utf8).contains(mark) { others += 1 }
      }
      while let byte = byteIfAny(at: offset), byte != .lineFeed { offset += 1 }
      start = offset + 1
    }
    return others * 2 <= lines
  }

  /// Whether a line begins with a header's name, and goes on as a header does.
  var holdsHeaderLine: Bool {
    let export = Array("export ".utf8)
    return Self.headers.contains { name in
      offsets(of: name).contains { offset in
        var start = offset
        if start >= export.count, export.indices.allSatisfy({ byte(at: offset - export.count + $0) == export[$0] }) {
          start -= export.count
        }
        let isFirst = start == byteOrderMarkLength || [.lineFeed, .carriageReturn].contains(byteIfAny(at: start - 1))
        return isFirst && isHeader(after: offset + name.count, separator: .equals)
      }
    }
  }

  /// Whether a member of JSON has a header's name, and goes on as a header does.
  fileprivate var holdsHeaderMember: Bool {
    Self.headers.contains { name in
      offsets(of: name).contains { offset in
        offset > 0 && byte(at: offset - 1) == .doubleQuote && byteIfAny(at: offset + name.count) == .doubleQuote
          && isHeader(after: offset + name.count + 1, separator: UInt8(ascii: ":"))
      }
    }
  }

  /// Whether a separator follows, and the text of something sealed, with blanks around and a quote before it.
  private func isHeader(after end: Int, separator: UInt8) -> Bool {
    var offset = end
    func skipBlanks() {
      while let byte = byteIfAny(at: offset), byte.isBlank || separator != .equals && byte == .lineFeed { offset += 1 }
    }
    skipBlanks()
    guard byteIfAny(at: offset) == separator else { return false }
    offset += 1
    skipBlanks()
    if byteIfAny(at: offset) == .doubleQuote || byteIfAny(at: offset) == .singleQuote { offset += 1 }
    guard isSealedText(at: offset) else { return false }
    // JSON can spell digits with escapes.
    while let byte = byteIfAny(at: offset), Base64URL.isDigit(byte) || byte == UInt8(ascii: ":") || byte == .backslash {
      offset += 1
    }
    guard let next = byteIfAny(at: offset) else { return true }
    return next < 0x80 && !next.isLetter && next != UInt8(ascii: ".")
  }

  /// Whether a header's name is there in characters of two bytes each, as an editor may have saved it.
  var isWideText: Bool {
    guard byteCount > 1, byte(at: 0) >= 0xfe || byte(at: 0) == 0 || byte(at: 1) == 0 else { return false }
    var wide: [UInt8] = []
    for byte in VariableName.header.utf8 { wide += [byte, 0] }
    return contains(Array(wide.dropLast()))
  }
}
