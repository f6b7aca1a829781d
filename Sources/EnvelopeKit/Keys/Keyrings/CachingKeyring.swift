// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Remembers what another keyring has unwrapped, so that a key service is asked once in a while and not at every open.
///
/// What it remembers, it gives for the same entries of a header under the same encryption context, byte for byte, and
/// for nothing else. However many ask for it at once, the other keyring is asked once. Making and wrapping data keys go
/// straight to the other keyring: to seal many values under one data key, take a ``Sealer`` or a ``CachingSealer``.
///
/// Data keys lie in one allocation of guarded memory. One that has passed its time is wiped when the keyring is next
/// used, or goes. A key that was disabled or denied at the service goes on opening until its time here has passed:
/// choose the maximum age, and a grace time, with that in mind.
public final class CachingKeyring: Keyring {
  /// Tells that a data key was served beyond its maximum age, because the key service is down.
  public struct StaleUse: Sendable {
    /// The entry that the data key was unwrapped from.
    public let source: WrappedDataKey
    /// How long ago its maximum age was reached.
    public let overdue: Duration
    /// What the key service failed with.
    public let failure: EnvelopeError
  }

  let keyring: any Keyring
  let maximumAge: Duration
  let graceTime: Duration
  let entryLimit: Int
  let whenStale: (@Sendable (StaleUse) -> Void)?
  let timing: Timing
  let state: Mutex<State>

  /// Time and chance, which tests replace.
  package struct Timing: Sendable {
    package var now: @Sendable () -> ContinuousClock.Instant
    /// A number from 0 up to 1.
    package var chance: @Sendable () -> Double

    package init(
      now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
      chance: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
      self.now = now
      self.chance = chance
    }
  }

  /// The longest maximum age, and the longest grace time: 366 days.
  public static let durationLimit = Duration.seconds(366 * 86400)
  /// The greatest limit of entries.
  public static let greatestEntryLimit = 65536

  /// Makes an empty cache.
  ///
  /// - Parameters:
  ///   - keyring: Is asked for what is not remembered.
  ///   - maximumAge: How long a data key is given before the keyring is asked again, from the moment it was asked;
  ///     more than zero, at most ``durationLimit``. In the last fifth of it, at a random moment, the keyring is asked
  ///     again ahead of time, while the data key goes on being given.
  ///   - graceTime: How much longer a data key is given where the keyring fails with `keyServiceUnavailable` or
  ///     `keyServiceThrottled`; at most ``durationLimit``.
  ///   - entryLimit: How many data keys are remembered, 1 to ``greatestEntryLimit``; the one that was not used for
  ///     longest makes room. Each takes 32 bytes of guarded memory, which is taken at once.
  ///   - whenStale: Is told of each use beyond the maximum age; it should return soon.
  /// - Throws: `invalidArgument` where a limit is broken, `systemFailure` where there is no memory.
  public convenience init(
    _ keyring: some Keyring, maximumAge: Duration, graceTime: Duration = .zero, entryLimit: Int = 1000,
    whenStale: (@Sendable (StaleUse) -> Void)? = nil
  ) throws(EnvelopeError) {
    try self.init(
      keyring, maximumAge: maximumAge, graceTime: graceTime, entryLimit: entryLimit, timing: Timing(),
      whenStale: whenStale)
  }

  package init(
    _ keyring: some Keyring, maximumAge: Duration, graceTime: Duration = .zero, entryLimit: Int = 1000,
    timing: Timing, whenStale: (@Sendable (StaleUse) -> Void)? = nil
  ) throws(EnvelopeError) {
    guard maximumAge > .zero, maximumAge <= Self.durationLimit, graceTime >= .zero, graceTime <= Self.durationLimit,
      (1...Self.greatestEntryLimit).contains(entryLimit)
    else {
      throw EnvelopeError(
        .invalidArgument,
        "A cache needs an age above zero and at most 366 days, a grace time of at most that, and "
          + "room for 1 to \(Self.greatestEntryLimit) entries")
    }
    self.keyring = keyring
    self.maximumAge = maximumAge
    self.graceTime = graceTime
    self.entryLimit = entryLimit
    self.timing = timing
    self.whenStale = whenStale
    state = Mutex(State(slots: try SecretSlots(count: entryLimit, byteCount: DataKey.byteCount)))
  }

  /// Whether the system keeps the data keys out of swap; false where the limit on locked memory is used up.
  public var isLocked: Bool { state.withLock { $0.slots.isLocked } }

  /// The other keyring's observer, which is also told of hits and misses.
  public var observer: (any EnvelopeObserver)? { keyring.observer }

  /// Has the other keyring make a data key; nothing of it is remembered.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  /// Has the other keyring wrap a data key; nothing of it is remembered.
  public func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  /// Gives what is remembered of these entries under this context, or asks the other keyring.
  ///
  /// Who is cancelled while waiting waits to the end all the same.
  ///
  /// - Throws: What the other keyring throws. Any failure but `keyServiceUnavailable` and `keyServiceThrottled` also
  ///   ends what is remembered of these entries. `invalidArgument` for a context that breaks a limit.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    let name = Name(entries: wrapped, context: try context.canonicalBytes())
    let found = find(name, context)
    if let key = found.key { return try give(key, found.stale) }
    guard let flight = found.flight else { throw EnvelopeError.keyNotFound(among: wrapped) }
    observer?.observe(EnvelopeEvent(.cacheMissed))
    do {
      return try await flight.value.unwrapped()
    } catch let failure as EnvelopeError where failure.isOutage {
      guard let found = findAfterFailure(name), let key = found.key else { throw failure }
      return try give(key, found.stale)
    }
  }

  /// Gives out what is remembered, and tells of it.
  private func give(_ key: SharedKey, _ stale: StaleUse?) throws(EnvelopeError) -> UnwrappedDataKey {
    if let stale { whenStale?(stale) }
    let unwrapped = try key.unwrapped()
    observer?.observe(EnvelopeEvent(stale == nil ? .cacheHit : .cacheStale, source: unwrapped.source))
    return unwrapped
  }
}

extension EnvelopeError {
  /// Whether the key service is down, and has said nothing about the key.
  var isOutage: Bool { code == .keyServiceUnavailable || code == .keyServiceThrottled }
}

extension CachingKeyring: CustomReflectable {
  /// Shows nothing.
  public nonisolated var customMirror: Mirror { Mirror(self, children: []) }
}
