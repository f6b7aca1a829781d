// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// SHA-256 (FIPS 180-4), for protocols that ask for it.
package enum SHA256 {
  package static let byteCount = 32

  /// The 32-byte digest of a message.
  package static func digest(of message: RawSpan) throws(EnvelopeError) -> [UInt8] {
    try Sodium.start()
    return [UInt8].appending(capacity: byteCount) { output in
      unsafe message.withUnsafeBytes { message in
        unsafe output.withUnsafeMutableBytes { buffer, count in
          _ = unsafe crypto_hash_sha256(
            buffer.baseAddress!.assumingMemoryBound(to: UInt8.self),
            message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count))
          count += byteCount
        }
      }
    }
  }
}
