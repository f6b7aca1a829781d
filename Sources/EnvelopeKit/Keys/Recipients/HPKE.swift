// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// HPKE in base mode for one message (RFC 9180), with HKDF-SHA256 and ChaCha20-Poly1305.
package enum HPKE {
  private static let mode: UInt8 = 0
  private static let kemSuite = Array("KEM".utf8) + KEM.x25519.id
  private static let aead = AEAD.chaCha20Poly1305

  /// The identifier of KEM, KDF (0001) and AEAD (0003).
  package static func suite(of kem: KEM) -> [UInt8] { Array("HPKE".utf8) + kem.id + [0x00, 0x01, 0x00, 0x03] }

  /// What a message is longer than its plaintext by.
  package static func overheadByteCount(of kem: KEM) -> Int { kem.encapsulatedByteCount + aead.tagByteCount }

  /// Appends encapsulated key ‖ ciphertext ‖ 16-byte tag.
  ///
  /// - Throws: What ``KEM/encapsulate(to:randomness:into:)`` throws.
  package static func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, info: RawSpan, to publicKey: RawSpan, of kem: KEM,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let randomness = try SecretBytes(byteCount: kem.randomByteCount) { (output) throws(EnvelopeError) in
      try Randomness.append(kem.randomByteCount, to: &output)
    }
    try seal(
      plaintext, authenticating: associatedData, info: info, to: publicKey, of: kem, randomness: randomness,
      into: &output)
  }

  /// The same with random bytes that the caller vouches were drawn for this message alone.
  package static func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, info: RawSpan, to publicKey: RawSpan, of kem: KEM,
    randomness: borrowing SecretBytes, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard output.freeCapacity >= plaintext.byteCount + overheadByteCount(of: kem) else { throw .bufferTooSmall }
    // What leads to the data key must not wait on the stack of a thread.
    defer { wipeStack() }
    let secret = try randomness.withBytes { (randomness) throws(EnvelopeError) in
      try kem.encapsulate(to: publicKey, randomness: randomness, into: &output)
    }
    let keys = try MessageKeys(sharedSecret: secret, info: info, kem: kem)
    try keys.key.withBytes { (key) throws(EnvelopeError) in
      try keys.nonce.withBytes { (nonce) throws(EnvelopeError) in
        try aead.seal(plaintext, authenticating: associatedData, nonce: nonce, key: key, into: &output)
      }
    }
  }

  /// Appends the plaintext of what was sealed to a private key's public half.
  ///
  /// - Throws: `payloadAltered` where it does not verify, is too short, or its encapsulated key has low order;
  ///   `unsupportedSuite` for X-Wing if libsodium lacks it.
  package static func open(
    _ sealed: RawSpan, authenticating associatedData: RawSpan, info: RawSpan, with privateKey: RawSpan, of kem: KEM,
    into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard sealed.byteCount >= overheadByteCount(of: kem) else { throw .payloadAltered }
    // A private key of another length is the caller's mistake, and an encapsulated key of low order the sender's.
    guard privateKey.byteCount == X25519.byteCount else {
      throw EnvelopeError(.invalidArgument, "A recipient's private key must be \(X25519.byteCount) bytes")
    }
    let secret: SecretBytes
    do {
      secret = try kem.sharedSecret(of: sealed.extracting(first: kem.encapsulatedByteCount), privateKey: privateKey)
    } catch {
      guard error.code == .invalidArgument else { throw error }
      throw .payloadAltered
    }
    let keys = try MessageKeys(sharedSecret: secret, info: info, kem: kem)
    try keys.key.withBytes { (key) throws(EnvelopeError) in
      try keys.nonce.withBytes { (nonce) throws(EnvelopeError) in
        try aead.open(
          sealed.extracting(droppingFirst: kem.encapsulatedByteCount), authenticating: associatedData, nonce: nonce,
          key: key, into: &output)
      }
    }
  }

  /// What encapsulation and decapsulation with X25519 agree on (section 4.1, Encap and Decap), 32 bytes.
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

    package init(sharedSecret: borrowing SecretBytes, info: RawSpan, kem: KEM) throws(EnvelopeError) {
      let suite = suite(of: kem)
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
          aead.nonceByteCount, from: secret, label: "base_nonce", info: context, suite: suite)
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
