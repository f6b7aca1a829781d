// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// HMAC with SHA-256 (RFC 2104), for keys of any length.
package enum HMACSHA256 {
  package static let byteCount = 32

  /// Appends the 32-byte code of the concatenation of two messages.
  package static func append(
    of first: RawSpan, _ second: RawSpan = RawSpan(), key: RawSpan, to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try Sodium.start()
    guard output.freeCapacity >= byteCount else { throw .bufferTooSmall }
    var state = crypto_auth_hmacsha256_state()
    unsafe key.withUnsafeBytes { key in
      // A key of no bytes is RFC 2104's key of zeros; libsodium still wants an address for it.
      let none: [UInt8] = [0]
      _ = unsafe none.withUnsafeBufferPointer { none in
        unsafe crypto_auth_hmacsha256_init(
          &state, key.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? none.baseAddress!, key.count)
      }
    }
    for index in 0..<2 {
      unsafe (index == 0 ? first : second).withUnsafeBytes { message in
        _ = unsafe crypto_auth_hmacsha256_update(
          &state, message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count))
      }
    }
    unsafe output.withUnsafeMutableBytes { buffer, count in
      _ = unsafe crypto_auth_hmacsha256_final(
        &state, (buffer.baseAddress! + count).assumingMemoryBound(to: UInt8.self))
      count += byteCount
    }
    unsafe withUnsafeMutableBytes(of: &state) { unsafe sodium_memzero($0.baseAddress!, $0.count) }
  }
}
