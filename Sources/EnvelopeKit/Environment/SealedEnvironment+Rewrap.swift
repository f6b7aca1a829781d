// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// The same environment under other wrapping keys: data key, context, generation and variables stay as they are.
  ///
  /// It is verified first, and nothing is dropped before what is new has been opened again.
  ///
  /// - Parameters:
  ///   - change: What to add and what to drop.
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - keepingDataKey: Whether a reader may be removed although values set later stay readable to whoever was:
  ///     they know the data key, as does an anonymous sender, whose environment would be taken for that of a holder of
  ///     the new keys. Without it, reseal instead. Versions of one local key are one reader.
  ///   - acceptingAnonymousSender: Whether to rewrap what was opened through a recipient's entry: it would pass for
  ///     sealed by a holder of the new keys.
  /// - Throws: What ``open(context:using:minimumGeneration:)`` throws; `anonymousSender`; `entryNotReadBack` where
  ///   something is to be dropped and a new entry cannot be opened by the keyring that made it; `invalidArgument` where
  ///   no key or more than 16 would remain, a reader would be removed, or an anonymous sender forgotten.
  public func rewrapped(
    _ change: Rewrapping, context: EncryptionContext, using keyring: some Keyring, keepingDataKey: Bool = false,
    acceptingAnonymousSender: Bool = false
  ) async throws -> SealedEnvironment {
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring)
    try unlocked.source.checkSender(
      acceptingAnonymous: acceptingAnonymousSender, advice: "Accept an anonymous sender, if you know who it was.")
    _ = try open(with: unlocked)
    let rewrapped = try await unlocked.rewrapped(change, context: context, using: keyring)
    let gone = Set(header.wrappedKeys.map(\.reader)).subtracting(rewrapped.wrappedKeys.map(\.reader))
    guard gone.isEmpty || keepingDataKey else {
      throw EnvelopeError(
        .invalidArgument,
        "Whoever holds \(gone.map(\.description).sorted().joined(separator: ", ")) knows the data key, and could read values set later",
        advice: "Reseal it under the keys that remain.")
    }
    // What is under recipients alone is refused later too, wherever more would be sealed under its data key.
    let isForgotten = rewrapped.wrappedKeys.contains { $0.scheme != .recipient && !header.wrappedKeys.contains($0) }
    guard unlocked.source?.scheme != .recipient || !isForgotten || keepingDataKey else {
      throw EnvelopeError(
        .invalidArgument,
        "Whoever sealed this to a recipient's public key knows the data key, and could read values set later",
        advice: "Reseal it under the new keys.")
    }
    return SealedEnvironment(header: rewrapped, generation: generation, payload: payload)
  }

  /// The same variables under a new data key and the next generation.
  ///
  /// - Parameters:
  ///   - context: The pairs given when it was sealed, and bound to the new environment.
  ///   - keyring: Unwraps the old data key.
  ///   - newKeyring: Makes and wraps the new one.
  ///   - acceptingAnonymousSender: Whether to reseal what was opened through a recipient's entry.
  /// - Throws: What opening and sealing throw; `anonymousSender`.
  public func resealed(
    context: EncryptionContext, using keyring: some Keyring, sealingWith newKeyring: some Keyring,
    acceptingAnonymousSender: Bool = false
  ) async throws -> SealedEnvironment {
    let opened = try await open(context: context, using: keyring)
    try opened.source.checkSender(
      acceptingAnonymous: acceptingAnonymousSender, advice: "Accept an anonymous sender, if you know who it was.")
    return try await Self.seal(opened, as: form, context: context, using: newKeyring, after: self)
  }
}
