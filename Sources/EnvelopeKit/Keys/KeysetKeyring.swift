// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Wraps with one local keyset, and unwraps with that and any others that it is given.
public struct KeysetKeyring: Keyring {
  // The one that wraps, and those that only unwrap.
  private let keysets: [Keyset]

  /// Makes a keyring.
  ///
  /// - Parameters:
  ///   - keyset: Wraps new data keys, and unwraps.
  ///   - others: Unwrap only.
  public init(_ keyset: Keyset, alsoUnwrappingWith others: [Keyset] = []) {
    keysets = [keyset] + others
  }

  /// The keyset that wraps.
  public var keyset: Keyset { keysets[0] }

  /// Draws a data key and wraps it with the primary version.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  /// Wraps a data key with the primary version.
  public func wrap(
    _ dataKey: borrowing DataKey, for context: EncryptionContext
  ) async throws -> [WrappedDataKey] {
    guard let version = keyset.versions.first(where: { $0.number == keyset.primary }) else { return [] }
    return [try version.key.wrap(dataKey, keyID: keyset.keyID(of: version), for: context)]
  }

  /// Unwraps the first entry whose key id names a version held here.
  ///
  /// - Throws: `keyNotFound` where none does, `unwrapFailed` where those that do were altered.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    var failure: EnvelopeError?
    for entry in wrapped where entry.scheme == .keyset {
      // More than one keyset has the version where a copy of a keyset went its own way.
      for keyset in keysets {
        guard let version = keyset.version(named: entry.keyID) else { continue }
        do {
          return UnwrappedDataKey(dataKey: try version.key.unwrap(entry, for: context), source: entry)
        } catch {
          failure = error
        }
      }
    }
    throw failure ?? .keyNotFound(among: wrapped)
  }
}

extension EnvelopeError {
  package static func keyNotFound(among wrapped: [WrappedDataKey]) -> EnvelopeError {
    let keys = wrapped.map { "\($0.scheme) \($0.keyID)" }.joined(separator: ", ")
    return EnvelopeError(
      .keyNotFound, "The keyring holds none of the envelope's keys (\(keys))",
      advice: wrapped.contains { $0.scheme == .awsKMS }
        ? "Name the KMS key, or open it with a keyring, or on a machine, that holds one of them."
        : "Open it with a keyring, or on a machine, that holds one of them.")
  }
}
