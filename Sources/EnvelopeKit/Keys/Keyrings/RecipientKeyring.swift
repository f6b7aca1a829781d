// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals to recipients, for which no secret is needed, and opens nothing.
///
/// The identities that open are keysets of a ``KeyStore``: their keyring is ``KeyStore/keyring()``.
public struct RecipientKeyring: Keyring {
  /// Whom it seals to.
  public let recipients: [Recipient]

  /// How many recipients there may be: as many keys as an envelope has.
  public static let recipientLimit = 16

  /// Makes a keyring.
  ///
  /// - Parameter recipients: 1 to 16, all different.
  /// - Throws: `invalidArgument` where there are none or too many, or one is there twice: an empty list beside other
  ///   keys would seal without anybody noticing that one is missing. `unsupportedSuite` for a post-quantum one if
  ///   libsodium lacks X-Wing.
  public init(_ recipients: [Recipient]) throws(EnvelopeError) {
    guard (1...Self.recipientLimit).contains(recipients.count), Set(recipients.map(\.keyID)).count == recipients.count
    else {
      throw EnvelopeError(
        .invalidArgument, "A recipient keyring needs 1 to \(Self.recipientLimit) different recipients")
    }
    if recipients.contains(where: \.isPostQuantum) { try XWing.checkIsAvailable() }
    self.recipients = recipients
  }

  /// Draws a data key and wraps it for every recipient.
  ///
  /// - Throws: `systemFailure` where there is no memory or randomness.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  /// Wraps a data key for every recipient.
  ///
  /// - Throws: `systemFailure` where there is no memory or randomness.
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
