// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Is told what happens, so that a host can count it; ``ObservedKeyring`` brings it in.
///
/// It is called on the thread on which the thing happens, for every value that an ``Opener`` opens too: it should return
/// at once.
public protocol EnvelopeObserver: Sendable {
  /// Something happened.
  func observe(_ event: EnvelopeEvent)
}

/// One thing that happened; it holds no secret.
public struct EnvelopeEvent: Sendable {
  /// What happened; a later release may add more.
  public struct Kind: RawRepresentable, Hashable, Sendable {
    /// The name, as a metric may have it.
    public let rawValue: String

    /// Names a kind.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The keyring made or wrapped a data key.
    public static let wrapped = Self(rawValue: "wrapped")
    /// The keyring did not make or wrap a data key.
    public static let wrapFailed = Self(rawValue: "wrapFailed")
    /// The keyring unwrapped a data key.
    public static let unwrapped = Self(rawValue: "unwrapped")
    /// The keyring did not unwrap a data key.
    public static let unwrapFailed = Self(rawValue: "unwrapFailed")
    /// A cache had the data key: the keyring was not asked, or nobody waited for it.
    public static let cacheHit = Self(rawValue: "cacheHit")
    /// A cache did not have the data key.
    public static let cacheMissed = Self(rawValue: "cacheMissed")
    /// A cache gave a data key beyond its maximum age.
    public static let cacheStale = Self(rawValue: "cacheStale")
    /// A value or an environment was opened.
    public static let opened = Self(rawValue: "opened")
    /// A value or an environment did not open.
    public static let openFailed = Self(rawValue: "openFailed")
  }

  /// What happened.
  public let kind: Kind
  /// The entry that a data key was unwrapped from; nil where there is none, or the event says nothing of it.
  public let source: WrappedDataKey?
  /// What it failed with; nil where it did not.
  public let failure: (any Error)?

  init(_ kind: Kind, source: WrappedDataKey? = nil, failure: (any Error)? = nil) {
    self.kind = kind
    self.source = source
    self.failure = failure
  }
}

/// A keyring whose use an observer is told of, and with it what is opened and cached on top of it.
public struct ObservedKeyring: Keyring {
  private let keyring: any Keyring
  /// Who is told.
  public let observer: (any EnvelopeObserver)?

  /// Puts an observer before a keyring.
  ///
  /// Put a ``CachingKeyring`` in front of this one, not behind it, and the cache's hits are told too.
  public init(_ keyring: some Keyring, observer: some EnvelopeObserver) {
    self.keyring = keyring
    self.observer = observer
  }

  /// Has the keyring make a data key.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    do {
      let generated = try await keyring.generateDataKey(for: context)
      observer?.observe(EnvelopeEvent(.wrapped))
      return generated
    } catch {
      observer?.observe(EnvelopeEvent(.wrapFailed, failure: error))
      throw error
    }
  }

  /// Has the keyring wrap a data key.
  public func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    do {
      let wrapped = try await keyring.wrap(dataKey, for: context)
      observer?.observe(EnvelopeEvent(.wrapped))
      return wrapped
    } catch {
      observer?.observe(EnvelopeEvent(.wrapFailed, failure: error))
      throw error
    }
  }

  /// Has the keyring unwrap a data key.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    do {
      let unwrapped = try await keyring.unwrap(wrapped, for: context)
      observer?.observe(EnvelopeEvent(.unwrapped, source: unwrapped.source))
      return unwrapped
    } catch {
      observer?.observe(EnvelopeEvent(.unwrapFailed, failure: error))
      throw error
    }
  }
}
