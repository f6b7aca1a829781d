// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals and opens single values, each with a data key of its own.
///
/// An envelope is header ‖ nonce ‖ ciphertext ‖ tag (`Docs/Format.md`, section Values): with one keyset and the default
/// suite about 200 bytes more than the plaintext. Whoever sees it learns the plaintext's length and the key
/// ids, nothing else. For many values under one data key there are ``Sealer`` and ``Opener``.
public enum Envelope {
  /// Seals bytes under a new data key.
  ///
  /// - Parameters:
  ///   - plaintext: Any number of bytes.
  ///   - context: Pairs that must be given again to open.
  ///   - associatedData: Bytes that must be given again to open, such as the id of a row; may be empty.
  ///   - suite: The cipher.
  ///   - keyring: Wraps the data key.
  /// - Returns: The envelope's bytes; ``text(of:)`` makes text of them.
  /// - Throws: `unsupportedSuite`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public static func seal(
    _ plaintext: [UInt8], context: EncryptionContext, authenticating associatedData: [UInt8] = [],
    suite: AlgorithmSuite = .chaCha20Poly1305, using keyring: some Keyring
  ) async throws -> [UInt8] {
    let unlocked = try await UnlockedHeader.make(.value(suite), context: context, using: keyring)
    return try unsafe seal(plaintext.span.bytes, under: unlocked, authenticating: associatedData)
  }

  /// Seals bytes that have one owner under a new data key.
  package static func seal(
    _ plaintext: borrowing SecretBytes, for use: EnvelopeUse = .value, context: EncryptionContext,
    authenticating associatedData: [UInt8] = [], suite: AlgorithmSuite = .chaCha20Poly1305, using keyring: some Keyring
  ) async throws -> [UInt8] {
    let unlocked = try await UnlockedHeader.make(.value(suite), for: use, context: context, using: keyring)
    return try plaintext.withBytes { (plaintext) throws(EnvelopeError) in
      try seal(plaintext, under: unlocked, authenticating: associatedData)
    }
  }

  private static func seal(
    _ plaintext: RawSpan, under unlocked: borrowing UnlockedHeader, authenticating associatedData: [UInt8]
  ) throws(EnvelopeError) -> [UInt8] {
    let key = try unlocked.keys.key(.payload)
    let (header, aead) = (unlocked.header.bytes, unlocked.header.suite.aead)
    let capacity = header.count + plaintext.byteCount + aead.overheadByteCount
    return try [UInt8].appending(capacity: capacity) { (output) throws(EnvelopeError) in
      unsafe output.append(header.span.bytes)
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe aead.seal(plaintext, authenticating: associatedData.span.bytes, key: key, into: &output)
      }
    }
  }

  /// Opens an envelope.
  ///
  /// - Parameters:
  ///   - envelope: The envelope's bytes, whole.
  ///   - context: The pairs given when it was sealed.
  ///   - associatedData: The bytes given when it was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept an envelope that was opened through the entry of a recipient.
  /// - Returns: The plaintext, wiped when its owner releases it.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `contextDiffers`, `headerAltered`,
  ///   `anonymousSender`, `payloadAltered`, `invalidArgument` for a context that breaks a limit, or what the keyring
  ///   throws (`keyNotFound`, `unwrapFailed`, `keyServiceUnavailable`).
  public static func open(
    _ envelope: [UInt8], context: EncryptionContext, authenticating associatedData: [UInt8] = [],
    using keyring: some Keyring, anonymousSender sender: AnonymousSender = .refused
  ) async throws -> SecretBytes {
    try await Opener(for: envelope, context: context, using: keyring, anonymousSender: sender).open(
      envelope, authenticating: associatedData)
  }

  /// Opens an envelope that holds something of its own, a key store for example.
  package static func open(
    _ envelope: [UInt8], for use: EnvelopeUse, context: EncryptionContext, authenticating associatedData: [UInt8],
    using keyring: some Keyring, anonymousSender sender: AnonymousSender
  ) async throws -> SecretBytes {
    try await Opener(for: envelope, use: use, context: context, using: keyring, anonymousSender: sender).open(
      envelope, authenticating: associatedData)
  }

  /// The text form: `ek1:` and unpadded base64url.
  public static func text(of envelope: [UInt8]) -> String {
    Base64URL.encode(envelope, after: EnvelopeText.headerPrefix)
  }

  /// The bytes of a text form.
  ///
  /// - Throws: `malformed` where it does not begin with `ek1:` or is not canonical base64url.
  public static func bytes(ofText text: String) throws(EnvelopeError) -> [UInt8] {
    try EnvelopeText.decode(text, prefix: EnvelopeText.headerPrefix)
  }
}
