// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Unwraps with one keyring, and with another only if that has failed.
///
/// Unlike a ``MultiKeyring``, it never calls the second beside the first, however long that takes: the second asks for a
/// passphrase.
struct FallbackKeyring: Keyring {
  let first: any Keyring
  let then: any Keyring

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await first.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await first.wrap(dataKey, for: context)
  }

  /// - Throws: If both fail, the error of the second, or that of the first if the second has no key.
  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    do {
      return try await first.unwrap(wrapped, for: context)
    } catch let failure as EnvelopeError {
      do {
        return try await then.unwrap(wrapped, for: context)
      } catch let error as EnvelopeError where error.code == .keyNotFound {
        throw failure
      }
    }
  }
}

/// The key store in its usual place, which is unlocked at the first use.
struct LockedStoreKeyring: Keyring {
  private func keyring() async throws -> KeysetKeyring {
    guard let store = try await ToolStore.load() else { throw ToolStore.missing(try ToolStore.file()) }
    return try store.keyring()
  }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring().generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    let keyring = try await keyring()
    return try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    // No store has a key of AWS KMS.
    guard wrapped.contains(where: { $0.scheme != .awsKMS }) else { throw EnvelopeError.keyNotFound(among: wrapped) }
    return try await keyring().unwrap(wrapped, for: context)
  }
}
