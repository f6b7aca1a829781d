// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// A store with a key in some state, an enabled one beside it, and what the key had wrapped while it was enabled.
struct StateSubject {
  enum State: String, CaseIterable {
    case enabled, disabled
    case pending
    /// Its time has come, and the store has not been written since.
    case due
    case destroyed
  }

  var store = KeyStore()
  /// How operations name the key; its alias goes when it is destroyed.
  let id: String
  let other: String
  let wrapped: [WrappedDataKey]
  static let context: EncryptionContext = ["function": "checkout"]

  init(_ state: State, _ kind: Keyset.Kind) async throws {
    let (keyset, other) = (try Keyset.generate(kind), try Keyset.generate())
    (id, self.other) = (keyset.id.string, other.id.string)
    try store.add(other, alias: "spare")
    try store.add(keyset, alias: "subject")
    wrapped = try await store.keyring(for: id).wrap(DataKey(copying: Planted.dataKey), for: Self.context)
    switch state {
    case .enabled: break
    case .disabled: try store.disable(id)
    case .pending: try store.scheduleDeletion(of: id)
    case .due, .destroyed:
      _ = try store.scheduleDeletion(of: id, afterDays: 7, now: Clock.now - 8 * Keyset.secondsPerDay)
      if state == .destroyed { _ = try store.destroyOverdue() }
    }
  }

  var keyring: KeysetKeyring { get throws { try store.keyring(for: id) } }

  var text: String { get throws { try store.string } }
}
