// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The public half of an identity's version: anybody can seal to it, and only who has the identity opens.
///
/// Its text is `er1:` and 66 characters of base64url: 9 bytes of the identity's id, a 32-bit version, 32 bytes of an
/// X25519 public key, and 4 bytes of a hash over these that tell a typing error.
public struct Recipient: Sendable, Hashable, CustomStringConvertible {
  /// The id that headers name it by: the identity's id, a dot and the version.
  public let keyID: KeyID
  let publicKey: [UInt8]

  static let info = Array("EnvelopeKit v1 recipient".utf8)
  private static let prefix = "er1:"
  private static let checkByteCount = 4

  init(keyID: KeyID, publicKey: [UInt8]) {
    self.keyID = keyID
    self.publicKey = publicKey
  }

  /// Reads the text of a recipient.
  ///
  /// - Throws: `invalidArgument` where it is none, was mistyped, or its key has low order or is not reduced.
  public init(_ text: String) throws(EnvelopeError) {
    guard text.utf8.starts(with: Self.prefix.utf8),
      let bytes = Base64URL.decode(text.utf8.dropFirst(Self.prefix.utf8.count)), bytes.count == 49,
      try Self.check(Array(bytes[..<45])) == Array(bytes[45...])
    else { throw Self.mistyped }
    let version = bytes[9..<13].reduce(0) { $0 << 8 | UInt32($1) }
    guard version > 0, Self.isReduced(bytes[13..<45]) else { throw Self.mistyped }
    keyID = try KeyID("\(Base64URL.encode(Array(bytes[..<9]))).\(version)")
    publicKey = Array(bytes[13..<45])
    // Any private key tells whether the public one has low order.
    do {
      let probe = [UInt8](repeating: 1, count: X25519.byteCount)
      _ = try unsafe X25519.sharedSecret(privateKey: probe.span.bytes, publicKey: publicKey.span.bytes)
    } catch {
      throw Self.mistyped
    }
  }

  /// Whether an integer of 32 bytes, the least first, is below 2²⁵⁵ − 19: a public key is, and one written otherwise
  /// would be sealed to and opened by nobody.
  private static func isReduced(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    return last < 0x7f || last == 0x7f && (first < 0xed || bytes.dropFirst().dropLast().contains { $0 < 0xff })
  }

  /// Whether a text looks like a recipient's, mistyped or not.
  package static func isNamed(by text: String) -> Bool { text.utf8.starts(with: prefix.utf8) }

  private static let mistyped = EnvelopeError(
    .invalidArgument, "The recipient is invalid or mistyped: it must begin with er1: and have 70 characters",
    advice: "Copy all of it from where it was created: envelope keys show NAME")

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
    return Base64URL.encode(bytes + ((try? Self.check(bytes)) ?? []), after: Self.prefix)
  }

  /// Wraps a data key: encapsulated key ‖ 32 sealed bytes ‖ 16-byte tag.
  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) throws(EnvelopeError) -> WrappedDataKey {
    let associatedData = try WrappedDataKey.associatedData(.recipient, keyID: keyID, context: context)
    let info = Self.info
    let capacity = HPKE.encapsulatedByteCount + DataKey.byteCount + AEAD.tagByteCount
    let bytes = try [UInt8].appending(capacity: capacity) { (output) throws(EnvelopeError) in
      try dataKey.withBytes { (dataKey) throws(EnvelopeError) in
        try unsafe HPKE.seal(
          dataKey, authenticating: associatedData.span.bytes, info: info.span.bytes, to: publicKey.span.bytes,
          into: &output)
      }
    }
    return try WrappedDataKey(scheme: .recipient, keyID: keyID, bytes: bytes)
  }
}
