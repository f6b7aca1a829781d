// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit
internal import Synchronization

extension FakeKeyService {
  /// Makes a key.
  ///
  /// - Parameters:
  ///   - alias: A name for it, `alias/checkout` say; see ``createAlias(_:for:)``.
  ///   - state: The state that it begins in.
  /// - Returns: Its id, such as `arn:fake:kms:local:111122223333:key/0b8…`.
  /// - Throws: `invalidArgument` and `keyExists` for the alias, `systemFailure` where there is no memory.
  @discardableResult
  public func createKey(alias: String? = nil, state initial: KeyState = .enabled) throws(EnvelopeError) -> KeyID {
    let id = try KeyID(prefix + "key/" + Self.uuid(of: Randomness.bytes(16)))
    let material = try WrappingKey.generate()
    try manage { (state) throws(Refusal) in
      // A key whose alias is refused is not made.
      if let alias { try state.checkNewAlias(alias) }
      state.keys[id] = Key(id: id, state: .enabled, material: [material])
      state.keys[id]?.set(initial, deletionDay: state.today + 30)
      if let alias { state.aliases[alias] = id }
    }
    return id
  }

  /// The state of a key, whatever it is (DescribeKey).
  ///
  /// - Throws: `keyNotFound` where there is none, or no longer.
  public func state(of key: KeyID) throws(EnvelopeError) -> KeyState {
    try manage { (state) throws(Refusal) in try state.key(key).state }
  }

  /// Puts a key into a state from outside, as no operation could: to test what a state refuses.
  ///
  /// Pending deletion begins with a window of 30 days.
  ///
  /// - Throws: `keyNotFound`.
  public func setState(_ newState: KeyState, of key: KeyID) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      let deletionDay = state.today + 30
      try state.change(key) { $0.set(newState, deletionDay: deletionDay) }
    }
  }

  /// Enables a key.
  ///
  /// - Throws: `keyNotFound`; `keyInvalidState` where it is pending deletion or import, being created or updated.
  public func enable(_ key: KeyID) throws(EnvelopeError) {
    try change(key, .enableKey) { $0.set(.enabled) }
  }

  /// Disables a key.
  ///
  /// - Throws: As for ``enable(_:)``.
  public func disable(_ key: KeyID) throws(EnvelopeError) {
    try change(key, .disableKey) { $0.set(.disabled) }
  }

  /// Has a key destroyed once some days have passed (see ``timePasses(days:)``).
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - days: 7 to 30.
  /// - Throws: `keyNotFound`; `keyInvalidState` where that was scheduled already; `invalidArgument` for the days.
  public func scheduleDeletion(of key: KeyID, inDays days: Int = 30) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      guard (7...30).contains(days) else {
        throw Refusal(.validation, "A key can be deleted in 7 to 30 days, not in \(days)")
      }
      try state.check(.scheduleKeyDeletion, of: key)
      let deletionDay = state.today + days
      try state.change(key) { $0.set(.pendingDeletion, deletionDay: deletionDay) }
    }
  }

  /// Cancels the deletion of a key, which is disabled afterwards.
  ///
  /// - Throws: `keyNotFound`; `keyInvalidState` where none was scheduled.
  public func cancelDeletion(of key: KeyID) throws(EnvelopeError) {
    try change(key, .cancelKeyDeletion) { $0.set(.disabled) }
  }

  /// Gives a key new material, which wraps from now on; what older material wrapped still unwraps.
  ///
  /// - Throws: `keyNotFound`; `keyDisabled`; `keyInvalidState`; `systemFailure` where there is no memory.
  public func rotate(_ key: KeyID) throws(EnvelopeError) {
    let material = try WrappingKey.generate()
    try change(key, .rotateKey) { $0.material.append(material) }
  }

  /// Lets days pass: keys whose window is over are destroyed, with their aliases and grants.
  ///
  /// - Parameter days: At least 0 and at most 1,000,000; fewer are none, and more are as many as that.
  public func timePasses(days: Int) {
    state.withLock { state in
      state.today += min(max(0, days), 1_000_000)
      for (id, key) in state.keys where key.deletionDay.map({ $0 <= state.today }) ?? false {
        state.keys[id] = nil
        state.aliases = state.aliases.filter { $0.value != id }
        state.grants = state.grants.filter { $0.value.key != id }
      }
    }
  }

  private func change(
    _ key: KeyID, _ management: Management, _ body: (inout Key) -> Void
  ) throws(EnvelopeError) {
    try manage { (state) throws(Refusal) in
      try state.check(management, of: key)
      try state.change(key, body)
    }
  }

  /// Sixteen bytes as a random UUID is written.
  private static func uuid(of bytes: [UInt8]) -> String {
    var bytes = bytes
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let hyphens: Set = [4, 6, 8, 10]
    return bytes.enumerated().map { index, byte in
      (hyphens.contains(index) ? "-" : "") + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}

extension FakeKeyService.Key {
  /// Moves to a state; only one that is pending deletion has a day of it.
  mutating func set(_ newState: FakeKeyService.KeyState, deletionDay day: Int = 0) {
    state = newState
    deletionDay = newState == .pendingDeletion ? day : nil
  }
}

extension FakeKeyService.State {
  /// The key with an id.
  func key(_ id: KeyID) throws(FakeKeyService.Refusal) -> FakeKeyService.Key {
    guard let key = keys[id] else {
      throw FakeKeyService.Refusal(.notFound, "The key service has no key \(EnvelopeError.quoted(id.string))")
    }
    return key
  }

  mutating func change(
    _ id: KeyID, _ body: (inout FakeKeyService.Key) -> Void
  ) throws(FakeKeyService.Refusal) {
    var key = try key(id)
    body(&key)
    keys[id] = key
  }

  /// Checks that a key is there, and that its state allows what is to be done to it.
  func check(_ management: FakeKeyService.Management, of id: KeyID) throws(FakeKeyService.Refusal) {
    let key = try key(id)
    if let kind = key.state.refusal(of: management) { throw .state(kind, key) }
  }
}

extension FakeKeyService.Refusal {
  /// A refusal because of a key's state.
  static func state(_ kind: Kind, _ key: FakeKeyService.Key) -> FakeKeyService.Refusal {
    FakeKeyService.Refusal(kind, "The key \(key.id) is in the state \(key.state.rawValue), which does not allow this")
  }
}
