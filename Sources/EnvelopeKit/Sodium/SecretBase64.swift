// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// Base64 (RFC 4648) for secrets, in constant time; for public base64url there is the faster `Base64URL`.
package enum SecretBase64 {
  /// Section 5, without padding.
  case url
  /// Section 4, with padding, as key services speak it.
  case padded

  private var variant: Int32 {
    switch self {
    case .url: sodium_base64_VARIANT_URLSAFE_NO_PADDING
    case .padded: sodium_base64_VARIANT_ORIGINAL
    }
  }

  /// How many characters stand for so many bytes.
  package func encodedLength(of byteCount: Int) -> Int { sodium_base64_encoded_len(byteCount, variant) - 1 }

  /// Appends the bytes that canonical text stands for.
  ///
  /// - Throws: `malformed` for wrong padding, characters outside the alphabet, a length that no bytes have,
  ///   or spare bits that are not zero.
  package func append(decoding text: RawSpan, to output: inout OutputRawSpan) throws(EnvelopeError) {
    let expected = decodedLength(of: text)
    guard output.freeCapacity >= expected else { throw .bufferTooSmall }
    guard text.byteCount > 0 else { return }
    var isWhole = false
    unsafe text.withUnsafeBytes { text in
      unsafe output.withUnsafeMutableBytes { buffer, count in
        var written = 0
        let start = unsafe text.baseAddress!.assumingMemoryBound(to: CChar.self)
        var end: UnsafePointer<CChar>?
        // libsodium 1.0.18 computes with signed characters and takes some bytes above 0x7f for digits.
        guard unsafe text.reduce(0, |) < 0x80 else { return }
        // A text of one character stands for no bytes and needs no room; libsodium wants an address.
        guard let base = buffer.baseAddress else { return }
        let status = unsafe sodium_base642bin(
          (base + count).assumingMemoryBound(to: UInt8.self), expected, start, text.count, nil, &written, &end,
          variant)
        isWhole = unsafe status == 0 && end == start + text.count && written == expected
        if isWhole { count += written }
      }
    }
    guard isWhole else {
      throw EnvelopeError(.malformed, "The text is not \(self == .url ? "unpadded URL-safe base64" : "padded base64")")
    }
  }

  private func decodedLength(of text: RawSpan) -> Int {
    guard self == .padded else { return text.byteCount * 3 / 4 }
    let padding = unsafe text.withUnsafeBytes { unsafe $0.suffix(2).filter { $0 == UInt8(ascii: "=") }.count }
    return (text.byteCount - padding) * 3 / 4
  }

  /// Appends the text of bytes.
  package func append(encoding bytes: RawSpan, to output: inout OutputRawSpan) throws(EnvelopeError) {
    // libsodium ends the text with a NUL, for which there must be room.
    let length = sodium_base64_encoded_len(bytes.byteCount, variant)
    guard output.freeCapacity >= length else { throw .bufferTooSmall }
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe output.withUnsafeMutableBytes { buffer, count in
        _ = unsafe sodium_bin2base64(
          (buffer.baseAddress! + count).assumingMemoryBound(to: CChar.self), length,
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, variant)
        count += length - 1
      }
    }
  }
}
