// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// A key that something shall be under, and how its entries are told in a header.
struct TargetKey {
  /// The key in words.
  let name: String
  /// Wraps with it, and unwraps where this machine can.
  let keyring: any Keyring
  /// Whether an entry is this key's, of any version.
  let owns: @Sendable (WrappedDataKey) -> Bool
  /// The newest version that is known here: 0 of a key that was destroyed, nil where a key has no versions.
  private let version: UInt32?
  /// Whether what is wrapped with it can be opened here, to make sure.
  let isReadBack: Bool
  /// Whoever can open its entries.
  let reader: WrappedDataKey.Reader

  /// A key of the store.
  init(_ keyset: Keyset, in store: KeyStore) throws(EnvelopeError) {
    name = ToolKeys.describe(keyset, in: store)
    keyring = try store.keyring(for: keyset.id.string)
    owns = { keyset.owns($0) }
    version = keyset.primary
    isReadBack = true
    reader = WrappedDataKey.Reader(scheme: keyset.kind.scheme, id: keyset.id.string)
  }

  /// A recipient that is named by its text, read back where the store has the identity.
  init(_ recipient: Recipient, in store: KeyStore) throws(EnvelopeError) {
    let sealing = try RecipientKeyring([recipient])
    let (keyID, reader) = (recipient.keyID, recipient.reader)
    name = "\(recipient.kem.scheme) \(keyID)"
    isReadBack = store.keysets.contains { $0.kind.kem == recipient.kem && $0.version(named: keyID) != nil }
    keyring = isReadBack ? try MultiKeyring([sealing, WrappingNothing(store.keyring())]) : sealing
    self.reader = reader
    owns = { $0.reader == reader }
    version = keyID.version
  }

  /// A key of AWS KMS, whose ARN is known.
  init(kms arn: String, _ keyring: any Keyring) {
    name = arn.shown
    self.keyring = keyring
    reader = WrappedDataKey.Reader(scheme: .awsKMS, id: arn)
    owns = { $0.scheme == .awsKMS && $0.keyID.string.isSameKMSKey(as: arn) }
    version = nil
    isReadBack = true
  }

  /// Whether an entry is this key's, and of its newest version.
  func isCurrent(_ entry: WrappedDataKey) -> Bool {
    owns(entry) && (version == nil || entry.keyID.version == version)
  }

  /// Whether an entry is this key's, and of a newer version than is known here.
  func isOlder(than entry: WrappedDataKey) -> Bool {
    guard let version, version > 0, let other = entry.keyID.version else { return false }
    return owns(entry) && other > version
  }

  /// Whether another is the same key in a newer version.
  func isOlder(than other: TargetKey) -> Bool { reader == other.reader && version ?? 0 < other.version ?? 0 }
}

extension Recipient {
  /// Whoever has the identity, of any version.
  var reader: WrappedDataKey.Reader { WrappedDataKey.Reader(scheme: kem.scheme, id: keyID.withoutVersion) }
}

/// A keyring that opens and does not wrap.
private struct WrappingNothing: Keyring {
  let keyring: any Keyring

  init(_ keyring: any Keyring) { self.keyring = keyring }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] { [] }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    try await keyring.unwrap(wrapped, for: context)
  }
}

extension String {
  /// Whether two ARNs of AWS KMS are of one key: a multi-Region key has one in each Region.
  func isSameKMSKey(as other: String) -> Bool {
    if self == other { return true }
    let (mine, its) = (split(separator: ":").map(String.init), other.split(separator: ":").map(String.init))
    return mine.count == 6 && its.count == 6 && mine[5].hasPrefix("key/mrk-") && mine[5] == its[5] && mine[4] == its[4]
      && mine[1] == its[1]
  }
}
