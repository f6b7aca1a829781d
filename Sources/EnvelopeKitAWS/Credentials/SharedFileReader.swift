// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// Parses the text of a file that AWS's tools share, and refuses every line that it does not understand.
  ///
  /// A line that is passed over could be the header of the next section, whose settings would then override those of
  /// the section before. botocore refuses such files, too, or reads them otherwise. The text is UTF-8; each line is
  /// one of the following:
  ///
  /// - A blank line, or a comment: its first character after blanks (spaces and tabs) is `#` or `;`.
  /// - A header `[name]`, which ends at its first `]`. Blanks and a comment may follow. `[ name ]` is refused, because
  ///   botocore takes the blanks for a part of the name, and other tools do not.
  /// - A setting `key = value` or `key: value` of the section above it. The first `=` or `:` ends the key, which is
  ///   compared without regard to case. A `#` does not end the value.
  /// - A continuation: a line that is indented deeper than the setting above it. Below a setting without a value it
  ///   must be a nested setting `key = value`, which is no setting of the section.
  ///
  /// A section or key that occurs twice is refused, and so is the section `DEFAULT`, whose settings botocore adds to
  /// every section.
  struct SharedFileReader {
    private let path: Path
    private var line = 0
    private var sections: [String: [String: SharedFile.Setting]] = [:]
    /// The section that settings belong to; nil before the first header.
    private var section: String?
    /// The setting that deeper lines continue; nil after a header.
    private var key: String?
    private var indentation = 0

    init(path: Path) { self.path = path }

    /// Parses the whole text.
    ///
    /// - Throws: `configurationInvalid`, which names the first line that is refused.
    mutating func readSections(of text: RawSpan) throws(EnvelopeError) -> [String: [String: SharedFile.Setting]] {
      if let offset = text.firstOffsetOutsideUTF8 {
        line = text.line(at: offset)
        throw failure("it is not UTF-8", advice: "Save the file as UTF-8.")
      }
      var start = text.byteOrderMarkLength
      while start < text.byteCount {
        var end = start
        while let byte = text.byteIfAny(at: end), byte != .lineFeed { end += 1 }
        line += 1
        let isFromWindows = end > start && text.byte(at: end - 1) == .carriageReturn
        try readLine(of: text, start..<(isFromWindows ? end - 1 : end))
        start = end + 1
      }
      return sections
    }

    private mutating func readLine(of text: RawSpan, _ range: Range<Int>) throws(EnvelopeError) {
      guard !range.contains(where: { text.byte(at: $0).isControlCharacter }) else {
        throw failure("it has a control character", advice: "Remove the character; end lines with LF or CRLF.")
      }
      let words = text.trimmed(range)
      guard !words.isEmpty else { return }
      let first = text.byte(at: words.lowerBound)
      guard !first.beginsComment else { return }
      let isHeader = first == UInt8(ascii: "[")
      let indentation = words.lowerBound - range.lowerBound
      if let section, let key, indentation > self.indentation {
        guard !isHeader else {
          throw failure(
            "it is indented below a setting, so it belongs to that setting's value",
            advice: "Remove the blanks before the section.")
        }
        return try readContinuation(of: text, words, of: key, in: section)
      }
      self.indentation = indentation
      if isHeader { try readHeader(of: text, words) } else { try readSetting(of: text, words) }
    }

    private mutating func readHeader(of text: RawSpan, _ words: Range<Int>) throws(EnvelopeError) {
      let end = words.first { text.byte(at: $0) == UInt8(ascii: "]") } ?? words.upperBound
      let rest = text.trimmed(min(end + 1, words.upperBound)..<words.upperBound)
      guard end < words.upperBound, rest.first.map({ text.byte(at: $0).beginsComment }) ?? true,
        let name = Self.name(text.string(in: words.lowerBound + 1..<end)),
        text.trimmed(words.lowerBound + 1..<end).count == end - words.lowerBound - 1
      else {
        throw failure(
          "it is not a section",
          advice: "Write [NAME] without blanks beside the name, and nothing after it but a comment.")
      }
      guard name != "DEFAULT" else {
        throw failure(
          "settings of [DEFAULT] belong to every section for some tools", advice: "Name the section [default].")
      }
      guard sections.updateValue([:], forKey: name) == nil else {
        throw failure(
          "the section \(EnvelopeError.quoted(name)) occurs a second time", advice: "Make one section of the two.")
      }
      (section, key) = (name, nil)
    }

    /// The name with one space after the word `profile` or the like; nil if it is empty, or if quotes and backslashes
    /// could make it another spelling of a name: tools split such names as a shell does.
    private static func name(_ text: String) -> String? {
      let parts = text.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
      guard let first = parts.first else { return nil }
      guard parts.count == 2, ["profile", "services", "sso-session"].contains(first) else { return text }
      let name = parts[1].drop { $0 == " " || $0 == "\t" }
      var inner = name
      if let quote = name.first, "\"'".contains(quote), name.count > 2, name.last == quote {
        inner = name.dropFirst().dropLast()
      }
      return inner.contains { "\"'\\".contains($0) } ? nil : "\(first) \(name)"
    }

    private mutating func readSetting(of text: RawSpan, _ words: Range<Int>) throws(EnvelopeError) {
      guard let sign = words.first(where: { text.byte(at: $0) == .equals || text.byte(at: $0) == UInt8(ascii: ":") })
      else {
        throw failure("it is no section, setting or comment", advice: "Write KEY = VALUE, or # before a comment.")
      }
      let place = text.trimmed(words.lowerBound..<sign)
      guard !place.isEmpty, place.allSatisfy({ text.byte(at: $0).isOfKey }) else {
        throw failure(
          "it does not begin with the key of a setting",
          advice: "Write KEY = VALUE; keys have ASCII characters other than blanks, quotes, brackets and signs.")
      }
      guard let section else {
        throw failure("it is a setting outside of a section", advice: "Write a section above it, such as [default].")
      }
      let key = text.string(in: place).lowercased()
      let setting = SharedFile.Setting(value: try value(in: text, sign + 1..<words.upperBound), line: line)
      guard sections[section, default: [:]].updateValue(setting, forKey: key) == nil else {
        throw failure(
          "its key occurs a second time in the section \(EnvelopeError.quoted(section))",
          advice: "Remove one of the two.")
      }
      self.key = key
    }

    private mutating func readContinuation(
      of text: RawSpan, _ words: Range<Int>, of key: String, in section: String
    ) throws(EnvelopeError) {
      sections[section]?[key]?.isContinued = true
      guard sections[section]?[key]?.value.isEmpty ?? false else { return }
      guard let sign = words.first(where: { text.byte(at: $0) == .equals }) else {
        throw failure("it is no nested setting", advice: "Write KEY = VALUE, or # before a comment.")
      }
      let name = text.string(in: text.trimmed(words.lowerBound..<sign))
      let value = try value(in: text, sign + 1..<words.upperBound)
      guard sections[section]?[key]?.nested.updateValue(value, forKey: name) == nil else {
        throw failure("its key occurs a second time below \(key)", advice: "Remove one of the two.")
      }
    }

    /// The value in a range.
    private func value(in text: RawSpan, _ range: Range<Int>) throws(EnvelopeError) -> Range<Int> {
      let value = text.trimmed(range)
      guard !text.beginsOrEndsWithOtherBlank(value) else {
        throw failure(
          "its value begins or ends with a blank that is no space",
          advice: "Remove the blank, such as a no-break space.")
      }
      return value
    }

    private func failure(_ reason: String, advice: String) -> EnvelopeError {
      .sharedFile(path, line: line, reason, advice: advice)
    }
  }

  extension RawSpan {
    /// A range without blanks at its ends.
    fileprivate func trimmed(_ range: Range<Int>) -> Range<Int> {
      var (start, end) = (range.lowerBound, range.upperBound)
      while start < end, byte(at: start).isBlank { start += 1 }
      while start < end, byte(at: end - 1).isBlank { end -= 1 }
      return start..<end
    }

    /// Whether UTF-8 begins or ends with a blank outside of ASCII, which botocore removes and other tools keep.
    fileprivate func beginsOrEndsWithOtherBlank(_ range: Range<Int>) -> Bool {
      guard let first = range.first, let last = range.last else { return false }
      var start = last
      while start > first, byte(at: start) & 0xc0 == 0x80 { start -= 1 }
      var end = first + 1
      while end < range.upperBound, byte(at: end) & 0xc0 == 0x80 { end += 1 }
      return [first..<end, start..<range.upperBound].contains { range in
        byte(at: range.lowerBound) >= 0x80
          && string(in: range).unicodeScalars.allSatisfy(\.properties.isWhitespace)
      }
    }

    fileprivate func string(in range: Range<Int>) -> String {
      String(decoding: [UInt8](copying: extracting(range)), as: UTF8.self)
    }
  }

  extension UInt8 {
    fileprivate var beginsComment: Bool { self == .hash || self == UInt8(ascii: ";") }

    fileprivate var isControlCharacter: Bool { self < 0x20 && self != .tab || self == 0x7f }

    /// Whether the key of a setting may have it.
    fileprivate var isOfKey: Bool {
      (0x21...0x7e).contains(self) && !beginsComment && ![.singleQuote, .doubleQuote].contains(self)
        && self != UInt8(ascii: "[") && self != UInt8(ascii: "]")
    }
  }
#endif
