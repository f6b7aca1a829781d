// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

extension CachingKeyring {
  /// What a caller asks for: one entry of a header, under the name that the cache has for it.
  struct Wanted {
    let name: CacheName
    let entry: WrappedDataKey
  }

  /// A data key that was remembered.
  struct Hit: ~Copyable, Sendable {
    let key: SecretBytes
    let source: WrappedDataKey
    let stale: StaleUse?

    consuming func takeKey() -> SecretBytes { key }
  }

  /// The result of a lookup: a data key, or the call that will unwrap it.
  enum Found: ~Copyable, Sendable {
    case remembered(Hit)
    case calling(KeyTask<SharedKey>, Claim)
  }

  /// What the cache keeps beside a data key.
  struct Remembered {
    let expiry: ContinuousClock.Instant
    /// When the keyring is called again ahead of the expiry.
    let refresh: ContinuousClock.Instant
    /// After an outage, when the keyring may be called again.
    var nextCall: ContinuousClock.Instant
    var outage: EnvelopeError?
  }

  /// A call to the keyring about one entry.
  ///
  /// Once it has returned, it stays until a header has verified with its data key, or every caller has given up.
  struct Call {
    let number: UInt64
    let task: KeyTask<SharedKey>
    let start: ContinuousClock.Instant
    let isRefresh: Bool
    /// Callers that wait, or are verifying a header with the data key.
    var callerCount: Int
    /// The data key, once it is there.
    var key: SharedKey?
  }

  /// A data key that several callers copy.
  final class SharedKey: Sendable {
    let bytes: SecretBytes

    init(_ unwrapped: borrowing UnwrappedDataKey) {
      bytes = unwrapped.dataKey.withBytes { SecretBytes(copying: $0) }
    }

    var copy: SecretBytes { bytes.withBytes { SecretBytes(copying: $0) } }
  }

  /// One caller's share in a call, which the caller gives up by releasing it.
  final class Claim: Sendable {
    private let cache: CachingKeyring
    private let name: CacheName
    private let number: UInt64

    init(_ cache: CachingKeyring, _ name: CacheName, _ number: UInt64) {
      (self.cache, self.name, self.number) = (cache, name, number)
    }

    deinit { cache.giveUp(name, number) }

    /// Has the cache remember the data key: a header has verified with it.
    func confirm() { cache.remember(name, number) }
  }

  struct State: ~Copyable {
    var table: SecretTable<Remembered>
    var calls: [CacheName: Call] = [:]
    /// How many calls were made so far.
    var callCount: UInt64 = 0
    /// How many refreshing calls are in flight.
    var refreshCount = 0

    init(table: consuming SecretTable<Remembered>) { self.table = table }
  }

  /// Returns the data key of the first entry that is remembered, or nil, and starts a refresh if one is due.
  func hit(among entries: [Wanted], for context: EncryptionContext) -> Hit? {
    state.withLock { state in
      let now = timing.now()
      state.table.removeOverdue(at: now)
      for wanted in entries {
        if let hit = hit(wanted, for: context, &state, at: now) { return hit }
      }
      return nil
    }
  }

  /// Returns the data key of an entry, or the call about it that is in flight, or starts one.
  func find(_ wanted: Wanted, for context: EncryptionContext) -> Found {
    state.withLock { state in
      let now = timing.now()
      // Another caller may have had it remembered since.
      if let hit = hit(wanted, for: context, &state, at: now) { return .remembered(hit) }
      var call = state.calls[wanted.name]
      // A data key that no header verifies with must not outlive its age by callers that take turns.
      if let returned = call, returned.key != nil, now >= returned.start.advanced(by: maximumAge) { call = nil }
      var joined = call ?? start(wanted, for: context, &state, at: now, isRefresh: false)
      joined.callerCount += 1
      state.calls[wanted.name] = joined
      return .calling(joined.task, Claim(self, wanted.name, joined.number))
    }
  }

