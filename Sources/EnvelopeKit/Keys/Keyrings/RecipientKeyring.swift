// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals to recipients, for which no secret is needed, and opens nothing.
///
/// The identities that open are keysets of a ``KeyStore``: their keyring is ``KeyStore/keyring()``.
public struct RecipientKeyring: Keyring {
  /// Whom it seals to.
  public let recipients: [Recipient]

  /// Makes a keyring.
  ///
  /// - Parameter recipients: 1 to 16, all different.
  public init(_ recipients: [Recipient]) { self.recipients = recipients }

  /// Draws a data key and wraps it for every recipient.
  ///
  /// - Throws: `systemFailure` where there is no memory or randomness.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  /// Wraps a data key for every recipient.
  public func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    var wrapped: [WrappedDataKey] = []
    for recipient in recipients { wrapped.append(try recipient.wrap(dataKey, for: context)) }
    return wrapped
  }

  /// Opens nothing.
  ///
  /// - Throws: `keyNotFound` always.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    throw EnvelopeError.keyNotFound(among: wrapped)
  }
}
