// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Keyset {
  /// Whether a key can be used, after AWS KMS's key states.
  public enum State: Sendable, Hashable {
    /// It wraps and unwraps.
    case enabled
    /// It does neither until it is enabled again.
    case disabled
    /// It does neither, and is destroyed at the given time (seconds since 1970, UTC) unless that is cancelled.
    case pendingDeletion(at: UInt64)
    /// Its secrets are gone since the given time; only its id is remembered.
    case destroyed(at: UInt64)
  }

  /// After how many days a scheduled deletion may come.
  public static let deletionDays = 7...30
  /// What a rotation period may be, in days.
  public static let rotationDays = 1...2560

  static let secondsPerDay: UInt64 = 86_400

  /// The state at a time in seconds since 1970 (UTC): one whose deletion is due is destroyed, whether the store has been
  /// written since or not.
  public func state(at time: UInt64) -> State {
    if case .pendingDeletion(let end) = state, end <= time { return .destroyed(at: end) }
    return state
  }

  /// When the primary version's rotation period ends, in seconds since 1970 (UTC); nil where none was stated.
  public var rotationDue: UInt64? {
    guard let rotationPeriod, let created = primaryVersion?.created else { return nil }
    let (due, overflows) = created.addingReportingOverflow(UInt64(rotationPeriod) * Self.secondsPerDay)
    return overflows ? nil : due
  }

  /// Refuses what only an enabled key does, as AWS KMS does.
  ///
  /// - Throws: `keyDisabled`, `keyInvalidState` where its deletion is pending, `keyNotFound` once it is destroyed.
  package func checkState(at time: @autoclosure () -> UInt64 = Clock.now) throws(EnvelopeError) {
    // To ask for the time takes as long as to hash a short message.
    guard state != .enabled else { return }
    try checkStays(at: time())
    guard state == .disabled else { return }
    throw EnvelopeError(
      .keyDisabled, "The key \(shown) is disabled",
      advice: "Enable it, if it may be used: envelope keys enable \(handle)")
  }

  /// Refuses what no key does that is to be destroyed.
  func checkStays(at time: UInt64 = Clock.now) throws(EnvelopeError) {
    try checkExists(at: time)
    guard case .pendingDeletion = state else { return }
    throw EnvelopeError(
      .keyInvalidState, "The key \(shown) is pending deletion",
      advice: "Keep it, if it is still needed: envelope keys cancel-deletion \(handle)")
  }

  /// Refuses a key that is gone.
  func checkExists(at time: UInt64 = Clock.now) throws(EnvelopeError) {
    guard case .destroyed = state(at: time) else { return }
    throw EnvelopeError(
      .keyNotFound, "The key \(shown) was destroyed: what was sealed under it alone opens no more",
      advice: "Open it with another of its keys, or restore the key store from a backup.")
  }

  /// Refuses a use that state, policy or version do not allow.
  ///
  /// - Throws: As ``checkState(at:)``; `keyAccessDenied` by the policy; `keyVersionTooOld`.
  func check(_ operation: KeyPolicy.Operation, version: UInt32, for context: EncryptionContext) throws(EnvelopeError) {
    try checkState()
    guard policy.allows(operation, for: context) else {
      let scope = FunctionScope(unchecked: context.function)
      throw EnvelopeError(
        .keyAccessDenied, "The policy of the key \(shown) does not let it \(operation.rawValue) for \(scope)",
        advice: "Use another key, or change the policy: envelope keys policy \(handle)")
    }
    guard version >= minimumVersion else {
      throw EnvelopeError(
        .keyVersionTooOld,
        "Version \(version) of the key \(shown) no longer unwraps: the lowest that does is \(minimumVersion)",
        advice: "Use what was sealed or rewrapped since, or lower the minimum: "
          + "envelope keys minimum \(handle) \(version)")
    }
  }
}
