// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Seals values under data keys that serve for a stated time and number of values, one for each encryption context.
///
/// Use it for values of many contexts that come one by one: the keyring is called once in a while and not for each, as a
/// ``Sealer`` does for one context. Callers that need a data key of one context at the same time share one call. Only
/// values are sealed in this way: environments always get a data key of their own.
///
/// The keys lie in one allocation of guarded memory, never more than the entry limit. One whose time has passed is wiped
/// when the sealer is next used or released. A data key that arrives seals the values that waited for it, also if its
/// time has passed or it has already made room for another.
public final class CachingSealer: Sendable {
  private let keyring: any Keyring
  private let suite: AlgorithmSuite
  private let maximumAge: Duration
  private let messageLimit: Int
  private let byteLimit: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let salt: [UInt8]
  private let state: Mutex<State>

  private struct State: ~Copyable {
    var table: SecretTable<Entry>
    var calls: [CacheName: KeyTask<NewKey>] = [:]

    init(table: consuming SecretTable<Entry>) { self.table = table }
  }

  /// What belongs to a payload key.
  private final class Entry: Sendable {
    /// The header of every envelope that the key seals.
    let header: [UInt8]
    private let left: Mutex<(messages: Int, bytes: Int)>

    init(header: [UInt8], messages: Int, bytes: Int) {
      self.header = header
      left = Mutex((messages, bytes))
    }

    /// Counts one value against the limits; false if it does not fit.
    func count(_ byteCount: Int) -> Bool {
      left.withLock { left in
        guard left.messages >= 1, left.bytes >= byteCount else { return false }
        left.messages -= 1
        left.bytes -= byteCount
        return true
      }
    }
  }

  /// A payload key that has just arrived, for the callers that wait for it.
  private final class NewKey: Sendable {
    let key: SecretBytes
    let entry: Entry

    init(_ key: consuming SecretBytes, _ entry: Entry) {
      self.key = key
      self.entry = entry
    }
  }

  /// The result of a lookup: a payload key with one value counted against its limits, or the call that makes the next.
  private enum Found: ~Copyable, Sendable {
    case key(SecretBytes, header: [UInt8])
    case calling(KeyTask<NewKey>)
  }

  /// The most values that one data key may seal: 2³².
  public static let greatestMessageLimit = 1 << 32

  /// Creates a sealer that has no data key yet.
  ///
  /// - Parameters:
  ///   - keyring: Generates and wraps the data keys.
  ///   - suite: The cipher of the values.
  ///   - maximumAge: How long a data key serves; more than zero, at most ``CachingKeyring/durationLimit``.
  ///   - messageLimit: How many values it seals, 1 to ``greatestMessageLimit``.
  ///   - byteLimit: How many bytes of plaintext it seals; at least 1.
  ///   - entryLimit: For how many contexts keys are kept, 1 to 65,536; the least recently used makes room. Each takes 32
  ///     bytes of guarded memory, allocated at once.
  /// - Throws: `unsupportedSuite`, `invalidArgument` if a limit is broken, `systemFailure` if there is no memory or randomness.
  public convenience init(
    using keyring: some Keyring, suite: AlgorithmSuite = .chaCha20Poly1305, maximumAge: Duration,
    messageLimit: Int = 1 << 20, byteLimit: Int = 1 << 36, entryLimit: Int = 100
  ) throws(EnvelopeError) {
    try self.init(
      using: keyring, suite: suite, maximumAge: maximumAge, messageLimit: messageLimit, byteLimit: byteLimit,
      entryLimit: entryLimit, now: { .now })
  }

  package init(
    using keyring: some Keyring, suite: AlgorithmSuite = .chaCha20Poly1305, maximumAge: Duration,
    messageLimit: Int = 1 << 20, byteLimit: Int = 1 << 36, entryLimit: Int = 100,
    now: @escaping @Sendable () -> ContinuousClock.Instant
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
    try suite.aead.checkIsAvailable()
    self.keyring = keyring
    self.suite = suite
    self.maximumAge = maximumAge
    self.messageLimit = messageLimit
    self.byteLimit = byteLimit
    self.now = now
    salt = try Randomness.bytes(BLAKE2b.saltByteCount)
    state = Mutex(State(table: try SecretTable(capacity: entryLimit, byteCount: AEAD.keyByteCount)))
  }

  /// Whether the system keeps the keys out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { state.withLock { $0.table.isLocked } }

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
    let name = try CacheName(context, salt: salt)
    while true {
      switch find(name, context, byteCount: plaintext.count) {
      case .key(let key, let header):
        return try Sealer.seal(plaintext, authenticating: associatedData, under: header, with: suite.aead, key: key)
      case .calling(let call):
        let new = try await call.key
        guard new.entry.count(plaintext.count) else { continue }
        return try Sealer.seal(
          plaintext, authenticating: associatedData, under: new.entry.header, with: suite.aead, key: new.key)
      }
    }
  }

  private func find(_ name: CacheName, _ context: EncryptionContext, byteCount: Int) -> Found {
    state.withLock { state in
      let now = now()
      state.table.removeOverdue(at: now)
      if let slot = state.table.slot(of: name, at: now), let entry = state.table.value(slot) {
        if entry.count(byteCount) {
          state.table.use(slot)
          return .key(state.table.secret(slot), header: entry.header)
        }
        state.table.remove(slot)
      }
      if let call = state.calls[name] { return .calling(call) }
      // A task of its own: cancelling one caller leaves the call to the others.
      let call = KeyTask { [self] in
        do {
          let unlocked = try await UnlockedHeader.make(.value(suite), context: context, using: keyring)
          let entry = Entry(header: unlocked.header.bytes, messages: messageLimit, bytes: byteLimit)
          let new = NewKey(try unlocked.keys.key(.payload), entry)
          succeed(name, with: new, startedAt: now)
          return new
        } catch {
          fail(name)
          throw error
        }
      }
      state.calls[name] = call
      return .calling(call)
    }
  }

  private func fail(_ name: CacheName) { state.withLock { $0.calls[name] = nil } }

  private func succeed(_ name: CacheName, with new: NewKey, startedAt start: ContinuousClock.Instant) {
    let end = start.advanced(by: maximumAge)
    state.withLock { state in
      state.calls[name] = nil
      guard now() < end else { return }
      new.key.withBytes { state.table.insert($0, new.entry, named: name, until: end) }
    }
  }
}

extension CachingSealer {
  /// How many keys are kept, and how many calls are in flight.
  var counts: (keys: Int, calls: Int) { state.withLock { ($0.table.count, $0.calls.count) } }
}

extension CachingSealer: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
