// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import EnvelopeKit

/// A keyring behind a cache, a clock and what was told of stale uses: all that a test of the cache drives.
final class CacheWorld: Keyring {
  struct State {
    var now = ContinuousClock.now
    var unwraps = 0
    var failure: EnvelopeError.Code?
    var stale: [CachingKeyring.StaleUse] = []
    /// Holds calls back while it is there.
    var gate: Gate?
  }

  let state = Mutex(State())
  /// Opened when the first unwrap has begun.
  let begun = Gate()
  let local: KeysetKeyring

  init() throws { local = KeysetKeyring(try .generate()) }

  var now: ContinuousClock.Instant { state.withLock { $0.now } }
  var unwraps: Int { state.withLock { $0.unwraps } }
  var stale: [CachingKeyring.StaleUse] { state.withLock { $0.stale } }

  func pass(_ duration: Duration) { state.withLock { $0.now = $0.now.advanced(by: duration) } }
  func fail(with code: EnvelopeError.Code?) { state.withLock { $0.failure = code } }

  func cache(
    maximumAge: Duration = .seconds(100), graceTime: Duration = .zero, entryLimit: Int = 1000, chance: Double = 0.999
  ) throws -> CachingKeyring {
    try CachingKeyring(
      self, maximumAge: maximumAge, graceTime: graceTime, entryLimit: entryLimit,
      timing: CachingKeyring.Timing(now: { self.state.withLock { $0.now } }, chance: { chance }),
      whenStale: { use in self.state.withLock { $0.stale.append(use) } })
  }

  /// Holds calls back from now on, until the gate is opened.
  func hold() -> Gate {
    let gate = Gate()
    state.withLock { $0.gate = gate }
    return gate
  }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await local.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await local.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    let (failure, gate) = state.withLock { state in
      state.unwraps += 1
      return (state.failure, state.gate)
    }
    begun.open()
    await gate?.wait()
    // About keys that are not its own it knows nothing, and fails for none.
    let isHeld = wrapped.contains { local.keyset.version(named: $0.keyID) != nil }
    if isHeld, let failure { throw EnvelopeError(failure, "The service fails as it was told to") }
    return try await local.unwrap(wrapped, for: context)
  }

  /// A new entry under a context, and the data key in it.
  func entry(_ context: EncryptionContext = ["a": "b"]) async throws -> (wrapped: [WrappedDataKey], key: [UInt8]) {
    let generated = try await local.generateDataKey(for: context)
    return (generated.wrapped, generated.dataKey.withBytes { [UInt8](copying: $0) })
  }
}

extension CachingKeyring {
  /// What an entry unwraps to, copied where nobody wipes it.
  func open(_ wrapped: [WrappedDataKey], _ context: EncryptionContext = ["a": "b"]) async throws -> [UInt8] {
    try await unwrap(wrapped, for: context).dataKey.withBytes { [UInt8](copying: $0) }
  }

  /// Waits until no call to the keyring is under way.
  func settle() async {
    while let flight = state.withLock({ $0.flights.values.first }) { _ = await flight.result }
  }
}
