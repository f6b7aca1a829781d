// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

/// Counts what another keyring is asked for.
struct CountingKeyring: Keyring {
  private let keyring: any Keyring
  /// Data keys made or wrapped.
  let wraps = Counter()
  let unwraps = Counter()

  init(_ keyring: any Keyring) { self.keyring = keyring }

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    wraps.increment()
    return try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    wraps.increment()
    return try await keyring.wrap(dataKey, for: context)
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    unwraps.increment()
    return try await keyring.unwrap(wrapped, for: context)
  }
}

/// Wraps, and does not give back what it wrapped.
struct UnreliableKeyring: Keyring {
  enum Fault: CaseIterable {
    case holdsNothing, refuses
    /// It unwraps to another data key.
    case otherKey
    /// It wraps another data key than it was given.
    case ofAnother
    case isCancelled, isCancelledWrapping, isDown
  }

  let keyring: KeysetKeyring
  let fault: Fault

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    try await keyring.generateDataKey(for: context)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    switch fault {
    case .ofAnother: try await keyring.wrap(try .generate(), for: context)
    case .isCancelledWrapping: throw CancellationError()
    default: try await keyring.wrap(dataKey, for: context)
    }
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    switch fault {
    case .holdsNothing: throw EnvelopeError.keyNotFound(among: wrapped)
    case .refuses: throw EnvelopeError(.unwrapFailed, "It refuses as it was told to")
    case .otherKey: UnwrappedDataKey(dataKey: try .generate(), source: wrapped[0])
    case .isCancelled: throw CancellationError()
    case .isDown: throw EnvelopeError(.keyServiceUnavailable, "It is down as it was told to")
    case .ofAnother, .isCancelledWrapping: try await keyring.unwrap(wrapped, for: context)
    }
  }
}

extension Argon2id.Cost {
  /// What tests can pay for each of thousands of tries: 8 KiB, once.
  static let cheap = Argon2id.Cost(memoryLog2: 3, passes: 1)
}
