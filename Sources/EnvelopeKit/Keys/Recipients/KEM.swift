// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The key encapsulation mechanisms of recipients: a public key leads to a new secret that its private key finds again.
package enum KEM: Sendable, CaseIterable {
  /// DHKEM(X25519, HKDF-SHA256) of RFC 9180.
  case x25519
  /// X-Wing, MLKEM768-X25519 of draft-ietf-hpke-pq: it withstands quantum computers, too.
  case xWing

  /// The number that HPKE has for it, big-endian.
  var id: [UInt8] { self == .x25519 ? [0x00, 0x20] : [0x64, 0x7a] }

  /// How the entries of its recipients are marked in a header.
  package var scheme: WrappingScheme { self == .x25519 ? .recipient : .postQuantumRecipient }

  package var publicKeyByteCount: Int { self == .x25519 ? X25519.byteCount : XWing.publicKeyByteCount }

  package var encapsulatedByteCount: Int { self == .x25519 ? X25519.byteCount : XWing.encapsulatedByteCount }

  /// The random bytes that one encapsulation takes.
  package var randomByteCount: Int { self == .x25519 ? X25519.byteCount : XWing.randomByteCount }

  /// The public key of a private one, which is 32 bytes.
  ///
  /// - Throws: `unsupportedSuite` for X-Wing if libsodium lacks it; `invalidArgument` if there are not 32.
  package func publicKey(of privateKey: RawSpan) throws(EnvelopeError) -> [UInt8] {
    switch self {
    case .x25519: try X25519.publicKey(of: privateKey)
    case .xWing: try XWing.publicKey(of: privateKey)
    }
  }

  /// Appends an encapsulated key, and returns the 32-byte secret that it leads to.
  ///
  /// - Parameters:
  ///   - publicKey: The recipient's.
  ///   - randomness: ``randomByteCount`` bytes that were drawn for this alone.
  ///   - output: Has room for ``encapsulatedByteCount`` bytes.
  /// - Throws: `unsupportedSuite` for X-Wing if libsodium lacks it; `invalidArgument` if a length is another, or the public
  ///   key is invalid or has low order, so that anyone would know the secret.
  package func encapsulate(
    to publicKey: RawSpan, randomness: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) -> SecretBytes {
    guard self == .x25519 else { return try XWing.encapsulate(to: publicKey, randomness: randomness, into: &output) }
    let encapsulated = try X25519.publicKey(of: randomness)
    let secret = try HPKE.sharedSecret(
      privateKey: randomness, otherKey: publicKey, encapsulated: encapsulated, recipient: publicKey)
    guard output.freeCapacity >= encapsulated.count else { throw .bufferTooSmall }
    unsafe output.append(encapsulated.span.bytes)
    return secret
  }

  /// The 32-byte secret that an encapsulated key leads to; X-Wing finds another one, and no error, if it was altered.
  ///
  /// - Throws: `unsupportedSuite` for X-Wing if libsodium lacks it; `invalidArgument` if a length is another, or an X25519
  ///   key has low order.
  package func sharedSecret(of encapsulated: RawSpan, privateKey: RawSpan) throws(EnvelopeError) -> SecretBytes {
    guard self == .x25519 else { return try XWing.sharedSecret(of: encapsulated, privateKey: privateKey) }
    let publicKey = try X25519.publicKey(of: privateKey)
    return try unsafe HPKE.sharedSecret(
      privateKey: privateKey, otherKey: encapsulated, encapsulated: [UInt8](copying: encapsulated),
      recipient: publicKey.span.bytes)
  }
}
