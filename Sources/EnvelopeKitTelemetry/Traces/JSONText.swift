// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  /// JSON text under construction.
  ///
  /// Commas come by themselves, braces and brackets from the caller.
  struct JSONText {
    private(set) var bytes: [UInt8] = []

    var count: Int { bytes.count }

    mutating func append(raw text: StaticString) {
      text.withUTF8Buffer { buffer in unsafe bytes.append(contentsOf: buffer) }
    }

    mutating func append(raw text: some Sequence<UInt8>) { bytes.append(contentsOf: text) }

    /// Opens an object or array with `{` or `[`, after the comma that may be due.
    mutating func open(_ bracket: Unicode.Scalar) {
      separate()
      bytes.append(UInt8(ascii: bracket))
    }

    mutating func close(_ bracket: Unicode.Scalar) { bytes.append(UInt8(ascii: bracket)) }

    /// Appends a comma unless a value has just begun.
    mutating func separate() {
      switch bytes.last {
      case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): return
      default: bytes.append(UInt8(ascii: ","))
      }
    }

    mutating func append(name: String, limit: Int = .max) {
      append(string: name, limit: limit)
      bytes.append(UInt8(ascii: ":"))
    }

    mutating func append(boolean: Bool) {
      separate()
      bytes.append(contentsOf: (boolean ? "true" : "false").utf8)
    }

    /// Appends a number whose text is JSON already.
    mutating func append(number: String) {
      separate()
      bytes.append(contentsOf: number.utf8)
    }

    mutating func append(integer: some BinaryInteger) { append(number: integer.description) }

    /// Appends a number, or the string `NaN`, `Infinity` or `-Infinity`, which JSON has no numbers for.
    mutating func append(double: Double) {
      guard !double.isFinite else { return append(number: double.description) }
      append(string: double.isNaN ? "NaN" : double < 0 ? "-Infinity" : "Infinity")
    }

    /// Appends a point in time as seconds with at most six decimals, without an exponent.
    mutating func append(nanoseconds: UInt64) { append(number: Self.seconds(nanoseconds)) }

    static func seconds(_ nanoseconds: UInt64) -> String {
      let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
      guard rest >= 1_000 else { return seconds.description }
      let decimals = String((rest / 1_000 + 1_000_000).description.dropFirst())
      return "\(seconds)." + decimals.prefix(through: decimals.lastIndex { $0 != "0" } ?? decimals.startIndex)
    }

    /// Appends a string in quotes.
    ///
    /// Escapes quotes, backslashes and control characters, those above U+007E too, so that no terminal interprets them.
    /// Text of more than about `limit` bytes as JSON is cut, with a note of how many bytes are missing. Returns whether
    /// it is whole.
    @discardableResult
    mutating func append(string: String, limit: Int = .max) -> Bool {
      separate()
      bytes.append(.doubleQuote)
      let start = bytes.count
      var appended = 0
      var text = string
      text.makeContiguousUTF8()
      unsafe text.utf8.withContiguousStorageIfAvailable { buffer in
        var index = 0
        while index < buffer.count {
          // Bytes that need neither an escape nor a look at the limit.
          var end = index
          let safeEnd = index + min(buffer.count - index, max(0, limit - 6 - (bytes.count - start)))
          while end < safeEnd, unsafe !Self.needsEscape(buffer[end]) { end += 1 }
          if end > index {
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[index..<end]))
            index = end
            continue
          }
          let byte = unsafe buffer[index]
          // A scalar takes at most six bytes as JSON. Only where one starts can the text be cut.
          if byte & 0xc0 != 0x80, bytes.count - start > limit - 6, buffer.count - index > limit - (bytes.count - start)
          {
            break
          }
          if byte == 0xc2, index + 1 < buffer.count, unsafe buffer[index + 1] < 0xa0 {
            unsafe appendEscape(buffer[index + 1])
            index += 1
          } else {
            append(escaping: byte)
          }
          index += 1
        }
        appended = index
      }
      let cut = text.utf8.count - appended
      if cut > 0 { bytes.append(contentsOf: "… [\(cut) bytes cut]".utf8) }
      bytes.append(.doubleQuote)
      return cut == 0
    }

    /// Whether the byte has an escape, or begins a character that may have one.
    private static func needsEscape(_ byte: UInt8) -> Bool {
      byte < 0x20 || byte == .doubleQuote || byte == .backslash || byte == 0x7f || byte == 0xc2
    }

    private mutating func append(escaping byte: UInt8) {
      switch byte {
      case .doubleQuote, .backslash:
        bytes.append(.backslash)
        bytes.append(byte)
      case .lineFeed: append(raw: "\\n")
      case .carriageReturn: append(raw: "\\r")
      case .tab: append(raw: "\\t")
      case 0..<0x20, 0x7f: appendEscape(byte)
      default: bytes.append(byte)
      }
    }

    private mutating func appendEscape(_ byte: UInt8) {
      append(raw: "\\u00")
      bytes.append(contentsOf: Hexadecimal.text(of: UInt64(byte), digits: 2).utf8)
    }
  }
#endif
