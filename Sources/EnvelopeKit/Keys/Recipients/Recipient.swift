// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The public half of an identity's version: anybody can seal to it, and only who has the identity opens.
///
/// Its text is base64url after `er1:` for an X25519 public key, 70 characters in all, or after `er2:` for a post-quantum
/// one, 1,648 characters: 9 bytes of the identity's id, a 32-bit version, 32 or 1,216 bytes of public key, and 4 bytes of a
/// hash over these that tell a typing error.
public struct Recipient: Sendable, Hashable, CustomStringConvertible {
  /// The id that headers name it by: the identity's id, a dot and the version.
  public let keyID: KeyID
  package let kem: KEM
  let publicKey: [UInt8]

  static let info = Array("EnvelopeKit v1 recipient".utf8)
  private static let checkByteCount = 4
  // Identity's id and version, before the public key.
  private static let nameByteCount = 13

  init(keyID: KeyID, kem: KEM, publicKey: [UInt8]) {
    self.keyID = keyID
    self.kem = kem
    self.publicKey = publicKey
  }

  /// Whether it withstands quantum computers: what is sealed to it today cannot be opened by those of tomorrow.
  ///
  /// It takes 1,168 bytes in an envelope, an X25519 one 80, and needs libsodium 1.0.22 or newer to seal and to open.
  public var isPostQuantum: Bool { kem == .xWing }

  /// Reads the text of a recipient.
  ///
  /// - Throws: `invalidArgument` where it is none, was mistyped, or its key is invalid, has low order or is not reduced.
  public init(_ text: String) throws(EnvelopeError) {
    guard let kem = KEM.allCases.first(where: { text.utf8.starts(with: Self.prefix(of: $0).utf8) }) else {
      throw Self.mistyped(.x25519)
    }
    let end = Self.nameByteCount + kem.publicKeyByteCount
    guard let bytes = Base64URL.decode(text.utf8.dropFirst(Self.prefix(of: kem).utf8.count)),
      bytes.count == end + Self.checkByteCount, try Self.check(Array(bytes[..<end])) == Array(bytes[end...])
    else { throw Self.mistyped(kem) }
    let version = bytes[9..<Self.nameByteCount].reduce(0) { $0 << 8 | UInt32($1) }
    let publicKey = Array(bytes[Self.nameByteCount..<end])
    guard version > 0, try Self.isValid(publicKey, of: kem) else { throw Self.mistyped(kem) }
    keyID = try KeyID("\(Base64URL.encode(Array(bytes[..<9]))).\(version)")
    self.kem = kem
    self.publicKey = publicKey
  }

  /// Whether a public key can be sealed to, and by others than everybody opened.
  private static func isValid(_ publicKey: [UInt8], of kem: KEM) throws(EnvelopeError) -> Bool {
    let point = publicKey.suffix(X25519.byteCount)
    guard unsafe kem == .x25519 || XWing.isReduced(publicKey.span.bytes), isReduced(point) else { return false }
    // Any private key tells whether the public one has low order.
    let probe = [UInt8](repeating: 1, count: X25519.byteCount)
    return unsafe (try? X25519.sharedSecret(privateKey: probe.span.bytes, publicKey: Array(point).span.bytes)) != nil
  }

  /// Whether an integer of 32 bytes, the least first, is below 2²⁵⁵ − 19: a public key is, and one written otherwise
  /// would be sealed to and opened by nobody.
  private static func isReduced(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    return last < 0x7f || last == 0x7f && (first < 0xed || bytes.dropFirst().dropLast().contains { $0 < 0xff })
  }

  /// Whether a text looks like a recipient's, mistyped or not.
  package static func isNamed(by text: String) -> Bool {
    KEM.allCases.contains { text.utf8.starts(with: prefix(of: $0).utf8) }
  }

  private static func prefix(of kem: KEM) -> String { kem == .x25519 ? "er1:" : "er2:" }

  private static func mistyped(_ kem: KEM) -> EnvelopeError {
    let byteCount = nameByteCount + kem.publicKeyByteCount + checkByteCount
    return EnvelopeError(
      .invalidArgument,
      "The recipient is invalid or mistyped: it must begin with \(prefix(of: kem)) and have "
        + "\(4 + Base64URL.encodedLength(of: byteCount)) characters",
      advice: "Copy all of it from where it was created: envelope keys show NAME")
  }

  private static func check(_ bytes: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try unsafe Array(BLAKE2b.hash(32, personal: "EK recipient", message: bytes.span.bytes).prefix(checkByteCount))
  }

  /// The text, to be given to whoever shall seal.
  public var description: String {
    // A key id is always a keyset's: 12 characters, a dot and the number.
    let parts = keyID.string.split(separator: ".")
    guard parts.count == 2, var bytes = Base64URL.decode(parts[0].utf8), let version = UInt32(parts[1]) else {
      return keyID.string
    }
    bytes.append(bigEndian: version)
    bytes += publicKey
    return Base64URL.encode(bytes + ((try? Self.check(bytes)) ?? []), after: Self.prefix(of: kem))
  }

  /// Wraps a data key: encapsulated key ‖ 32 sealed bytes ‖ 16-byte tag.
  ///
  /// - Throws: `unsupportedSuite` for a post-quantum one if libsodium lacks X-Wing.
  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) throws(EnvelopeError) -> WrappedDataKey {
    let associatedData = try WrappedDataKey.associatedData(kem.scheme, keyID: keyID, context: context)
    let info = Self.info
    let capacity = DataKey.byteCount + HPKE.overheadByteCount(of: kem)
    let bytes = try [UInt8].appending(capacity: capacity) { (output) throws(EnvelopeError) in
      try dataKey.withBytes { (dataKey) throws(EnvelopeError) in
        try unsafe HPKE.seal(
          dataKey, authenticating: associatedData.span.bytes, info: info.span.bytes, to: publicKey.span.bytes, of: kem,
          into: &output)
      }
    }
    return try WrappedDataKey(scheme: kem.scheme, keyID: keyID, bytes: bytes)
  }
}
