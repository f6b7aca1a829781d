// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What becomes of a segment's header when its keys change.
extension RecordSegment {
  /// The header of a segment under other wrapping keys; the records that follow it stay valid.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite` for a suite that is not known, `contextDiffers`,
  ///   `headerAltered`, `anonymousSender`, what the keyring throws, and what
  ///   ``Envelope/rewrap(_:_:context:using:anonymousSender:allowingFormerReadersToForge:)`` throws.
  package static func rewrapped(
    _ header: [UInt8], _ change: Rewrapping, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender, allowingFormerReadersToForge: Bool
  ) async throws -> [UInt8] {
    let unlocked = try await UnlockedHeader.unlock(
      Header(records: header), context: context, using: keyring, anonymousSender: sender)
    return try await unlocked.rewrapped(
      change, context: context, using: keyring, allowingFormerReadersToForge: allowingFormerReadersToForge
    ).bytes
  }

  /// Verifies the header of a segment.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite` for a suite that is not known, `contextDiffers`,
  ///   `headerAltered`, `anonymousSender`, or what the keyring throws.
  package static func verify(
    _ header: [UInt8], context: EncryptionContext, using keyring: some Keyring, anonymousSender sender: AnonymousSender
  ) async throws {
    _ = try await UnlockedHeader.unlock(
      Header(records: header), context: context, using: keyring, anonymousSender: sender)
  }
}