  private func hit(
    _ wanted: Wanted, for context: EncryptionContext, _ state: inout State, at now: ContinuousClock.Instant
  ) -> Hit? {
    guard let slot = state.table.slot(of: wanted.name, at: now), let remembered = state.table.value(slot) else {
      return nil
    }
    state.table.use(slot)
    if now >= remembered.refresh, now >= remembered.nextCall, state.calls[wanted.name] == nil,
      state.refreshCount < Self.refreshLimit
    {
      state.refreshCount += 1
      state.calls[wanted.name] = start(wanted, for: context, &state, at: now, isRefresh: true)
    }
    let stale =
      now < remembered.expiry
      ? nil
      : StaleUse(
        source: wanted.entry, overdue: remembered.expiry.duration(to: now), failure: remembered.outage)
    return Hit(key: state.table.secret(slot), source: wanted.entry, stale: stale)
  }

  /// Calls the keyring in a task of its own: cancelling one caller leaves the call to the others.
  private func start(
    _ wanted: Wanted, for context: EncryptionContext, _ state: inout State, at now: ContinuousClock.Instant,
    isRefresh: Bool
  ) -> Call {
    state.callCount += 1
    let number = state.callCount
    let task = KeyTask { [self] in
      do {
        let key = SharedKey(try await keyring.unwrap([wanted.entry], for: context))
        succeed(wanted.name, number, with: key)
        return key
      } catch {
        fail(wanted.name, number, with: error)
        throw error
      }
    }
    return Call(number: number, task: task, start: now, isRefresh: isRefresh, callerCount: 0)
  }

  /// Renews what is remembered, or keeps the data key for the callers that are about to verify headers with it.
  private func succeed(_ name: CacheName, _ number: UInt64, with key: SharedKey) {
    state.withLock { state in
      guard var call = state.end(name, number) else { return }
      let now = timing.now()
      guard let slot = state.table.slot(of: name, at: now) else {
        guard call.callerCount > 0 else { return }
        call.key = key
        state.calls[name] = call
        return
      }
      // No header has verified with another data key than the one that is remembered.
      guard key.bytes.withBytes({ state.table.holds($0, in: slot) }) else { return state.table.remove(slot) }
      let (remembered, end) = times(of: call)
      guard now < end else { return }
      state.table.renew(slot, to: remembered, until: end)
    }
  }

  /// Keeps what is remembered in an outage, and forgets it after any other failure.
  private func fail(_ name: CacheName, _ number: UInt64, with error: any Error) {
    state.withLock { state in
      guard state.end(name, number) != nil else { return }
      let now = timing.now()
      guard let slot = state.table.slot(of: name, at: now) else { return }
      guard let outage = error as? EnvelopeError, outage.isOutage, var remembered = state.table.value(slot) else {
        return state.table.remove(slot)
      }
      remembered.outage = outage
      remembered.nextCall = now.advanced(by: min(.seconds(1), maximumAge / 10))
      state.table.update(slot, to: remembered)
    }
  }

  /// Remembers the data key of a call that has returned, unless that was done or the call was replaced.
  private func remember(_ name: CacheName, _ number: UInt64) {
    state.withLock { state in
      guard let call = state.calls[name], call.number == number, let key = call.key else { return }
      state.calls[name] = nil
      let (remembered, end) = times(of: call)
      guard timing.now() < end else { return }
      key.bytes.withBytes { state.table.insert($0, remembered, named: name, until: end) }
    }
  }

  private func giveUp(_ name: CacheName, _ number: UInt64) {
    state.withLock { state in
      guard var call = state.calls[name], call.number == number else { return }
      call.callerCount -= 1
      state.calls[name] = call.callerCount == 0 && call.key != nil ? nil : call
    }
  }

  /// How long the data key of a call is remembered, counted from its start.
  private func times(of call: Call) -> (Remembered, end: ContinuousClock.Instant) {
    let expiry = call.start.advanced(by: maximumAge)
    let refresh = call.start.advanced(by: maximumAge * (0.8 + 0.2 * timing.chance()))
    return (
      Remembered(expiry: expiry, refresh: refresh, nextCall: call.start), expiry.advanced(by: graceTime)
    )
  }
}

extension CachingKeyring.State {
  /// Takes a call out that has returned; nil if another has replaced it.
  fileprivate mutating func end(_ name: CacheName, _ number: UInt64) -> CachingKeyring.Call? {
    guard let call = calls[name], call.number == number else { return nil }
    calls[name] = nil
    if call.isRefresh { refreshCount -= 1 }
    return call
  }
}
