// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// One use of a local key, or one change of it, as an auditor is shown it.
///
/// It holds no secret.
public struct KeyUse: Sendable, Equatable {
  /// What was done, or tried.
  public struct Operation: RawRepresentable, Hashable, Sendable {
    /// The name in a log.
    public let rawValue: String

    /// Names an operation: 1 to 32 letters, digits and hyphens of ASCII.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A data key was wrapped: something was sealed.
    public static let wrap = Self(rawValue: "wrap")
    /// A data key was unwrapped: something was opened, or could have been.
    public static let unwrap = Self(rawValue: "unwrap")
    /// A copy of the key left the store, narrowed to the function.
    public static let export = Self(rawValue: "export")
    /// The key was destroyed, for its time had come.
    public static let destroy = Self(rawValue: "destroy")
  }

  /// When, in seconds since 1970 (UTC).
  public let time: UInt64
  /// The key: of a use the id that headers name its version by, of a change the keyset's id.
  public let keyID: KeyID
  /// What was done, or tried.
  public let operation: Operation
  /// The function that the envelope is for; nil where it names none.
  public let function: String?
  /// Why it was refused or failed; nil where it was done.
  public let failure: EnvelopeError.Code?

  /// Puts the parts together, with the time now.
  public init(
    _ operation: Operation, of keyID: KeyID, function: String? = nil, failure: EnvelopeError.Code? = nil
  ) {
    time = Clock.now
    self.keyID = keyID
    self.operation = operation
    self.function = function
    self.failure = failure
  }

  /// Is told of each use before its result is given out; where it throws, the use fails with that.
  public typealias Reporter = @Sendable (KeyUse) throws(EnvelopeError) -> Void
}
