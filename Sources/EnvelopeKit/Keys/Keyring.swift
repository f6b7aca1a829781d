// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Generates, wraps and unwraps data keys: a key service of one's own is these three methods.
///
/// Throw ``EnvelopeError`` with `keyNotFound` where none of the keys is held, `unwrapFailed` where a key is
/// held and refuses, and `keyServiceUnavailable` where nobody answers; other errors are passed on as they are.
public protocol Keyring: Sendable {
  /// Makes a data key and wraps it with every key that this keyring wraps with.
  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey

  /// Wraps a data key that exists, with every key that this keyring wraps with.
  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey]

  /// Unwraps the first of the entries that it can.
  ///
  /// The entries come from a header that has not been verified: ask no key service about a key that your
  /// caller did not name.
  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey

  /// Who is told of what is opened and cached by means of this keyring; nil unless it says otherwise. A keyring that
  /// passes its work on to another passes on the other's observer.
  var observer: (any EnvelopeObserver)? { get }

  /// Whether unwrapping calls a service, whose response may take long. Defaults to false.
  ///
  /// A ``MultiKeyring`` calls the next keyring beside one that does after half a second. A keyring that passes its work on
  /// to another returns the other's value.
  var callsService: Bool { get }
}

extension Keyring {
  /// No.
  public var callsService: Bool { false }

  /// Nobody.
  public var observer: (any EnvelopeObserver)? { nil }
}

/// A new data key and the same key wrapped, once for each wrapping key.
public struct GeneratedDataKey: ~Copyable, Sendable {
  /// The key.
  public let dataKey: DataKey
  /// The key wrapped; 1 to 16 entries with different key ids.
  public let wrapped: [WrappedDataKey]

  /// Puts the parts together.
  public init(dataKey: consuming DataKey, wrapped: [WrappedDataKey]) {
    self.dataKey = dataKey
    self.wrapped = wrapped
  }

  /// Gives up the data key to a new owner.
  consuming func takeDataKey() -> DataKey { dataKey }
}

/// A data key that was unwrapped, and which entry it came from.
public struct UnwrappedDataKey: ~Copyable, Sendable {
  /// The key.
  public let dataKey: DataKey
  /// The entry that it was unwrapped from, one of those given.
  public let source: WrappedDataKey
  /// Called once a header has verified with the key, so that a cache may remember it.
  let whenVerified: (@Sendable () -> Void)?

  /// Puts the parts together.
  ///
  /// A keyring that passes on what another keyring unwrapped returns that value itself: a cache inside remembers only
  /// what comes back to it in this way.
  public init(dataKey: consuming DataKey, source: WrappedDataKey) {
    self.init(dataKey: dataKey, source: source, whenVerified: nil)
  }

  init(dataKey: consuming DataKey, source: WrappedDataKey, whenVerified: (@Sendable () -> Void)?) {
    self.dataKey = dataKey
    self.source = source
    self.whenVerified = whenVerified
  }

  /// Gives up the data key to a new owner.
  consuming func takeDataKey() -> DataKey { dataKey }
}
