// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Unpadded base64url (RFC 4648, section 5) for public text: fast, canonical, not in constant time.
package enum Base64URL {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: .max, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  package static func isDigit(_ byte: UInt8) -> Bool { values[Int(byte)] < 64 }

  /// How many characters stand for so many bytes.
  package static func encodedLength(of byteCount: Int) -> Int { (byteCount * 4 + 2) / 3 }

  /// The text that stands for bytes, behind a prefix.
  package static func encode(_ bytes: [UInt8], after prefix: String = "") -> String {
    unsafe String(unsafeUninitializedCapacity: prefix.utf8.count + encodedLength(of: bytes.count)) { buffer in
      let text = UnsafeMutableRawBufferPointer(buffer)
      var output = unsafe OutputRawSpan(buffer: text, initializedCount: 0)
      prefix.withUTF8Bytes { output.append($0) }
      append(bytes.span, to: &output)
      return unsafe output.finalize(for: text)
    }
  }

  private static func append(_ bytes: Span<UInt8>, to output: inout OutputRawSpan) {
    let digits = digits.span
    let (groupCount, rest) = bytes.count.quotientAndRemainder(dividingBy: 3)
    for group in 0..<groupCount {
      let (a, b, c) = (bytes[group * 3], bytes[group * 3 + 1], bytes[group * 3 + 2])
      output.append(digits[Int(a >> 2)])
      output.append(digits[Int((a << 4 | b >> 4) & 63)])
      output.append(digits[Int((b << 2 | c >> 6) & 63)])
      output.append(digits[Int(c & 63)])
    }
    guard rest > 0 else { return }
    let a = bytes[groupCount * 3]
    let b = rest == 2 ? bytes[groupCount * 3 + 1] : 0
    output.append(digits[Int(a >> 2)])
    output.append(digits[Int((a << 4 | b >> 4) & 63)])
    if rest == 2 { output.append(digits[Int(b << 2 & 63)]) }
  }

  /// The bytes that a text stands for, or nil where it is not canonical: the whole text is consumed, holds
  /// nothing outside the alphabet, and its spare bits are zero.
  package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    // The bytes of strings are contiguous; those of other collections are copied.
    text.withContiguousStorageIfAvailable { unsafe decode($0.span) } ?? decode(Array(text).span)
  }

  private static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    let (groupCount, rest) = text.count.quotientAndRemainder(dividingBy: 4)
    guard rest != 1 else { return nil }
    let values = values.span
    // Every value is below 64, and that of a character outside the alphabet is not.
    var seen: UInt8 = 0
    var spareBits: UInt8 = 0
    let bytes = [UInt8].appending(capacity: text.count * 3 / 4) { output in
      for group in 0..<groupCount {
        let (a, b, c, d) = (
          values[Int(text[group * 4])], values[Int(text[group * 4 + 1])], values[Int(text[group * 4 + 2])],
          values[Int(text[group * 4 + 3])]
        )
        seen |= a | b | c | d
        output.append(a << 2 | b >> 4)
        output.append(b << 4 | c >> 2)
        output.append(c << 6 | d)
      }
      guard rest > 0 else { return }
      let (a, b) = (values[Int(text[groupCount * 4])], values[Int(text[groupCount * 4 + 1])])
      let c = rest == 3 ? values[Int(text[groupCount * 4 + 2])] : 0
      seen |= a | b | c
      output.append(a << 2 | b >> 4)
      if rest == 3 { output.append(b << 4 | c >> 2) }
      spareBits = rest == 3 ? c << 6 : b << 4
    }
    return seen < 64 && spareBits == 0 ? bytes : nil
  }
}
