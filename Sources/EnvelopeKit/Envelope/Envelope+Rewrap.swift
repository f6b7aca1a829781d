// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Envelope {
  /// The same values under other wrapping keys: data keys, contexts and payloads stay as they are.
  ///
  /// Values that share a header, those of one ``Sealer``, share one afterwards. Each header is unlocked and verified
  /// before anything is made of it, and nothing is dropped from it before what is new has been opened again.
  ///
  /// Whoever had a key that is dropped may have kept the data key, or a copy: seal anew what they must not read.
  ///
  /// - Parameters:
  ///   - envelopes: The envelopes' bytes, whole.
  ///   - change: What to add and what to drop.
  ///   - context: The pairs given when they were sealed.
  ///   - keyring: Unwraps the data keys.
  ///   - acceptingAnonymousSender: Whether to rewrap what was opened through a recipient's entry: it would pass for
  ///     sealed by a holder of the new keys.
  /// - Returns: The envelopes in the same order.
  /// - Throws: What ``open(_:context:authenticating:using:)`` throws, but for `payloadAltered`; `anonymousSender`;
  ///   `entryNotReadBack` where something is to be dropped and a new entry cannot be opened by the keyring that made it;
  ///   `invalidArgument` where no key, or more than 16, would remain.
  public static func rewrap(
    _ envelopes: [[UInt8]], _ change: Rewrapping, context: EncryptionContext, using keyring: some Keyring,
    acceptingAnonymousSender: Bool = false
  ) async throws -> [[UInt8]] {
    var headers: [[UInt8]: [UInt8]] = [:]
    var rewrapped: [[UInt8]] = []
    for envelope in envelopes {
      var reader = ByteReader(envelope)
      let header = try Header(from: &reader, expecting: .value)
      guard reader.remainingByteCount >= AEAD.xChaCha20Poly1305.overheadByteCount else {
        throw EnvelopeError.truncated
      }
      let before = reader.consumed
      let after: [UInt8]
      if let known = headers[before] {
        after = known
      } else {
        let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring)
        try unlocked.source.checkSender(
          acceptingAnonymous: acceptingAnonymousSender, advice: "Accept an anonymous sender, if you know who it was.")
        after = try await unlocked.rewrapped(change, context: context, using: keyring).bytes
        headers[before] = after
      }
      rewrapped.append(after + reader.takeRest())
    }
    return rewrapped
  }

  /// The same value under a new data key.
  ///
  /// - Parameters:
  ///   - envelope: The envelope's bytes, whole.
  ///   - context: The pairs given when it was sealed, and bound to the new envelope.
  ///   - associatedData: The bytes given when it was sealed, and bound to the new envelope.
  ///   - keyring: Unwraps the old data key.
  ///   - newKeyring: Makes and wraps the new one.
  ///   - acceptingAnonymousSender: Whether to reseal what was opened through a recipient's entry.
  /// - Throws: What opening and sealing throw; `anonymousSender`.
  public static func reseal(
    _ envelope: [UInt8], context: EncryptionContext, authenticating associatedData: [UInt8] = [],
    using keyring: some Keyring, sealingWith newKeyring: some Keyring, acceptingAnonymousSender: Bool = false
  ) async throws -> [UInt8] {
    let opener = try await Opener(for: envelope, context: context, using: keyring)
    try Optional(opener.source).checkSender(
      acceptingAnonymous: acceptingAnonymousSender, advice: "Accept an anonymous sender, if you know who it was.")
    let plaintext = try opener.open(envelope, authenticating: associatedData)
    return try await seal(plaintext, context: context, authenticating: associatedData, using: newKeyring)
  }

  /// The header of an envelope, which nobody has verified.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`.
  package static func header(of envelope: [UInt8]) throws(EnvelopeError) -> Header {
    var reader = ByteReader(envelope)
    return try Header(from: &reader, expecting: .value)
  }
}
