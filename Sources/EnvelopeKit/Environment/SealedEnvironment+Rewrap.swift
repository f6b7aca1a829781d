// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// Returns the same environment under other wrapping keys: data key, context, generation and variables stay.
  ///
  /// It is verified first, and nothing is dropped before every new entry has been opened again.
  ///
  /// - Parameters:
  ///   - change: Which wrapped keys to add and which to drop.
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept an environment that was opened through the entry of a recipient.
  ///   - allowingFormerReadersToForge: Whether to keep the data key although a removed reader, or an anonymous sender,
  ///     knows it, can read what is set later, and can forge envelopes that the readers of the result accept. Without
  ///     it, reseal instead. Versions of one local key are one reader.
  /// - Throws: What ``open(context:using:minimumGeneration:anonymousSender:)`` throws; `entryNotReadBack` if an entry is
  ///   to be dropped and a new one cannot be opened by the keyring that made it; `keyNotFound` as
  ///   ``Rewrapping/newestVersions(of:)`` says; `invalidArgument` if no key or more than 16 would remain, a reader would
  ///   be removed, or an anonymous sender forgotten.
  public func rewrapped(
    _ change: Rewrapping, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused, allowingFormerReadersToForge: Bool = false
  ) async throws -> SealedEnvironment {
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring, anonymousSender: sender)
    _ = try open(with: unlocked)
    let rewrapped = try await unlocked.rewrapped(
      change, context: context, using: keyring, allowingFormerReadersToForge: allowingFormerReadersToForge)
    return SealedEnvironment(
      header: rewrapped, generation: generation, payload: payload, plain: plain, allowedPlain: allowedPlain)
  }

  /// Returns the same variables under a new data key and the next generation.
  ///
  /// - Parameters:
  ///   - context: The pairs given when it was sealed, and bound to the new environment.
  ///   - keyring: Unwraps the old data key.
  ///   - newKeyring: Generates and wraps the new one.
  ///   - sender: Whether to accept an environment that was opened through the entry of a recipient.
  /// - Throws: What opening and sealing throw; `invalidArgument` if plain variables belong to the environment and it was
  ///   not read from a document.
  public func resealed(
    context: EncryptionContext, using keyring: some Keyring, sealingWith newKeyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws -> SealedEnvironment {
    let (opened, tags) = try await openReporting(context: context, using: keyring, anonymousSender: sender)
    guard plain != nil || tags == .none else { throw EnvelopeError.plainVariablesUnknown }
    return try await Self.seal(
      opened, beside: plain, as: form, context: context, using: newKeyring,
      generation: Self.generation(after: generation)
    ).with(plain: plain, allowing: allowedPlain)
  }
}
