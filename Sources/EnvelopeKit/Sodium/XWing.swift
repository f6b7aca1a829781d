// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 together, secure while either of them is.
package enum XWing {
  /// ML-KEM-768's 1,184 bytes and X25519's 32.
  package static let publicKeyByteCount = mlKEMKeyByteCount + X25519.byteCount
  /// A seed, which both private keys are derived from.
  package static let privateKeyByteCount = 32
  package static let encapsulatedByteCount = 1120
  package static let sharedSecretByteCount = 32
  /// The random bytes that one encapsulation takes.
  package static let randomByteCount = 64
  private static let mlKEMKeyByteCount = 1184

  /// Whether libsodium has it.
  package static var isAvailable: Bool { ENVELOPE_HAS_XWING != 0 && Sodium.hasWhatItsHeadersSay }

  /// Throws `unsupportedSuite` if libsodium lacks it.
  package static func checkIsAvailable() throws(EnvelopeError) {
    guard isAvailable else { throw Sodium.lacks("A post-quantum recipient", since: "1.0.22") }
  }

  /// The 1,216-byte public key of a private one.
  ///
  /// - Throws: `unsupportedSuite`; `invalidArgument` if it is not 32 bytes.
  package static func publicKey(of privateKey: RawSpan) throws(EnvelopeError) -> [UInt8] {
    try start(privateKey.byteCount == privateKeyByteCount)
    defer { wipeStack() }
    return try [UInt8].appending(capacity: publicKeyByteCount) { (output) throws(EnvelopeError) in
      // libsodium returns the seed as the private key.
      _ = try SecretBytes(byteCount: privateKeyByteCount) { (copy) throws(EnvelopeError) in
        let status = unsafe output.fill(publicKeyByteCount) { pk in
          unsafe copy.fill(privateKeyByteCount) { sk in
            unsafe privateKey.withUnsafeBytes { unsafe crypto_kem_xwing_seed_keypair(pk, sk, $0.uint8s) }
          }
        }
        try check(status)
      }
    }
  }

  /// Appends the 1,120 bytes that lead the holder of a private key to a new secret, and returns that secret, 32 bytes.
  ///
  /// - Parameters:
  ///   - publicKey: 1,216 bytes.
  ///   - randomness: 64 bytes that were drawn for this alone.
  ///   - output: Has room for 1,120 bytes.
  /// - Throws: `unsupportedSuite`; `invalidArgument` if a length is another, or the public key is invalid.
  package static func encapsulate(
    to publicKey: RawSpan, randomness: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) -> SecretBytes {
    try start(publicKey.byteCount == publicKeyByteCount && randomness.byteCount == randomByteCount)
    guard output.freeCapacity >= encapsulatedByteCount else { throw .bufferTooSmall }
    defer { wipeStack() }
    return try SecretBytes(byteCount: sharedSecretByteCount) { (secret) throws(EnvelopeError) in
      let status = unsafe output.fill(encapsulatedByteCount) { ct in
        unsafe secret.fill(sharedSecretByteCount) { ss in
          unsafe publicKey.withUnsafeBytes { pk in
            unsafe randomness.withUnsafeBytes { seed in
              unsafe crypto_kem_xwing_enc_deterministic(ct, ss, pk.uint8s, seed.uint8s)
            }
          }
        }
      }
      try check(status)
    }
  }

  /// The 32-byte secret that an encapsulation leads to; another one, and no error, if it was altered.
  ///
  /// - Throws: `unsupportedSuite`; `invalidArgument` if a length is another.
  package static func sharedSecret(
    of encapsulated: RawSpan, privateKey: RawSpan
  ) throws(EnvelopeError) -> SecretBytes {
    try start(encapsulated.byteCount == encapsulatedByteCount && privateKey.byteCount == privateKeyByteCount)
    defer { wipeStack() }
    return try SecretBytes(byteCount: sharedSecretByteCount) { (secret) throws(EnvelopeError) in
      let status = unsafe secret.fill(sharedSecretByteCount) { ss in
        unsafe encapsulated.withUnsafeBytes { ct in
          unsafe privateKey.withUnsafeBytes { sk in unsafe crypto_kem_xwing_dec(ss, ct.uint8s, sk.uint8s) }
        }
      }
      try check(status)
    }
  }

  /// Whether ML-KEM's part of a public key is one (FIPS 203, section 7.2): 768 numbers of 12 bits, each below 3,329.
  package static func isReduced(_ publicKey: RawSpan) -> Bool {
    guard publicKey.byteCount == publicKeyByteCount else { return false }
    return stride(from: 0, to: mlKEMKeyByteCount - 32, by: 3).allSatisfy { offset in
      let (low, middle, high) = (
        Int(publicKey.byte(at: offset)), Int(publicKey.byte(at: offset + 1)), Int(publicKey.byte(at: offset + 2))
      )
      return low | (middle & 15) << 8 < 3329 && middle >> 4 | high << 4 < 3329
    }
  }

  private static func start(_ isOfRightLength: Bool) throws(EnvelopeError) {
    try checkIsAvailable()
    try Sodium.start()
    guard isOfRightLength else {
      throw EnvelopeError(.invalidArgument, "An X-Wing key, encapsulation or seed has another length")
    }
  }

  private static func check(_ status: Int32) throws(EnvelopeError) {
    guard status == 0 else { throw EnvelopeError(.invalidArgument, "The X-Wing public key is invalid") }
  }
}

extension OutputRawSpan {
  /// Lets a function of libsodium write bytes behind those that are there; there must be room for them.
  @unsafe
  fileprivate mutating func fill(_ byteCount: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int32) -> Int32 {
    precondition(byteCount > 0 && byteCount <= freeCapacity)
    return unsafe withUnsafeMutableBytes { buffer, count in
      let status = unsafe body((buffer.baseAddress! + count).assumingMemoryBound(to: UInt8.self))
      count += byteCount
      return status
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var uint8s: UnsafePointer<UInt8> { unsafe baseAddress!.assumingMemoryBound(to: UInt8.self) }
}
