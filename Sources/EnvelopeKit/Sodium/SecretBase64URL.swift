// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// Unpadded base64url for secrets, in constant time; for public text there is the faster `Base64URL`.
package enum SecretBase64URL {
  /// Appends the bytes that canonical text stands for.
  ///
  /// - Throws: `malformed` for padding, characters outside the alphabet, a length that no bytes have,
  ///   or spare bits that are not zero.
  package static func append(decoding text: RawSpan, to output: inout OutputRawSpan) throws(EnvelopeError) {
    let expected = text.byteCount * 3 / 4
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
          sodium_base64_VARIANT_URLSAFE_NO_PADDING)
        isWhole = unsafe status == 0 && end == start + text.count && written == expected
        if isWhole { count += written }
      }
    }
    guard isWhole else { throw EnvelopeError(.malformed, "The text is not unpadded URL-safe base64") }
  }

  /// Appends the text of bytes.
  package static func append(encoding bytes: RawSpan, to output: inout OutputRawSpan) throws(EnvelopeError) {
    // libsodium ends the text with a NUL, for which there must be room.
    let length = sodium_base64_encoded_len(bytes.byteCount, sodium_base64_VARIANT_URLSAFE_NO_PADDING)
    guard output.freeCapacity >= length else { throw .bufferTooSmall }
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe output.withUnsafeMutableBytes { buffer, count in
        _ = unsafe sodium_bin2base64(
          (buffer.baseAddress! + count).assumingMemoryBound(to: CChar.self), length,
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count,
          sodium_base64_VARIANT_URLSAFE_NO_PADDING)
        count += length - 1
      }
    }
  }
}
