// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// The authenticated ciphers of the format, all with 32-byte keys.
package enum AEAD: Sendable {
  /// ChaCha20-Poly1305 of RFC 8439: 12-byte nonce, 16-byte tag.
  case chaCha20Poly1305
  /// XChaCha20-Poly1305 of draft-irtf-cfrg-xchacha: 24-byte nonce, 16-byte tag.
  case xChaCha20Poly1305
  /// AEGIS-256 of draft-irtf-cfrg-aegis-aead: 32-byte nonce, 32-byte tag.
  case aegis256

  package static let keyByteCount = 32

  package var nonceByteCount: Int {
    switch self {
    case .chaCha20Poly1305: 12
    case .xChaCha20Poly1305: 24
    case .aegis256: 32
    }
  }

  package var tagByteCount: Int { self == .aegis256 ? 32 : 16 }

  /// What a sealed message is longer than its plaintext by, the nonce included.
  package var overheadByteCount: Int { nonceByteCount + tagByteCount }

  /// Whether libsodium has the cipher.
  package var isAvailable: Bool {
    self != .aegis256 || ENVELOPE_HAS_AEGIS256 != 0 && Sodium.hasWhatItsHeadersSay
  }

  /// Throws `unsupportedSuite` if libsodium lacks the cipher.
  package func checkIsAvailable() throws(EnvelopeError) {
    guard isAvailable else { throw Sodium.lacks("AEGIS-256", since: "1.0.19") }
  }

  // 2³² - 1 blocks of 64 bytes, the bound of ChaCha20; libsodium aborts the process above it.
  private static let longestMessage = (1 << 38) - 64

  /// Appends a fresh random nonce, the ciphertext and the tag.
  @inline(__always)
  package func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, key: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard plaintext.byteCount <= Self.longestMessage,
      output.freeCapacity >= plaintext.byteCount + overheadByteCount
    else { throw .bufferTooSmall }
    try checkKey(key)
    try Randomness.append(nonceByteCount, to: &output)
    unsafe output.withUnsafeMutableBytes { buffer, count in
      let end = unsafe buffer.baseAddress! + count
      unsafe encrypt(plaintext, associatedData, nonce: end - nonceByteCount, key, to: end)
      wipeLastBlock(of: plaintext.byteCount)
      count += plaintext.byteCount + tagByteCount
    }
  }

  /// Appends the ciphertext and the tag, under a nonce that the caller vouches is fresh.
  package func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, nonce: RawSpan, key: RawSpan,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard plaintext.byteCount <= Self.longestMessage,
      output.freeCapacity >= plaintext.byteCount + tagByteCount
    else { throw .bufferTooSmall }
    try checkKey(key)
    try checkNonce(nonce)
    unsafe output.withUnsafeMutableBytes { buffer, count in
      unsafe nonce.withUnsafeBytes { nonce in
        unsafe encrypt(plaintext, associatedData, nonce: nonce.baseAddress!, key, to: buffer.baseAddress! + count)
        wipeLastBlock(of: plaintext.byteCount)
      }
      count += plaintext.byteCount + tagByteCount
    }
  }

  /// Appends the plaintext of nonce ‖ ciphertext ‖ tag; appends nothing where it does not verify.
  @inline(__always)
  package func open(
    _ sealed: RawSpan, authenticating associatedData: RawSpan, key: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard sealed.byteCount >= overheadByteCount else { throw .payloadAltered }
    try openChecked(
      sealed.extracting(droppingFirst: nonceByteCount), authenticating: associatedData,
      nonce: sealed.extracting(first: nonceByteCount), key: key, into: &output)
  }

  /// Appends the plaintext of ciphertext ‖ tag; appends nothing where it does not verify.
  package func open(
    _ sealed: RawSpan, authenticating associatedData: RawSpan, nonce: RawSpan, key: RawSpan,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try checkNonce(nonce)
    try openChecked(sealed, authenticating: associatedData, nonce: nonce, key: key, into: &output)
  }

  // An empty destination has no address; libsodium wants one all the same and writes nothing to it.
  private static var nowhere: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(bitPattern: 16)! }

  private func openChecked(
    _ sealed: RawSpan, authenticating associatedData: RawSpan, nonce: RawSpan, key: RawSpan,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try checkKey(key)
    let plaintextByteCount = sealed.byteCount - tagByteCount
    guard plaintextByteCount >= 0, plaintextByteCount <= Self.longestMessage else { throw .payloadAltered }
    guard output.freeCapacity >= plaintextByteCount else { throw .bufferTooSmall }
    var status: Int32 = -1
    unsafe output.withUnsafeMutableBytes { buffer, count in
      let start = unsafe buffer.baseAddress ?? Self.nowhere
      status = unsafe decrypt(sealed, associatedData, nonce: nonce, key, to: start + count)
      if status == 0 { count += plaintextByteCount }
      wipeLastBlock(of: plaintextByteCount)
    }
    guard status == 0 else { throw .payloadAltered }
  }

  /// Overwrites the last bytes of a plaintext on the stack, where libsodium's AEGIS-256 leaves them if they fill no block.
  @inline(__always)
  private func wipeLastBlock(of byteCount: Int) {
    if self == .aegis256, byteCount % 16 != 0 { sodium_stackzero(1024) }
  }

  @inline(__always)
  private func checkKey(_ key: RawSpan) throws(EnvelopeError) {
    guard key.byteCount == Self.keyByteCount else {
      throw EnvelopeError(.invalidArgument, "A key must be \(Self.keyByteCount) bytes")
    }
  }

  private func checkNonce(_ nonce: RawSpan) throws(EnvelopeError) {
    guard nonce.byteCount == nonceByteCount else {
      throw EnvelopeError(.invalidArgument, "The nonce must be \(nonceByteCount) bytes")
    }
  }

  // The lengths and pointers below have been checked by the callers above.

  @inline(__always)
  private func encrypt(
    _ plaintext: RawSpan, _ associatedData: RawSpan, nonce: UnsafeRawPointer, _ key: RawSpan,
    to destination: UnsafeMutableRawPointer
  ) {
    unsafe plaintext.withUnsafeBytes { m in
      unsafe associatedData.withUnsafeBytes { ad in
        unsafe key.withUnsafeBytes { k in
          let (c, m0, ad0, n, k0) = unsafe (
            destination.assumingMemoryBound(to: UInt8.self), m.baseAddress?.assumingMemoryBound(to: UInt8.self),
            ad.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce.assumingMemoryBound(to: UInt8.self),
            k.baseAddress!.assumingMemoryBound(to: UInt8.self)
          )
          let (mlen, adlen) = (UInt64(m.count), UInt64(ad.count))
          let status =
            switch self {
            case .chaCha20Poly1305:
              unsafe crypto_aead_chacha20poly1305_ietf_encrypt(c, nil, m0, mlen, ad0, adlen, nil, n, k0)
            case .xChaCha20Poly1305:
              unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(c, nil, m0, mlen, ad0, adlen, nil, n, k0)
            case .aegis256:
              // The function that writes the tag apart is the one that does the work, and a short value notices the other.
              unsafe crypto_aead_aegis256_encrypt_detached(c, c + m.count, nil, m0, mlen, ad0, adlen, nil, n, k0)
            }
          // Encryption cannot fail once the lengths are within bounds and the cipher is there, which was asked before.
          precondition(status == 0)
        }
      }
    }
  }

  @inline(__always)
  private func decrypt(
    _ sealed: RawSpan, _ associatedData: RawSpan, nonce: RawSpan, _ key: RawSpan,
    to destination: UnsafeMutableRawPointer
  ) -> Int32 {
    unsafe sealed.withUnsafeBytes { c in
      unsafe associatedData.withUnsafeBytes { ad in
        unsafe nonce.withUnsafeBytes { n in
          unsafe key.withUnsafeBytes { k in
            let (m, c0, ad0, n0, k0) = unsafe (
              destination.assumingMemoryBound(to: UInt8.self), c.baseAddress!.assumingMemoryBound(to: UInt8.self),
              ad.baseAddress?.assumingMemoryBound(to: UInt8.self),
              n.baseAddress!.assumingMemoryBound(to: UInt8.self), k.baseAddress!.assumingMemoryBound(to: UInt8.self)
            )
            let (clen, adlen) = (UInt64(c.count), UInt64(ad.count))
            switch self {
            case .chaCha20Poly1305:
              return unsafe crypto_aead_chacha20poly1305_ietf_decrypt(m, nil, nil, c0, clen, ad0, adlen, n0, k0)
            case .xChaCha20Poly1305:
              return unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(m, nil, nil, c0, clen, ad0, adlen, n0, k0)
            case .aegis256:
              // There is a tag: that was checked before.
              let mlen = c.count - tagByteCount
              return unsafe crypto_aead_aegis256_decrypt_detached(
                m, nil, c0, UInt64(mlen), c0 + mlen, ad0, adlen, n0, k0)
            }
          }
        }
      }
    }
  }
}

extension EnvelopeError {
  static let payloadAltered = EnvelopeError(
    .payloadAltered, "The payload does not verify: it or its associated data was altered, or another key sealed it")
}
