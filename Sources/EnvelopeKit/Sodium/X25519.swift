// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// Diffie-Hellman over Curve25519 (RFC 7748).
package enum X25519 {
  package static let byteCount = 32

  /// The 32-byte public key of a private one.
  ///
  /// - Throws: `invalidArgument` where it is not 32 bytes.
  package static func publicKey(of privateKey: RawSpan) throws(EnvelopeError) -> [UInt8] {
    try Sodium.start()
    guard privateKey.byteCount == byteCount else {
      throw EnvelopeError(.invalidArgument, "An X25519 key must be \(byteCount) bytes")
    }
    return [UInt8].appending(capacity: byteCount) { output in
      unsafe output.withUnsafeMutableBytes { buffer, count in
        unsafe privateKey.withUnsafeBytes { n in
          // It fails for no key of the right length.
          _ = unsafe crypto_scalarmult_curve25519_base(
            buffer.baseAddress!.assumingMemoryBound(to: UInt8.self), n.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
        count = byteCount
      }
    }
  }

  /// The 32-byte secret shared by a private and a public key.
  ///
  /// - Throws: `invalidArgument` where a key is not 32 bytes, or where the public key has low order:
  ///   the secret would be all zero and known to everybody.
  package static func sharedSecret(
    privateKey: RawSpan, publicKey: RawSpan
  ) throws(EnvelopeError) -> SecretBytes {
    try Sodium.start()
    guard privateKey.byteCount == byteCount, publicKey.byteCount == byteCount else {
      throw EnvelopeError(.invalidArgument, "An X25519 key must be \(byteCount) bytes")
    }
    var status: Int32 = -1
    let secret = try SecretBytes(byteCount: byteCount) { (output) throws(EnvelopeError) in
      unsafe output.withUnsafeMutableBytes { buffer, count in
        unsafe privateKey.withUnsafeBytes { n in
          unsafe publicKey.withUnsafeBytes { p in
            status = unsafe crypto_scalarmult_curve25519(
              buffer.baseAddress!.assumingMemoryBound(to: UInt8.self),
              n.baseAddress!.assumingMemoryBound(to: UInt8.self),
              p.baseAddress!.assumingMemoryBound(to: UInt8.self))
          }
        }
        count = byteCount
      }
      guard status == 0 else {
        throw EnvelopeError(.invalidArgument, "The X25519 public key has low order")
      }
    }
    return secret
  }
}
