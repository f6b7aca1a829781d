// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// HPKE in base mode for one message (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
package enum HPKE {
  package static let encapsulatedByteCount = X25519.byteCount
  private static let mode: UInt8 = 0
  // KEM 0x0020, KDF 0x0001, AEAD 0x0003.
  private static let kemSuite = Array("KEM".utf8) + [0x00, 0x20]
  package static let suite = Array("HPKE".utf8) + [0x00, 0x20, 0x00, 0x01, 0x00, 0x03]

  /// Appends encapsulated key ‖ ciphertext ‖ 16-byte tag.
  ///
  /// - Throws: `invalidArgument` where the public key has low order: everybody would know the secret.
  package static func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, info: RawSpan, to publicKey: RawSpan,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let ephemeral = try SecretBytes(byteCount: X25519.byteCount) { (output) throws(EnvelopeError) in
      try Randomness.append(X25519.byteCount, to: &output)
    }
    try seal(
      plaintext, authenticating: associatedData, info: info, to: publicKey, ephemeral: ephemeral, into: &output)
  }

  /// The same under an ephemeral key that the caller vouches was drawn for this message alone.
  package static func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, info: RawSpan, to publicKey: RawSpan,
    ephemeral: borrowing SecretBytes, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let encapsulated = try ephemeral.withBytes { (key) throws(EnvelopeError) in try X25519.publicKey(of: key) }
    let secret = try ephemeral.withBytes { (key) throws(EnvelopeError) in
      try sharedSecret(privateKey: key, otherKey: publicKey, encapsulated: encapsulated, recipient: publicKey)
    }
    let keys = try MessageKeys(sharedSecret: secret, info: info)
    guard output.freeCapacity >= encapsulated.count + plaintext.byteCount + AEAD.tagByteCount else {
      throw .bufferTooSmall
    }
    unsafe output.append(encapsulated.span.bytes)
    try keys.key.withBytes { (key) throws(EnvelopeError) in
      try keys.nonce.withBytes { (nonce) throws(EnvelopeError) in
        try AEAD.chaCha20Poly1305.seal(
          plaintext, authenticating: associatedData, nonce: nonce, key: key, into: &output)
      }
    }
  }

  /// Appends the plaintext of what was sealed to a private key's public half.
  ///
  /// - Throws: `payloadAltered` where it does not verify, is too short, or its encapsulated key has low order.
  package static func open(
    _ sealed: RawSpan, authenticating associatedData: RawSpan, info: RawSpan, with privateKey: RawSpan,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard sealed.byteCount >= encapsulatedByteCount + AEAD.tagByteCount else { throw .payloadAltered }
    let encapsulated = sealed.extracting(first: encapsulatedByteCount)
    let publicKey = try X25519.publicKey(of: privateKey)
    let secret: SecretBytes
    do {
      secret = try unsafe sharedSecret(
        privateKey: privateKey, otherKey: encapsulated, encapsulated: [UInt8](copying: encapsulated),
        recipient: publicKey.span.bytes)
    } catch {
      guard error.code == .invalidArgument else { throw error }
      throw .payloadAltered
    }
    let keys = try MessageKeys(sharedSecret: secret, info: info)
    try keys.key.withBytes { (key) throws(EnvelopeError) in
      try keys.nonce.withBytes { (nonce) throws(EnvelopeError) in
        try AEAD.chaCha20Poly1305.open(
          sealed.extracting(droppingFirst: encapsulatedByteCount), authenticating: associatedData, nonce: nonce,
          key: key, into: &output)
      }
    }
  }

  /// What encapsulation and decapsulation agree on (section 4.1, Encap and Decap), 32 bytes.
  package static func sharedSecret(
    privateKey: RawSpan, otherKey: RawSpan, encapsulated: [UInt8], recipient: RawSpan
  ) throws(EnvelopeError) -> SecretBytes {
    // Refuses what has low order, as section 7.1.4 demands.
    let exchanged = try X25519.sharedSecret(privateKey: privateKey, publicKey: otherKey)
    let context = encapsulated + [UInt8](copying: recipient)
    let extracted = try exchanged.withBytes { (secret) throws(EnvelopeError) in
      try labeledExtract(secret, label: "eae_prk", salt: RawSpan(), suite: kemSuite)
    }
    return try extracted.withBytes { (key) throws(EnvelopeError) in
      try labeledExpand(HMACSHA256.byteCount, from: key, label: "shared_secret", info: context, suite: kemSuite)
    }
  }

  /// The keys of one message (section 5.1), in base mode.
  package struct MessageKeys: ~Copyable {
    /// The byte 0 ‖ hash of no pre-shared key's id ‖ hash of the info.
    package let context: [UInt8]
    package let secret: SecretBytes
    package let key: SecretBytes
    /// The base nonce, which is that of the first message.
    package let nonce: SecretBytes

    package init(sharedSecret: borrowing SecretBytes, info: RawSpan) throws(EnvelopeError) {
      let idHash = try labeledExtract(RawSpan(), label: "psk_id_hash", salt: RawSpan(), suite: suite)
      let infoHash = try labeledExtract(info, label: "info_hash", salt: RawSpan(), suite: suite)
      let context = [mode] + idHash.withBytes { [UInt8](copying: $0) } + infoHash.withBytes { [UInt8](copying: $0) }
      let secret = try sharedSecret.withBytes { (shared) throws(EnvelopeError) in
        try labeledExtract(RawSpan(), label: "secret", salt: shared, suite: suite)
      }
      let key = try secret.withBytes { (secret) throws(EnvelopeError) in
        try labeledExpand(AEAD.keyByteCount, from: secret, label: "key", info: context, suite: suite)
      }
      let nonce = try secret.withBytes { (secret) throws(EnvelopeError) in
        try labeledExpand(
          AEAD.chaCha20Poly1305.nonceByteCount, from: secret, label: "base_nonce", info: context, suite: suite)
      }
      self.context = context
      self.secret = secret
      self.key = key
      self.nonce = nonce
    }
  }

  /// LabeledExtract of section 4, 32 bytes.
  package static func labeledExtract(
    _ inputKey: RawSpan, label: String, salt: RawSpan, suite: [UInt8]
  ) throws(EnvelopeError) -> SecretBytes {
    let prefix = Array("HPKE-v1".utf8) + suite + Array(label.utf8)
    let labeled = SecretBytes(byteCount: prefix.count + inputKey.byteCount) { output in
      unsafe output.append(prefix.span.bytes)
      output.append(inputKey)
    }
    return try labeled.withBytes { (labeled) throws(EnvelopeError) in
      try HKDFSHA256.extract(inputKey: labeled, salt: salt)
    }
  }

  /// LabeledExpand of section 4.
  package static func labeledExpand(
    _ byteCount: Int, from key: RawSpan, label: String, info: [UInt8], suite: [UInt8]
  ) throws(EnvelopeError) -> SecretBytes {
    var labeled: [UInt8] = []
    labeled.append(bigEndian: UInt16(byteCount))
    labeled += Array("HPKE-v1".utf8) + suite + Array(label.utf8) + info
    return try unsafe HKDFSHA256.expand(byteCount, from: key, info: labeled.span.bytes)
  }
}
