// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Synchronization

/// Opens with the keys of a call, which it finds when the first segment shows what it is under.
final class OpeningKeyring: Keyring {
  private struct State {
    var found: Result<MultiKeyring, any Error>?
    var entries: [WrappedDataKey] = []
  }

  private let settings: FileSettings
  private let state = Mutex(State())

  init(_ settings: FileSettings) { self.settings = settings }

  /// The wrapped keys of the first segment, which nobody has verified.
  var entries: [WrappedDataKey] { state.withLock { $0.entries } }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    throw EnvelopeError(.invalidArgument, "This keyring only opens")
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    throw EnvelopeError(.invalidArgument, "This keyring only opens")
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    try await keyring(wrapped).unwrap(wrapped, for: context)
  }

  private func keyring(_ wrapped: [WrappedDataKey]) async throws -> MultiKeyring {
    if let found = state.withLock({ $0.found }) { return try found.get() }
    let found: Result<MultiKeyring, any Error>
    do {
      found = .success(try await settings.opening(wrapped))
    } catch {
      found = .failure(error)
    }
    state.withLock { $0 = State(found: found, entries: wrapped) }
    return try found.get()
  }
}
