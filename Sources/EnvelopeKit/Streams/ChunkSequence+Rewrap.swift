// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What becomes of a file's header when its keys change.
extension ChunkSequence {
  /// The header of a file under other wrapping keys; the chunks that follow it stay valid.
  ///
  /// - Throws: What ``unlock(_:context:using:anonymousSender:)`` throws, but for a known suite that is not available, and
  ///   what ``Envelope/rewrap(_:_:context:using:anonymousSender:allowingFormerReadersToForge:)`` throws.
  package static func rewrapped(
    _ header: [UInt8], _ change: Rewrapping, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender, allowingFormerReadersToForge: Bool
  ) async throws -> [UInt8] {
    var reader = ByteReader(header)
    let parsed = try Header(from: &reader, expecting: .file)
    let unlocked = try await UnlockedHeader.unlock(parsed, context: context, using: keyring, anonymousSender: sender)
    return try await unlocked.rewrapped(
      change, context: context, using: keyring, allowingFormerReadersToForge: allowingFormerReadersToForge
    ).bytes
  }

  /// Begins a file with the suite and the chunk size of another.
  package static func make(
    like header: Header, context: EncryptionContext, using keyring: some Keyring
  ) async throws -> ChunkSequence {
    try await make(
      context: context, suite: header.suite, chunkSize: header.form.chunkSize ?? .standard, using: keyring)
  }
}
