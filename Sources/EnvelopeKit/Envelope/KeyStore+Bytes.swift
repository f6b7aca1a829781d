// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension KeyStore {
  /// Reads the text of a key store that the caller brings, and overwrites it with zeros, whether it can be read or not.
  ///
  /// It serves where a platform hands the store to a function by other means than a file: a secrets manager, a variable, a
  /// descriptor. The text is that of the file; variables and secrets managers may have cut its last line feed off, or
  /// added some.
  ///
  /// The array alone is overwritten: copies of it, and what it was made of, stay.
  ///
  /// - Parameter text: The text. Its bytes are 0 afterwards.
  /// - Throws: `keyStoreLocked` if the store is sealed itself: see ``init(wiping:unlockingWith:)``; `keyStoreDamaged` with
  ///   the line, `unsupportedVersion`, `systemFailure` if there is no memory.
  public init(wiping text: inout [UInt8]) throws(EnvelopeError) {
    defer { text.wipe() }
    let complete = unsafe Self.ended(text.span.bytes)
    self = try complete.withBytes { (text) throws(EnvelopeError) in
      guard !LockedKeyStore.isLocked(text) else {
        throw EnvelopeError(
          .keyStoreLocked, "The key store is locked",
          advice: "Open it with a keyring for the passphrase or key that it was locked with.")
      }
      return try KeyStore(text: text)
    }
  }

  /// Reads the text of a key store that may be locked, and overwrites it with zeros, whether it can be read or not.
  ///
  /// - Parameters:
  ///   - text: The text. Its bytes are 0 afterwards.
  ///   - keyring: Opens a locked store.
  /// - Throws: As ``init(wiping:)`` but for `keyStoreLocked`, or what opening with the keyring throws.
  public init(wiping text: inout [UInt8], unlockingWith keyring: some Keyring) async throws {
    guard unsafe LockedKeyStore.isLocked(text.span.bytes) else {
      self = try KeyStore(wiping: &text)
      return
    }
    defer { text.wipe() }
    let complete = unsafe Self.ended(text.span.bytes).withBytes { [UInt8](copying: $0) }
    self = try await LockedKeyStore.open(complete, using: keyring)
  }

  /// The text with one line feed at its end.
  private static func ended(_ text: RawSpan) -> SecretBytes {
    var count = text.byteCount
    while count > 0, text.byte(at: count - 1) == .lineFeed { count -= 1 }
    return SecretBytes(byteCount: count + 1) {
      $0.append(text.extracting(first: count))
      $0.append(UInt8.lineFeed)
    }
  }
}

extension [UInt8] {
  fileprivate mutating func wipe() { unsafe withUnsafeMutableBytes { unsafe $0.wipe() } }
}
