// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import EnvelopeKit

/// Unwraps only once a gate is open, counts how often it was asked, and fails the first times.
final class GatedKeyring: Keyring {
  let gate = Gate()
  /// Opened when the first unwrap has begun.
  let begun = Gate()
  let unwraps = Counter()
  private let keyring: KeysetKeyring
  private let failures: Int

  init(_ keyring: KeysetKeyring, failures: Int = 0) {
    self.keyring = keyring
    self.failures = failures
  }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    let number = unwraps.increment()
    begun.open()
    await gate.wait()
    try Task.checkCancellation()
    guard number > failures else { throw EnvelopeError(.keyServiceUnavailable, "Nobody answers") }
    return try await keyring.unwrap(wrapped, for: context)
  }
}
