// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Wraps with every one of several keyrings, and unwraps with the first that can: any of several keys opens.
public struct MultiKeyring: Keyring {
  private let keyrings: [any Keyring]

  /// Makes a keyring of keyrings.
  ///
  /// - Parameter keyrings: At least one; the first generates the data key. Together they may wrap with at
  ///   most 16 keys, all different.
  /// - Throws: `invalidArgument` where there is none.
  public init(_ keyrings: [any Keyring]) throws(EnvelopeError) {
    guard !keyrings.isEmpty else {
      throw EnvelopeError(.invalidArgument, "A multi-keyring needs at least one keyring")
    }
    self.keyrings = keyrings
  }

  /// The first observer of any of them.
  public var observer: (any EnvelopeObserver)? { keyrings.lazy.compactMap(\.observer).first }

  /// Has the first keyring make a data key, and the others wrap it too.
  ///
  /// - Throws: What any of them throws: an envelope is under all of the keys or not made.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let generated = try await keyrings[0].generateDataKey(for: context)
    var wrapped = generated.wrapped
    for keyring in keyrings.dropFirst() {
      wrapped += try await keyring.wrap(generated.dataKey, for: context)
    }
    return GeneratedDataKey(dataKey: generated.takeDataKey(), wrapped: wrapped)
  }

  /// Wraps a data key with every keyring.
  public func wrap(
    _ dataKey: borrowing DataKey, for context: EncryptionContext
  ) async throws -> [WrappedDataKey] {
    var wrapped: [WrappedDataKey] = []
    for keyring in keyrings {
      wrapped += try await keyring.wrap(dataKey, for: context)
    }
    return wrapped
  }

  /// Asks the keyrings one after the other, and stops at the first that unwraps.
  ///
  /// They are asked about the entries of recipients last: what is opened by one of those proves no sender.
  ///
  /// - Throws: If none does, `keyNotFound` if they all hold no key, else the first other error. If one says more exactly
  ///   why it holds none (a key was destroyed), that error. A ``KeysetKeyring`` of the same keysets throws the same.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    var failures = UnwrapFailures()
    let parts = [wrapped.filter { !$0.scheme.isAnonymous }, wrapped.filter { $0.scheme.isAnonymous }]
    for entries in parts where !entries.isEmpty {
      for keyring in keyrings {
        do {
          return try await keyring.unwrap(entries, for: context)
        } catch is CancellationError {
          throw CancellationError()
        } catch {
          failures.add(error, among: entries)
        }
      }
    }
    throw failures.error(among: wrapped)
  }
}
