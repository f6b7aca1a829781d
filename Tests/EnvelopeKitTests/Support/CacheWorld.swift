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
    /// Whether it unwraps to other data keys than were wrapped.
    var isWrong = false
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

  func forgetStale() { state.withLock { $0.stale = [] } }
  func unwrapWrongly(_ isWrong: Bool) { state.withLock { $0.isWrong = isWrong } }

  /// Holds calls back from now on, until the gate is opened.
  func hold() -> Gate {
    let gate = Gate()
    state.withLock { $0.gate = gate }
    return gate
  }

  /// Lets calls through again that begin from now on.
  func release() { state.withLock { $0.gate = nil } }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await local.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await local.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    let (failure, gate, isWrong) = state.withLock { state in
      state.unwraps += 1
      return (state.failure, state.gate, state.isWrong)
    }
    begun.open()
    await gate?.wait()
    // About keys that are not its own it knows nothing, and fails for none.
    let isHeld = wrapped.contains { local.keyset.version(named: $0.keyID) != nil }
    if isHeld, let failure { throw EnvelopeError(failure, "The service fails as it was told to") }
    let unwrapped = try await local.unwrap(wrapped, for: context)
    return isWrong ? UnwrappedDataKey(dataKey: try .generate(), source: unwrapped.source) : unwrapped
  }

  /// A new entry under a context, and the data key in it.
  func entry(_ context: EncryptionContext = ["a": "b"]) async throws -> (wrapped: [WrappedDataKey], key: [UInt8]) {
    let generated = try await local.generateDataKey(for: context)
    return (generated.wrapped, generated.dataKey.withBytes { [UInt8](copying: $0) })
  }
}

extension CachingKeyring {
  /// Unwraps entries as opening an envelope does if its header verifies.
  func unlock(_ wrapped: [WrappedDataKey], _ context: EncryptionContext = ["a": "b"]) async throws -> UnwrappedDataKey {
    let unwrapped = try await unwrap(wrapped, for: context)
    unwrapped.whenVerified?()
    return unwrapped
  }

  /// The data key that ``unlock(_:_:)`` leads to; nobody wipes the copy.
  func open(_ wrapped: [WrappedDataKey], _ context: EncryptionContext = ["a": "b"]) async throws -> [UInt8] {
    try await unlock(wrapped, context).dataKey.withBytes { [UInt8](copying: $0) }
  }

  /// Waits until no call to the keyring is in flight.
  func settle() async {
    while let task = state.withLock({ $0.calls.values.first { $0.key == nil }?.task }) { _ = try? await task.key }
  }

  /// How many data keys are remembered.
  var count: Int { state.withLock { $0.table.count } }

  /// How many calls are kept: in flight, or returned and not verified with yet.
  var callCount: Int { state.withLock { $0.calls.count } }
}
