// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Remembers data keys that another keyring unwrapped, so that a key service is not called at every open.
///
/// A data key is remembered for the entry that it was unwrapped from and the encryption context, byte for byte, and only
/// once a header has verified with it. Whatever else stands in a header neither displaces it nor causes a call. A data
/// key that you unwrap yourself, by ``unwrap(_:for:)``, is not remembered.
///
/// Callers that need the same entry at the same time share one call. The other keyring is called about one entry at a
/// time, in the header's order and recipients last, so put the cache directly in front of a key service and combine it
/// with local keys in a ``MultiKeyring``. Generating and wrapping data keys always call the other keyring: to seal many
/// values under one data key, use a ``Sealer`` or a ``CachingSealer``.
///
/// - **Up to the maximum age**, the data key is returned at once. In the last fifth of it, at a random moment, the other
///   keyring is called in the background.
/// - **In the grace time after it**, the data key is still returned at once, whether the key service is up, slow or down,
///   and the other keyring is called in the background: after an outage at most once a second for each entry.
/// - **After that**, callers wait for the key service.
///
/// A failure other than `keyServiceUnavailable` and `keyServiceThrottled` ends what is remembered of its entry. A key
/// that was disabled or denied at the service therefore goes on opening up to the maximum age. In the grace time it goes
/// on until the background call that the first use starts has returned, or until the end while the service does not
/// respond.
///
/// At most 16 background calls are in flight. Beside them and the calls that callers wait for, the memory that is used
/// depends on the entry limit alone. Data keys lie in one allocation of guarded memory. One whose time has passed is
/// wiped when the cache is next used or released.
public final class CachingKeyring: Keyring {
  /// Reports that a data key was returned beyond its maximum age.
  public struct StaleUse: Sendable {
    /// The entry that the data key was unwrapped from.
    public let source: WrappedDataKey
    /// How long ago its maximum age was reached.
    public let overdue: Duration
    /// What the key service failed with last; nil if it was not called about this entry since, or has not responded yet.
    public let failure: EnvelopeError?
  }

  let keyring: any Keyring
  let maximumAge: Duration
  let graceTime: Duration
  let whenStale: (@Sendable (StaleUse) -> Void)?
  let timing: Timing
  let state: Mutex<State>
  private let salt: [UInt8]

  /// Whether caches pass calls on and remember nothing: what a cache remembers is no proof that a key still opens.
  @TaskLocal static var isBypassed = false

  /// How many refreshing calls may be in flight.
  static let refreshLimit = 16

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

  /// Creates an empty cache.
  ///
  /// - Parameters:
  ///   - keyring: Unwraps what is not remembered.
  ///   - maximumAge: How long a data key is remembered, counted from the start of the call that unwrapped it; more than
  ///     zero, at most ``durationLimit``.
  ///   - graceTime: How much longer it is returned while the keyring is called in the background; at most
  ///     ``durationLimit``.
  ///   - entryLimit: How many data keys are remembered, 1 to ``greatestEntryLimit``; the least recently used makes room.
  ///     Each takes 32 bytes of guarded memory, allocated at once.
  ///   - whenStale: Called for each use beyond the maximum age; it should return at once.
  /// - Throws: `invalidArgument` if a limit is broken, `systemFailure` if there is no memory or randomness.
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
    self.timing = timing
    self.whenStale = whenStale
    salt = try Randomness.bytes(BLAKE2b.saltByteCount)
    state = Mutex(State(table: try SecretTable(capacity: entryLimit, byteCount: DataKey.byteCount)))
  }

  /// Whether the system keeps the data keys out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { state.withLock { $0.table.isLocked } }

  /// The other keyring's observer, which is also notified of hits and misses.
  public var observer: (any EnvelopeObserver)? { keyring.observer }

  /// Whether the other keyring calls a service.
  public var callsService: Bool { keyring.callsService }

  /// Generates a data key with the other keyring, and remembers nothing of it.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  /// Wraps a data key with the other keyring, and remembers nothing of it.
  public func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    try await keyring.wrap(dataKey, for: context)
  }

  /// Returns the first remembered data key of these entries, or calls the other keyring about one after the other.
  ///
  /// Entries of recipients are looked up and called about only after all others have failed: they prove no sender.
  ///
  /// Cancelling a waiting caller ends its wait and leaves the call to the others.
  ///
  /// - Throws: What the other keyring throws for the first entry that it fails to unwrap, and `keyNotFound` if it holds
  ///   no key of any. `invalidArgument` for a context that breaks a limit. `CancellationError`.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    guard !Self.isBypassed else { return try await keyring.unwrap(wrapped, for: context) }
    _ = try context.canonicalBytes()
    var failures = UnwrapFailures()
    var isMissReported = false
    for entries in [wrapped.filter { !$0.scheme.isAnonymous }, wrapped.filter { $0.scheme.isAnonymous }] {
      let wanted = try entries.map { (entry) throws(EnvelopeError) in
        Wanted(name: try CacheName(context, entry, salt: salt), entry: entry)
      }
      if let hit = hit(among: wanted, for: context) { return try give(hit) }
      if !isMissReported, !wanted.isEmpty || wrapped.isEmpty {
        observer?.observe(EnvelopeEvent(.cacheMissed))
        isMissReported = true
      }
      for wanted in wanted {
        switch find(wanted, for: context) {
        case .remembered(let hit): return try give(hit)
        case .calling(let task, let claim):
          do {
            let key = try await task.key.copy
            return UnwrappedDataKey(dataKey: try DataKey(key), source: wanted.entry, whenVerified: claim.confirm)
          } catch is CancellationError {
            throw CancellationError()
          } catch {
            failures.add(error, among: [wanted.entry])
          }
        }
      }
    }
    throw failures.error(among: wrapped)
  }

  /// Returns what is remembered, and reports it.
  private func give(_ hit: consuming Hit) throws(EnvelopeError) -> UnwrappedDataKey {
    if let stale = hit.stale { whenStale?(stale) }
    observer?.observe(EnvelopeEvent(hit.stale == nil ? .cacheHit : .cacheStale, source: hit.source))
    let source = hit.source
    return UnwrappedDataKey(dataKey: try DataKey(hit.takeKey()), source: source)
  }
}

extension EnvelopeError {
  /// Whether the key service is down, so that the failure says nothing about the key.
  var isOutage: Bool { code == .keyServiceUnavailable || code == .keyServiceThrottled }
}

extension CachingKeyring: CustomReflectable {
  /// Shows nothing.
  public nonisolated var customMirror: Mirror { Mirror(self, children: []) }
}
