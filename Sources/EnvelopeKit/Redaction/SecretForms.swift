// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Writes the forms in which programs print one secret.
struct SecretForms: ~Copyable {
  /// The number of the secret in the redactor.
  let secret: Int
  /// The minimum length of a part that is masked by itself, in bytes.
  let minimumByteCount: Int
  var list: PatternList

  init(secret: Int, minimumByteCount: Int, list: consuming PatternList) {
    self.secret = secret
    self.minimumByteCount = minimumByteCount
    self.list = list
  }

  /// Ends the use of the forms.
  consuming func takeList() -> PatternList { list }

  /// Lines shorter than this are not masked by themselves: they are words of other texts too.
  static let minimumLineByteCount = 16

  /// Adds all forms of a value.
  ///
  /// If a value has white space around it, its forms without that are added as well: a value that was read from a file
  /// often ends with a line feed that is not printed. Of a value that is not UTF-8, the forms of the text that decoders
  /// turn it into are added as well.
  mutating func addAll(of value: RawSpan) {
    list.startSecret()
    addForms(of: value)
    let content = value.contentRange
    if content.count >= minimumByteCount, content.count < value.byteCount {
      addForms(of: value.extracting(content))
    }
    addLines(of: value)
  }

  private mutating func addForms(of value: RawSpan) {
    addTextForms(of: value)
    addBase64(of: value)
    addHexadecimal(of: value)
    addEscapedBytes(of: value)
    if value.firstOffsetOutsideUTF8 != nil { addRepairedForms(of: value) }
  }

  /// Adds the forms that leave letters and digits as they are.
  mutating func addTextForms(of value: RawSpan) {
    add(value) { list, byte in list.append(byte) }
    addPercentEncodings(of: value)
    addJSON(of: value)
    addShell(of: value)
    // JSON inside JSON, and inside what `debugDescription` prints, as that of an error with a response.
    var inner = SecretForms(secret: secret, minimumByteCount: minimumByteCount, list: PatternList())
    inner.addPlainJSON(of: value)
    let list = inner.takeList()
    list.withBytes { bytes in
      for pattern in list.patterns where pattern.count > value.byteCount {
        addJSON(of: bytes.extracting(pattern.start..<pattern.start + pattern.count))
      }
    }
  }

  /// Adds the forms of the text in which U+FFFD replaces what is not UTF-8.
  private mutating func addRepairedForms(of value: RawSpan) {
    let repaired = SecretBytes(byteCount: value.byteCount * 3) { output in
      var offset = 0
      while offset < value.byteCount {
        let (scalar, count) = value.scalar(at: offset)
        if scalar == nil {
          for byte in [0xef, 0xbf, 0xbd] as [UInt8] { output.append(byte) }
        } else {
          output.append(value.extracting(offset..<offset + count))
        }
        offset += count
      }
    }
    repaired.withBytes {
      addTextForms(of: $0)
      addBase64(of: $0)
      addHexadecimal(of: $0)
    }
  }

  private mutating func addLines(of value: RawSpan) {
    guard value.contains(.lineFeed) || value.contains(.carriageReturn) else { return }
    var start = 0
    for end in 0...value.byteCount {
      guard let byte = value.byteIfAny(at: end), byte != .lineFeed, byte != .carriageReturn else {
        let line = value.extracting(start..<end)
        let content = line.extracting(line.contentRange)
        // The first and last lines of PEM are the same in all files.
        if content.byteCount >= max(Self.minimumLineByteCount, minimumByteCount), !content.starts(with: "-----") {
          // The automaton stores equal patterns once as well; to compare all lines would take too long.
          list.startSecret()
          addTextForms(of: content)
        }
        start = end + 1
        continue
      }
    }
  }

  /// Adds the pattern that `write` appends for the bytes of a value.
  @inline(__always)
  mutating func add(_ value: RawSpan, _ write: (inout PatternList, UInt8) -> Void) {
    for offset in 0..<value.byteCount { write(&list, value.byte(at: offset)) }
    list.endPattern(of: secret)
  }
}

extension RawSpan {
  /// The bytes without the white space around them.
  fileprivate var contentRange: Range<Int> {
    var (start, end) = (0, byteCount)
    while start < end, byte(at: start).isWhiteSpace { start += 1 }
    while end > start, byte(at: end - 1).isWhiteSpace { end -= 1 }
    return start..<end
  }
}

extension UInt8 {
  fileprivate var isWhiteSpace: Bool { isBlank || self == .lineFeed || self == .carriageReturn }
}
