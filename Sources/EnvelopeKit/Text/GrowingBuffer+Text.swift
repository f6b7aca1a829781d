// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension GrowingBuffer {
  /// Appends a string of JSON, quotes included.
  package mutating func append(jsonString text: RawSpan) {
    append(.doubleQuote)
    append(jsonContent: text)
    append(.doubleQuote)
  }

  /// Appends what stands between the quotes of a string of JSON, with as few escapes as JSON allows.
  ///
  /// - Parameter text: UTF-8, which is not checked.
  package mutating func append(jsonContent text: RawSpan) {
    reserve(text.byteCount)
    var start = 0
    while start < text.byteCount {
      let end = text.endOfPlainString(from: start)
      append(text.extracting(start..<end))
      guard end < text.byteCount else { return }
      append(escapeOf: text.byte(at: end))
      start = end + 1
    }
  }

  /// Appends a string of JSON, quotes included.
  package mutating func append(jsonString text: String) {
    text.withUTF8Bytes { append(jsonString: $0) }
  }

  private mutating func append(escapeOf byte: UInt8) {
    append(.backslash)
    switch byte {
    case .doubleQuote, .backslash: append(byte)
    case .lineFeed: append(UInt8(ascii: "n"))
    case .carriageReturn: append(UInt8(ascii: "r"))
    case .tab: append(UInt8(ascii: "t"))
    default:
      append("u00")
      for digit in [byte >> 4, byte & 15] {
        append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
      }
    }
  }

  /// Appends the decimal digits of a number.
  package mutating func append(decimal number: UInt64) {
    guard number >= 10 else { return append(UInt8(ascii: "0") + UInt8(number)) }
    append(decimal: number / 10)
    append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// Appends base64url of the bytes of another buffer.
  package mutating func append(base64URL other: borrowing GrowingBuffer) {
    other.withBytes { bytes in
      append(capacity: Base64URL.encodedLength(of: bytes.byteCount)) { Base64URL.append(bytes, to: &$0) }
    }
  }
}
