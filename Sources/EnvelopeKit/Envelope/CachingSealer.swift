// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Seals values under data keys that serve for a stated time and number of values, one for each encryption context.
///
/// Where values of many contexts come one by one, this asks the keyring once in a while and not for each, as a
/// ``Sealer`` does for one context. However many ask for a context at once, the keyring is asked once. Only values are
/// sealed in this way: environments always get a data key of their own.
///
/// The data keys lie in guarded memory. One that has passed its time is wiped when its context is next used, makes room
/// for another, or the sealer goes.
public final class CachingSealer: Sendable {
  private let keyring: any Keyring
  private let maximumAge: Duration
  private let messageLimit: Int
  private let byteLimit: Int
  private let entryLimit: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  private struct State {
    var entries: [[UInt8]: Entry] = [:]
    var flights: [[UInt8]: Task<Void, any Error>] = [:]
    var uses: UInt64 = 0
  }

  private struct Entry {
    let sealer: Sealer
    let expiry: ContinuousClock.Instant
    var messagesLeft: Int
    var bytesLeft: Int
    var lastUse: UInt64
  }

  /// The most values that one data key may seal: 2³².
  public static let greatestMessageLimit = 1 << 32

  /// Makes a sealer that has no data key yet.
  ///
  /// - Parameters:
  ///   - keyring: Makes and wraps the data keys.
  ///   - maximumAge: How long a data key serves; more than zero, at most ``CachingKeyring/durationLimit``.
  ///   - messageLimit: How many values it seals, 1 to ``greatestMessageLimit``.
  ///   - byteLimit: How many bytes of plaintext it seals; at least 1.
  ///   - entryLimit: For how many contexts data keys are kept, 1 to 65,536; the one not used for longest makes room.
  /// - Throws: `invalidArgument` where a limit is broken.
  public convenience init(
    using keyring: some Keyring, maximumAge: Duration, messageLimit: Int = 1 << 20, byteLimit: Int = 1 << 36,
    entryLimit: Int = 100
  ) throws(EnvelopeError) {
    try self.init(
      using: keyring, maximumAge: maximumAge, messageLimit: messageLimit, byteLimit: byteLimit, entryLimit: entryLimit,
      now: { .now })
  }

  package init(
    using keyring: some Keyring, maximumAge: Duration, messageLimit: Int = 1 << 20, byteLimit: Int = 1 << 36,
    entryLimit: Int = 100, now: @escaping @Sendable () -> ContinuousClock.Instant
  ) throws(EnvelopeError) {
    guard maximumAge > .zero, maximumAge <= CachingKeyring.durationLimit,
      (1...Self.greatestMessageLimit).contains(messageLimit), byteLimit >= 1,
      (1...CachingKeyring.greatestEntryLimit).contains(entryLimit)
    else {
      throw EnvelopeError(
        .invalidArgument,
        "A caching sealer needs an age above zero and at most 366 days, 1 to 2³² messages, at least "
          + "1 byte, and room for 1 to \(CachingKeyring.greatestEntryLimit) contexts")
    }
    self.keyring = keyring
    self.maximumAge = maximumAge
    self.messageLimit = messageLimit
    self.byteLimit = byteLimit
    self.entryLimit = entryLimit
    self.now = now
  }

  /// Seals a value into an envelope of its own.
  ///
  /// - Parameters:
  ///   - plaintext: At most the byte limit.
  ///   - context: Pairs that must be given again to open.
  ///   - associatedData: What says where the value belongs; at least one byte, for envelopes of one data key could
  ///     otherwise be swapped.
  /// - Throws: `invalidArgument` where there is no associated data, the plaintext is longer than the byte limit, or the
  ///   context breaks a limit; else what the keyring throws.
  public func seal(
    _ plaintext: [UInt8], context: EncryptionContext, authenticating associatedData: [UInt8]
  ) async throws -> [UInt8] {
    guard plaintext.count <= byteLimit else {
      throw EnvelopeError(
        .invalidArgument, "The value is longer than the \(byteLimit) bytes that one data key may seal",
        advice: "Seal it as an envelope of its own.")
    }
    let name = try context.canonicalBytes()
    while true {
      let (sealer, flight) = find(name, context, byteCount: plaintext.count)
      if let sealer { return try sealer.seal(plaintext, authenticating: associatedData) }
      try await flight?.value
    }
  }

  /// A sealer with one value counted against its limits, or the task that makes the next.
  private func find(
    _ name: [UInt8], _ context: EncryptionContext, byteCount: Int
  ) -> (sealer: Sealer?, flight: Task<Void, any Error>?) {
    state.withLock { state in
      let now = now()
      if var entry = state.entries[name] {
        // A new data key seals one value, however long it took to come: else a slow service were asked for ever.
        if now < entry.expiry || entry.messagesLeft == messageLimit, entry.messagesLeft >= 1,
          entry.bytesLeft >= byteCount
        {
          state.uses += 1
          entry.messagesLeft -= 1
          entry.bytesLeft -= byteCount
          entry.lastUse = state.uses
          state.entries[name] = entry
          return (entry.sealer, nil)
        }
        state.entries[name] = nil
      }
      if let flight = state.flights[name] { return (nil, flight) }
      // A task of its own: whoever asked first may be cancelled, and the others get their answer.
      let flight = Task {
        do {
          land(name, try await Sealer(context: context, using: keyring), askedAt: now)
        } catch {
          fail(name)
          throw error
        }
      }
      state.flights[name] = flight
      return (nil, flight)
    }
  }

  private func fail(_ name: [UInt8]) { state.withLock { $0.flights[name] = nil } }

  private func land(_ name: [UInt8], _ sealer: Sealer, askedAt start: ContinuousClock.Instant) {
    state.withLock { state in
      state.flights[name] = nil
      // One that was not used yet has somebody waiting for it.
      let used = state.entries.count >= entryLimit ? state.entries.filter { $0.value.messagesLeft < messageLimit } : [:]
      if let oldest = used.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        state.entries[oldest.key] = nil
      }
      state.uses += 1
      state.entries[name] = Entry(
        sealer: sealer, expiry: start.advanced(by: maximumAge), messagesLeft: messageLimit, bytesLeft: byteLimit,
        lastUse: state.uses)
    }
  }
}

extension CachingSealer: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
