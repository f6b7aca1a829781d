// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Envelope {
  /// The same values under other wrapping keys: data keys, contexts and payloads stay as they are.
  ///
  /// Values that share a header, those of one ``Sealer``, share one afterwards. Each header is unlocked and verified
  /// before anything is made of it, and nothing is dropped from it before what is new has been opened again.
  ///
  /// A former reader can keep a data key and forge envelopes of its context for all readers that it is wrapped for. So a
  /// change that removes a reader is refused, as is a new key on an envelope that was opened through a recipient's entry:
  /// ``reseal(_:context:authenticating:using:sealingWith:anonymousSender:)`` it instead.
  ///
  /// - Parameters:
  ///   - envelopes: The envelopes' bytes, whole.
  ///   - change: What to add and what to drop.
  ///   - context: The pairs given when they were sealed.
  ///   - keyring: Unwraps the data keys.
  ///   - sender: Whether to accept envelopes that were opened through the entry of a recipient.
  ///   - allowingFormerReadersToForge: Whether to keep the data key although a removed reader, or an anonymous sender,
  ///     knows it and can forge envelopes that the readers of the result accept.
  /// - Returns: The envelopes in the same order.
  /// - Throws: What ``open(_:context:authenticating:using:)`` throws, but for `payloadAltered`, and
  ///   `unsupportedSuite` for a known suite, because the payload is not looked at; `anonymousSender`;
  ///   `entryNotReadBack` if an entry is to be dropped and a new one cannot be opened by the keyring that made it;
  ///   `keyNotFound` as ``Rewrapping/newestVersions(of:)`` says; `invalidArgument` if no key, or more than 16, would
  ///   remain, a reader would be removed, or an anonymous sender forgotten.
  public static func rewrap(
    _ envelopes: [[UInt8]], _ change: Rewrapping, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused, allowingFormerReadersToForge: Bool = false
  ) async throws -> [[UInt8]] {
    var headers: [[UInt8]: [UInt8]] = [:]
    var rewrapped: [[UInt8]] = []
    for envelope in envelopes {
      var reader = ByteReader(envelope)
      let header = try Header(from: &reader, expecting: .value)
      guard reader.remainingByteCount >= header.suite.aead.overheadByteCount else {
        throw EnvelopeError.truncated
      }
      let before = reader.consumed
      let after: [UInt8]
      if let known = headers[before] {
        after = known
      } else {
        let unlocked = try await UnlockedHeader.unlock(
          header, context: context, using: keyring, anonymousSender: sender)
        after = try await unlocked.rewrapped(
          change, context: context, using: keyring, allowingFormerReadersToForge: allowingFormerReadersToForge
        ).bytes
        headers[before] = after
      }
      rewrapped.append(after + reader.takeRest())
    }
    return rewrapped
  }

  /// The same value under a new data key, sealed with the same suite.
  ///
  /// - Parameters:
  ///   - envelope: The envelope's bytes, whole.
  ///   - context: The pairs given when it was sealed, and bound to the new envelope.
  ///   - associatedData: The bytes given when it was sealed, and bound to the new envelope.
  ///   - keyring: Unwraps the old data key.
  ///   - newKeyring: Makes and wraps the new one.
  ///   - sender: Whether to accept an envelope that was opened through the entry of a recipient.
  /// - Throws: What opening and sealing throw; `anonymousSender`.
  public static func reseal(
    _ envelope: [UInt8], context: EncryptionContext, authenticating associatedData: [UInt8] = [],
    using keyring: some Keyring, sealingWith newKeyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws -> [UInt8] {
    let plaintext = try await open(
      envelope, context: context, authenticating: associatedData, using: keyring, anonymousSender: sender)
    return try await seal(
      plaintext, context: context, authenticating: associatedData, suite: header(of: envelope).suite, using: newKeyring)
  }

  /// The header of an envelope, which nobody has verified.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite` for a suite that this release does not know.
  package static func header(of envelope: [UInt8]) throws(EnvelopeError) -> Header {
    var reader = ByteReader(envelope)
    return try Header(from: &reader, expecting: .value)
  }
}
