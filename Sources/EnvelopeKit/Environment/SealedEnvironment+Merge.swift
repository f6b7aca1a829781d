// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What ``SealedEnvironment/acceptingMerge(context:using:)`` and
/// ``SealedEnvironment/acceptingPlainVariables(context:using:)`` return.
public struct AcceptedMerge: Sendable {
  /// The environment under its new trailer.
  public let environment: SealedEnvironment
  /// How the plain variables of the document differ from those in the old trailer, which fits neither edit.
  public let plainDifference: PlainDifference
  /// Whether the old generation was not counted on, because it is more than a day ahead of the clock and cannot be
  /// verified: the new one is the time now.
  public let isGenerationReset: Bool
}

extension SealedEnvironment {
  /// Returns the same variables under a new trailer, after a merge of two edits left one that fits neither.
  ///
  /// Every sealed variable must verify by itself under the header, so all were sealed by a holder of the key; but they
  /// need never have stood together, and any of them may be an earlier value. The plain variables of the document are
  /// authenticated as they are now. Have a person look at the names and at the plain variables before the result is
  /// used.
  ///
  /// - Throws: `variablesAltered` with the names of those that do not verify; `invalidArgument` for the packed form, for
  ///   a name that is both sealed and plain, and for an environment that was not read from a document but has plain
  ///   variables; `anonymousSender` if it was sealed to a recipient's public key; `contextDiffers`, `headerAltered`, or
  ///   what the keyring throws.
  public func acceptingMerge(
    context: EncryptionContext, using keyring: some Keyring
  ) async throws -> AcceptedMerge {
    guard case .separate(let trailer, let entries) = payload else {
      throw EnvelopeError(
        .invalidArgument, "A packed environment cannot be merged",
        advice: "Keep one side, and repeat the edits of the other.")
    }
    guard let plain = try plain ?? (trailer.plain == .none ? OpenedEnvironment([:]) : nil) else {
      throw EnvelopeError.plainVariablesUnknown
    }
    let unlocked = try await UnlockedHeader.unlock(
      header, context: context, using: keyring, anonymousSender: .refused, advice: Self.anonymousSenderAdvice)
    let opened = try Self.openEach(entries, generation: generation, with: unlocked)
    try Self.checkLimits(of: opened, beside: plain, as: .separate)
    let isReset = hasImplausibleGeneration
    let next = isReset ? UInt32(clamping: Clock.now) : try Self.generation(after: generation)
    let tags = try PlainTags(of: plain, keys: unlocked.keys)
    let manifest = try Self.manifest(generation: next, plain: tags, entries: entries, keys: unlocked.keys)
    let accepted = SealedEnvironment(
      header: header, generation: next,
      payload: .separate(Trailer(count: UInt16(entries.count), manifest: manifest, plain: tags), entries),
      plain: self.plain, allowedPlain: allowedPlain)
    return AcceptedMerge(
      environment: accepted,
      plainDifference: try trailer.plain.difference(from: plain, allowing: [], keys: unlocked.keys),
      isGenerationReset: isReset)
  }

  /// Returns the same sealed variables beside the plain variables that the document has now.
  ///
  /// Everything sealed must verify, all together. Have a person look at the difference before the result is used: an
  /// added `LD_PRELOAD` or a changed host gives every secret away.
  ///
  /// - Throws: What ``open(context:using:minimumGeneration:anonymousSender:)`` throws, but for `plainVariablesAltered`;
  ///   `anonymousSender` always if it was sealed to a recipient's public key; `invalidArgument` for a name that is both
  ///   sealed and plain, and if it was not read from a document.
  public func acceptingPlainVariables(
    context: EncryptionContext, using keyring: some Keyring
  ) async throws -> AcceptedMerge {
    guard let plain else { throw EnvelopeError.plainVariablesUnknown }
    let unlocked = try await UnlockedHeader.unlock(
      header, context: context, using: keyring, anonymousSender: .refused, advice: Self.anonymousSenderAdvice)
    let (secrets, oldTags) = try openSealed(with: unlocked)
    try Self.checkLimits(of: secrets, beside: plain, as: form)
    var kept: [String: Entry] = [:]
    if case .separate(_, let entries) = payload { for entry in entries { kept[entry.name] = entry } }
    let accepted = try Self.seal(
      secrets, as: form, under: unlocked, generation: Self.generation(after: generation),
      tags: PlainTags(of: plain, keys: unlocked.keys), keeping: kept
    ).with(plain: plain, allowing: allowedPlain)
    return AcceptedMerge(
      environment: accepted, plainDifference: try oldTags.difference(from: plain, allowing: [], keys: unlocked.keys),
      isGenerationReset: false)
  }

  /// The sender knows the data key, so nothing more is sealed under it.
  static let anonymousSenderAdvice = "Open it, and seal its variables as a new environment."
}
