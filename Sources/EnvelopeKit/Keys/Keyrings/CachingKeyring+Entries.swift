// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

extension CachingKeyring {
  /// What an entry of the cache is for.
  struct Name: Hashable {
    let entries: [WrappedDataKey]
    let context: [UInt8]
  }

  /// A data key that several may be waiting for; each makes one of its own of it.
  final class SharedKey: Sendable {
    private let bytes: SecretBytes
    private let source: WrappedDataKey

    init(_ bytes: consuming SecretBytes, source: WrappedDataKey) {
      self.bytes = bytes
      self.source = source
    }

    func unwrapped() throws(EnvelopeError) -> UnwrappedDataKey {
      UnwrappedDataKey(dataKey: try DataKey(bytes.withBytes { SecretBytes(copying: $0) }), source: source)
    }
  }

  struct Entry {
    let slot: Int
    let source: WrappedDataKey
    /// When it may be given no longer, grace aside.
    let expiry: ContinuousClock.Instant
    /// When the keyring is asked ahead of time.
    let refresh: ContinuousClock.Instant
    /// After a failure, when the keyring may be asked again while this can still be given.
    var nextTry: ContinuousClock.Instant
    /// What the keyring failed with last.
    var failure: EnvelopeError?
    var lastUse: UInt64
  }

  struct State: ~Copyable {
    var slots: SecretSlots
    var entries: [Name: Entry] = [:]
    var flights: [Name: Task<SharedKey, any Error>] = [:]
    /// No entry has passed its time before this moment.
    var sweep: ContinuousClock.Instant?
    var uses: UInt64 = 0

    init(slots: consuming SecretSlots) { self.slots = slots }

    /// Gives a data key away and counts that as a use.
    mutating func take(_ name: Name, _ entry: Entry) -> SharedKey {
      uses += 1
      entries[name]?.lastUse = uses
      return SharedKey(slots.copy(of: entry.slot), source: entry.source)
    }

    mutating func remove(_ name: Name) {
      guard let entry = entries.removeValue(forKey: name) else { return }
      slots.wipe(entry.slot)
    }

    /// Wipes what has passed its time, grace included.
    mutating func removeOverdue(at now: ContinuousClock.Instant, grace: Duration) {
      guard let sweep, now >= sweep else { return }
      for (name, entry) in entries where now >= entry.expiry.advanced(by: grace) { remove(name) }
      self.sweep = entries.values.map { $0.expiry.advanced(by: grace) }.min()
    }
  }

  /// What there is for somebody who asks.
  struct Found {
    var key: SharedKey?
    var stale: StaleUse?
    var flight: Task<SharedKey, any Error>?
  }

  /// Looks a data key up, and sees to it that the keyring is asked where that is due.
  func find(_ name: Name, _ context: EncryptionContext) -> Found {
    state.withLock { state in
      let now = timing.now()
      state.removeOverdue(at: now, grace: graceTime)
      guard let entry = state.entries[name] else {
        return Found(flight: state.flights[name] ?? takeOff(name, context, &state, at: now))
      }
      if now < entry.expiry {
        if now >= entry.refresh, now >= entry.nextTry, state.flights[name] == nil {
          _ = takeOff(name, context, &state, at: now)
        }
        return Found(key: state.take(name, entry))
      }
      // Not everybody waits for a service that is known to be down.
      if let failure = entry.failure, now < entry.nextTry {
        let stale = StaleUse(source: entry.source, overdue: entry.expiry.duration(to: now), failure: failure)
        return Found(key: state.take(name, entry), stale: stale)
      }
      return Found(flight: state.flights[name] ?? takeOff(name, context, &state, at: now))
    }
  }

  /// A data key that can be given although the keyring has just failed: in its grace time, or come from another ask.
  func findAfterFailure(_ name: Name) -> Found? {
    state.withLock { state in
      let now = timing.now()
      state.removeOverdue(at: now, grace: graceTime)
      guard let entry = state.entries[name] else { return nil }
      if now < entry.expiry { return Found(key: state.take(name, entry)) }
      guard let failure = entry.failure else { return nil }
      let stale = StaleUse(source: entry.source, overdue: entry.expiry.duration(to: now), failure: failure)
      return Found(key: state.take(name, entry), stale: stale)
    }
  }

  /// Asks the keyring, in a task of its own: whoever asked first may be cancelled, and the others get their answer.
  private func takeOff(
    _ name: Name, _ context: EncryptionContext, _ state: inout State, at now: ContinuousClock.Instant
  ) -> Task<SharedKey, any Error> {
    let remembered = state.entries[name]?.source
    let flight = Task {
      // What is remembered is judged by its own entry: neither may a denial hide behind another key's outage, nor an
      // outage behind another key's denial.
      var verdict: (any Error)?
      do {
        if let remembered, name.entries.count > 1 {
          do {
            return land(name, try await keyring.unwrap([remembered], for: context), askedAt: now)
          } catch {
            verdict = error
          }
        }
        return land(name, try await keyring.unwrap(name.entries, for: context), askedAt: now)
      } catch {
        let failure = verdict ?? error
        fail(name, failure)
        throw failure
      }
    }
    state.flights[name] = flight
    return flight
  }

  /// Remembers what the keyring has unwrapped; its age counts from when it was asked.
  private func land(
    _ name: Name, _ unwrapped: consuming UnwrappedDataKey, askedAt start: ContinuousClock.Instant
  ) -> SharedKey {
    let source = unwrapped.source
    let bytes = unwrapped.dataKey.withBytes { SecretBytes(copying: $0) }
    let refresh = start.advanced(by: maximumAge * (0.8 + 0.2 * timing.chance()))
    state.withLock { state in
      state.flights[name] = nil
      state.remove(name)
      if state.entries.count >= entryLimit, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        state.remove(oldest.key)
      }
      guard let slot = bytes.withBytes({ state.slots.store($0) }) else { return }
      let expiry = start.advanced(by: maximumAge)
      state.uses += 1
      state.entries[name] = Entry(
        slot: slot, source: source, expiry: expiry, refresh: refresh, nextTry: start, lastUse: state.uses)
      let end = expiry.advanced(by: graceTime)
      state.sweep = state.sweep.map { min($0, end) } ?? end
    }
    return SharedKey(bytes, source: source)
  }

  /// Keeps an entry while the service is down, and ends it where the service has spoken.
  private func fail(_ name: Name, _ error: any Error) {
    state.withLock { state in
      state.flights[name] = nil
      guard let failure = error as? EnvelopeError, failure.isOutage else { return state.remove(name) }
      state.entries[name]?.failure = failure
      state.entries[name]?.nextTry = timing.now().advanced(by: min(.seconds(1), maximumAge / 10))
    }
  }
}
