// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A key store that is sealed itself: a value envelope whose plaintext is the store's text (`Docs/Format.md`, section
/// Locked key store).
package enum LockedKeyStore {
  private static let context: EncryptionContext = ["purpose": "envelope-keys"]
  private static let associatedData = Array("envelope-keys".utf8)

  /// The longest text of a locked store, in bytes: that of the longest store with any header, in base64url.
  package static let textByteLimit = (KeyStore.textByteLimit + 128 * 1024) / 3 * 4 + 16

  /// Whether a text is that of a locked store.
  package static func isLocked(_ text: RawSpan) -> Bool {
    text.byteCount >= 4 && [UInt8](copying: text.extracting(first: 4)) == Array(EnvelopeText.headerPrefix.utf8)
  }

  /// Whether a header was made for a locked store, as far as four bytes can tell.
  package static func isOf(_ header: Header) throws(EnvelopeError) -> Bool {
    try header.matches(canonicalContext: context.canonicalBytes())
  }

  /// Seals a store under a new data key; the text ends with a line feed.
  package static func seal(_ store: KeyStore, using keyring: some Keyring) async throws -> [UInt8] {
    let sealed = try await Envelope.seal(
      store.text(), for: .keyStore, context: context, authenticating: associatedData, using: keyring)
    let text = Array((Envelope.text(of: sealed) + "\n").utf8)
    guard text.count <= textByteLimit else {
      throw EnvelopeError(
        .invalidArgument, "The locked key store is longer than \(textByteLimit) bytes",
        advice: "Lock it with fewer keys.")
    }
    return text
  }

  /// Opens a locked store.
  ///
  /// A store under the key of a recipient opens, too: like a store that is not locked, it proves no author.
  ///
  /// - Throws: What opening a value throws; `keyStoreDamaged` where what comes out is no store.
  package static func open(_ text: [UInt8], using keyring: some Keyring) async throws -> KeyStore {
    try await Envelope.open(
      bytes(of: text), for: .keyStore, context: context, authenticating: associatedData, using: keyring,
      anonymousSender: .accepted
    ).withBytes { (text) throws(EnvelopeError) in try KeyStore(text: text) }
  }

  /// The wrapped keys that it lists, which nobody has verified.
  package static func wrappedKeys(of text: [UInt8]) throws(EnvelopeError) -> [WrappedDataKey] {
    try Envelope.header(of: bytes(of: text)).wrappedKeys
  }

  private static func bytes(of text: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    guard text.last == .lineFeed else { throw .keyStoreDamaged("its end is missing") }
    return try Envelope.bytes(ofText: String(decoding: text.dropLast(), as: UTF8.self))
  }
}
