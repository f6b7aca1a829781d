// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// What each state of a key refuses follows AWS KMS: a disabled key is not rotated or exported, one whose deletion is
// pending is not changed at all, but for its deletion and its policy.

extension KeyStore {
  /// Makes a new primary version of a key; the older ones still unwrap.
  ///
  /// - Returns: The number of the new version.
  /// - Throws: `keyNotFound`, `keyDisabled`, `keyInvalidState`; `invalidArgument` where the key is full or narrowed;
  ///   `unsupportedSuite` for a post-quantum identity if libsodium lacks X-Wing.
  @discardableResult
  public mutating func rotate(_ aliasOrID: String) throws(EnvelopeError) -> UInt32 {
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      keyset = try keyset.rotated()
      return keyset.primary
    }
  }

  /// Lets a key be used again; an enabled one stays so.
  ///
  /// - Throws: `keyNotFound`, `keyInvalidState` where its deletion is pending.
  public mutating func enable(_ aliasOrID: String) throws(EnvelopeError) {
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkStays()
      keyset.state = .enabled
    }
  }

  /// Has a key refuse every use until it is enabled again.
  ///
  /// - Throws: `keyNotFound`, `keyInvalidState` where its deletion is pending.
  public mutating func disable(_ aliasOrID: String) throws(EnvelopeError) {
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkStays()
      keyset.state = .disabled
    }
  }

  /// Schedules the deletion of a key, which refuses every use from now on.
  ///
  /// Once the days have passed, the key counts as destroyed. Its secrets stay in the store until
  /// ``destroyOverdue()`` removes them.
  ///
  /// - Parameters:
  ///   - aliasOrID: The key.
  ///   - days: 7 to 30.
  /// - Returns: When it will be destroyed, in seconds since 1970 (UTC).
  /// - Throws: `keyNotFound`; `keyInvalidState` if its deletion is pending already; `invalidArgument`;
  ///   `systemFailure` if the clock is behind the newest version in the store, because a date that such a clock gives
  ///   may have passed already.
  @discardableResult
  public mutating func scheduleDeletion(of aliasOrID: String, afterDays days: Int = 30) throws(EnvelopeError) -> UInt64
  {
    let now = Clock.now
    try checkClock(at: now)
    return try scheduleDeletion(of: aliasOrID, afterDays: days, now: now)
  }

  /// Refuses a clock that is behind the creation of a key version: it is wrong now, or was wrong then.
  package func checkClock(at now: UInt64) throws(EnvelopeError) {
    for keyset in keysets {
      guard let version = keyset.versions.first(where: { $0.created > now }) else { continue }
      throw EnvelopeError(
        .systemFailure,
        "The clock of this machine is behind the creation of version \(version.number) of the key \(keyset.id), "
          + "so the deletion date would be wrong",
        advice: "Set the clock. If the clock is right, disable the key instead: envelope keys disable KEY")
    }
  }

  package mutating func scheduleDeletion(
    of aliasOrID: String, afterDays days: Int, now: UInt64
  ) throws(EnvelopeError) -> UInt64 {
    guard Keyset.deletionDays.contains(days) else {
      throw EnvelopeError(
        .invalidArgument,
        "A key is destroyed \(Keyset.deletionDays.lowerBound) to \(Keyset.deletionDays.upperBound) days after its deletion is scheduled"
      )
    }
    return try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkStays(at: now)
      let end = now + UInt64(days) * Keyset.secondsPerDay
      keyset.state = .pendingDeletion(at: end)
      return end
    }
  }

  /// Keeps a key whose deletion is pending; it is disabled then, as with AWS KMS.
  ///
  /// - Throws: `keyNotFound`, also where it has been destroyed by now; `keyInvalidState` where no deletion is pending.
  public mutating func cancelDeletion(of aliasOrID: String) throws(EnvelopeError) {
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkExists()
      guard case .pendingDeletion = keyset.state else {
        throw EnvelopeError(.keyInvalidState, "The key \(keyset.id) is not pending deletion")
      }
      keyset.state = .disabled
    }
  }

  /// Has versions below a number refuse to unwrap; a lower number lets them again.
  ///
  /// - Throws: `keyNotFound`, `keyInvalidState` where its deletion is pending, `invalidArgument` where the number is 0 or
  ///   above the primary version's.
  public mutating func setMinimumVersion(_ number: UInt32, of aliasOrID: String) throws(EnvelopeError) {
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkStays()
      guard (1...keyset.primary).contains(number) else {
        throw EnvelopeError(
          .invalidArgument, "The lowest version that unwraps is one from 1 to the primary, \(keyset.primary)",
          advice: "See them: envelope keys show \(keyset.id)")
      }
      keyset.minimumVersion = number
    }
  }

  /// States after how many days a version of a key should be followed by another; nil states nothing.
  ///
  /// - Throws: `keyNotFound`, `keyDisabled`, `keyInvalidState`; `invalidArgument` where it is not 1 to 2,560 days.
  public mutating func setRotationPeriod(days: Int?, of aliasOrID: String) throws(EnvelopeError) {
    if let days, !Keyset.rotationDays.contains(days) {
      throw EnvelopeError(
        .invalidArgument,
        "A rotation period is \(Keyset.rotationDays.lowerBound) to \(Keyset.rotationDays.upperBound) days")
    }
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkState()
      keyset.rotationPeriod = days
    }
  }

  /// States which functions a key serves, and for what.
  ///
  /// - Throws: `keyNotFound`.
  public mutating func setPolicy(_ policy: KeyPolicy, of aliasOrID: String) throws(EnvelopeError) {
    try change(aliasOrID) { (keyset) throws(EnvelopeError) in
      try keyset.checkExists()
      keyset.policy = policy
    }
  }

  /// Chooses the key that is used where none is named.
  ///
  /// - Throws: `keyNotFound`, `keyInvalidState` where its deletion is pending.
  public mutating func setDefault(_ aliasOrID: String) throws(EnvelopeError) {
    let keyset = try require(aliasOrID)
    try keyset.checkStays()
    defaultKeyID = keyset.id
  }

  /// Gives a key one more name: 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first.
  ///
  /// - Throws: `keyNotFound`, `keyInvalidState` where its deletion is pending, `keyExists` where the name is taken,
  ///   `invalidArgument` where it is not valid.
  public mutating func addAlias(_ alias: String, for aliasOrID: String) throws(EnvelopeError) {
    let keyset = try require(aliasOrID)
    try keyset.checkStays()
    try checkIsNew(alias)
    aliases[alias] = keyset.id
  }

  /// Has an alias stand for another key; the one that it stood for may be pending deletion.
  ///
  /// - Throws: `keyNotFound` where there is no such alias or key, `keyInvalidState` where the other key's deletion is
  ///   pending.
  public mutating func moveAlias(_ alias: String, to aliasOrID: String) throws(EnvelopeError) {
    let keyset = try require(aliasOrID)
    try keyset.checkStays()
    try checkIsAlias(alias)
    aliases[alias] = keyset.id
  }

  /// Takes an alias away; the key stays, whatever its state.
  ///
  /// - Throws: `keyNotFound` where there is no such alias.
  public mutating func removeAlias(_ alias: String) throws(EnvelopeError) {
    try checkIsAlias(alias)
    aliases[alias] = nil
  }

  private func checkIsAlias(_ alias: String) throws(EnvelopeError) {
    guard alias.utf8.allSatisfy({ $0 < 0x80 }), aliases[alias] != nil else {
      throw EnvelopeError(
        .keyNotFound, "The key store has no alias \(EnvelopeError.quoted(alias))", advice: "See: envelope keys list")
    }
  }

  /// Destroys the keys whose deletion is due: removes their secrets and aliases, and keeps their ids.
  ///
  /// No other change does this in passing. Reading a store or using its keys never does. Destroying cannot be undone,
  /// so make sure that the clock is right.
  ///
  /// - Returns: The ids of the keys that it destroyed.
  /// - Throws: `systemFailure` if there is no memory.
  public mutating func destroyOverdue() throws(EnvelopeError) -> [KeyID] { try destroyOverdue(at: Clock.now) }

  package mutating func destroyOverdue(at now: UInt64) throws(EnvelopeError) -> [KeyID] {
    var destroyed: [KeyID] = []
    for index in keysets.indices {
      guard case .pendingDeletion(let end) = keysets[index].state, end <= now else { continue }
      let id = keysets[index].id
      try keysets[index].destroy(at: end)
      destroyed.append(id)
    }
    if !destroyed.isEmpty {
      let gone = Set(destroyed)
      aliases = aliases.filter { !gone.contains($0.value) }
    }
    return destroyed
  }

  private mutating func change<R>(
    _ aliasOrID: String, _ body: (inout Keyset) throws(EnvelopeError) -> R
  ) throws(EnvelopeError) -> R {
    var keyset = try require(aliasOrID)
    let result = try body(&keyset)
    if let position = positions[keyset.id.string] { keysets[position] = keyset }
    return result
  }
}
