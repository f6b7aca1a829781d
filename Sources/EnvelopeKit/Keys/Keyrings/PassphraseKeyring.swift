// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Wraps with a passphrase, which a person keeps in mind; an envelope under one is under no other key.
///
/// Each wrap and each unwrap costs 256 MiB of memory and most of a second, so that guessing is dear (Argon2id, RFC 9106,
/// three passes). It runs on the thread that asks. A header may ask for up to 1 GiB, and 4,096 MiB gone over in all;
/// one that asks for more is refused before any of it is done.
public struct PassphraseKeyring: Keyring {
  private let passphrase: GuardedMemory
  private let cost: Argon2id.Cost

  static let keyIDByteCount = 9
  // Log₂ of the KiB ‖ passes ‖ salt ‖ nonce ‖ 32 sealed bytes ‖ tag.
  private static let prefixByteCount = 2 + Argon2id.saltByteCount

  /// Keeps a copy of a passphrase in guarded memory.
  ///
  /// - Parameter passphrase: 1 byte to 1 MiB; compared byte by byte, so that é in one character is not é in two.
  /// - Throws: `invalidArgument` where it is empty or too long, `systemFailure` where there is no memory.
  public init(_ passphrase: borrowing SecretBytes) throws(EnvelopeError) { try self.init(passphrase, cost: .moderate) }

  package init(_ passphrase: borrowing SecretBytes, cost: Argon2id.Cost) throws(EnvelopeError) {
    guard (1...1 << 20).contains(passphrase.byteCount) else {
      throw EnvelopeError(.invalidArgument, "A passphrase must not be empty, or longer than 1 MiB")
    }
    let byteCount = passphrase.byteCount
    self.passphrase = try passphrase.withBytes { (bytes) throws(EnvelopeError) in
      try GuardedMemory(capacity: byteCount) { $0.append(bytes) }
    }
    self.cost = cost
  }

  /// Whether the system keeps the passphrase out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { passphrase.isLocked }

  /// Draws a data key and wraps it with the passphrase.
  ///
  /// - Throws: `systemFailure` where there is no memory.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  /// Wraps a data key with the passphrase, under a new salt and a new key id.
  public func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    let keyID = try KeyID(Base64URL.encode(Randomness.bytes(Self.keyIDByteCount)))
    let associatedData = try WrappedDataKey.associatedData(.passphrase, keyID: keyID, context: context)
    let salt = try Randomness.bytes(Argon2id.saltByteCount)
    let key = try key(salt: salt, cost: cost)
    let bytes = try [UInt8].appending(capacity: 90) { (output) throws(EnvelopeError) in
      output.append(cost.memoryLog2)
      output.append(cost.passes)
      unsafe output.append(salt.span.bytes)
      try dataKey.withBytes { (dataKey) throws(EnvelopeError) in
        try key.withBytes { (key) throws(EnvelopeError) in
          try unsafe AEAD.xChaCha20Poly1305.seal(
            dataKey, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      }
    }
    return [try WrappedDataKey(scheme: .passphrase, keyID: keyID, bytes: bytes)]
  }

  /// Unwraps the entry that was wrapped with a passphrase; there is at most one.
  ///
  /// - Throws: `keyNotFound` where there is none; `malformed` where it asks for more memory or time than is allowed;
  ///   `unwrapFailed` where the passphrase is another or the entry was altered; `systemFailure` where there is no
  ///   memory.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    let entries = wrapped.filter { $0.scheme == .passphrase }
    guard let entry = entries.first else { throw EnvelopeError.keyNotFound(among: wrapped) }
    let cost = Argon2id.Cost(memoryLog2: entry.bytes[0], passes: entry.bytes[1])
    // More than one, or one beside others, is in no header, and would cost a hash each.
    guard cost.isBounded, wrapped.count == 1 else {
      throw EnvelopeError(
        .malformed, "The header demands more memory or time for a passphrase than is allowed",
        advice: "Restore the file from where it was sealed.")
    }
    let associatedData = try WrappedDataKey.associatedData(.passphrase, keyID: entry.keyID, context: context)
    let key = try key(salt: Array(entry.bytes[2..<Self.prefixByteCount]), cost: cost)
    let sealed = Array(entry.bytes[Self.prefixByteCount...])
    do {
      let dataKey = try SecretBytes(byteCount: DataKey.byteCount) { (output) throws(EnvelopeError) in
        try key.withBytes { (key) throws(EnvelopeError) in
          try unsafe AEAD.xChaCha20Poly1305.open(
            sealed.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      }
      return UnwrappedDataKey(dataKey: try DataKey(dataKey), source: entry)
    } catch {
      guard error.code == .payloadAltered else { throw error }
      throw EnvelopeError(
        .unwrapFailed, "The passphrase is wrong, or the header was altered", advice: "Enter it again.")
    }
  }

  private func key(salt: [UInt8], cost: Argon2id.Cost) throws(EnvelopeError) -> SecretBytes {
    try SecretBytes(byteCount: Argon2id.keyByteCount) { (output) throws(EnvelopeError) in
      try passphrase.withBytes { (passphrase) throws(EnvelopeError) in
        try unsafe Argon2id.append(passphrase: passphrase, salt: salt.span.bytes, cost: cost, to: &output)
      }
    }
  }
}

extension PassphraseKeyring: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
