// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// BLAKE2b (RFC 7693) with salt and personal string, as libsodium's `crypto_generichash_blake2b_salt_personal`.
package enum BLAKE2b {
  package static let keyByteCount = 32
  package static let saltByteCount = 16

  /// Appends a keyed hash: a key derivation or a tag.
  ///
  /// - Parameters:
  ///   - byteCount: 16 to 64.
  ///   - key: Exactly 32 bytes; libsodium would hash unkeyed for 0.
  ///   - salt: Exactly 16 bytes, or empty for sixteen zeros.
  ///   - personal: At most 16 ASCII bytes, padded with zeros.
  package static func derive(
    _ byteCount: Int, key: RawSpan, salt: RawSpan = RawSpan(), personal: StaticString, message: RawSpan = RawSpan(),
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard key.byteCount == keyByteCount else {
      throw EnvelopeError(.invalidArgument, "A key must be \(keyByteCount) bytes")
    }
    try append(byteCount, key: key, salt: salt, personal: personal, message: message, to: &output)
  }

  /// The unkeyed hash of a public message.
  package static func hash(
    _ byteCount: Int, salt: RawSpan = RawSpan(), personal: StaticString, message: RawSpan
  ) throws(EnvelopeError) -> [UInt8] {
    try checkLength(byteCount)
    return try [UInt8].appending(capacity: byteCount) { (output) throws(EnvelopeError) in
      try append(byteCount, key: RawSpan(), salt: salt, personal: personal, message: message, to: &output)
    }
  }

  private static func checkLength(_ byteCount: Int) throws(EnvelopeError) {
    guard (16...64).contains(byteCount) else {
      throw EnvelopeError(.invalidArgument, "BLAKE2b makes no hash of that length")
    }
  }

  private static func append(
    _ byteCount: Int, key: RawSpan, salt: RawSpan, personal: StaticString, message: RawSpan,
    to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    // Before it has started, libsodium promises nothing about other threads.
    try Sodium.start()
    try checkLength(byteCount)
    guard salt.byteCount == saltByteCount || salt.isEmpty, personal.isASCII, personal.utf8CodeUnitCount <= 16 else {
      throw EnvelopeError(.invalidArgument, "The salt or the personal string of a hash is too long")
    }
    guard output.freeCapacity >= byteCount else { throw .bufferTooSmall }
    unsafe withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { padded in
      unsafe padded.initializeMemory(as: UInt8.self, repeating: 0)
      unsafe padded.copyMemory(
        from: UnsafeRawBufferPointer(start: personal.utf8Start, count: personal.utf8CodeUnitCount))
      unsafe output.withUnsafeMutableBytes { buffer, count in
        unsafe key.withUnsafeBytes { k in
          unsafe salt.withUnsafeBytes { s in
            unsafe message.withUnsafeBytes { m in
              _ = unsafe crypto_generichash_blake2b_salt_personal(
                (buffer.baseAddress! + count).assumingMemoryBound(to: UInt8.self), byteCount,
                m.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(m.count),
                k.baseAddress?.assumingMemoryBound(to: UInt8.self), k.count,
                // An empty span may well have an address, behind which there are no sixteen bytes.
                s.isEmpty ? nil : s.baseAddress?.assumingMemoryBound(to: UInt8.self),
                padded.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
          }
        }
        count += byteCount
      }
    }
  }
}
