// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// The same environment with other values, under the same data key and the next generation.
  ///
  /// It is verified first. In the separate form, variables whose value stays the same keep their sealed bytes,
  /// so that a change to one is a change to one line and the header's.
  ///
  /// - Parameters:
  ///   - values: All variables that there shall be.
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  /// - Throws: `anonymousSender` where it was sealed to a recipient's public key: whoever sealed it knows the data
  ///   key; else what ``open(context:using:minimumGeneration:)`` and
  ///   ``seal(_:as:context:using:after:)-(OpenedEnvironment,_,_,_,_)`` throw.
  public func updated(
    to values: OpenedEnvironment, context: EncryptionContext, using keyring: some Keyring
  ) async throws -> SealedEnvironment {
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring)
    try unlocked.source.checkSender(acceptingAnonymous: false, advice: Self.senderAdvice)
    let opened = try open(with: unlocked)
    var kept: [String: Entry] = [:]
    if case .separate(_, _, let entries) = payload {
      for entry in entries where opened[entry.name].isSame(as: values[entry.name]) {
        kept[entry.name] = entry
      }
    }
    try Self.checkLimits(of: values, as: form)
    return try Self.seal(
      values, as: form, under: unlocked, generation: Self.generation(after: generation), keeping: kept)
  }

  /// The same variables under a new trailer, after a merge of two edits left one that fits neither.
  ///
  /// Every variable must verify by itself under the header, so all were sealed by somebody who held the key; but
  /// they need never have stood together, and any of them may be an earlier value. Have a person look at the
  /// names and agree.
  ///
  /// - Throws: `variablesAltered` with the names of those that do not verify, `invalidArgument` for the packed
  ///   form, `anonymousSender` as above, `contextDiffers`, `headerAltered`, or what the keyring throws.
  public func acceptingMerge(
    context: EncryptionContext, using keyring: some Keyring
  ) async throws -> SealedEnvironment {
    guard case .separate(_, _, let entries) = payload else {
      throw EnvelopeError(
        .invalidArgument, "A packed environment cannot be merged",
        advice: "Take one side and make the other's edits again.")
    }
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring)
    try unlocked.source.checkSender(acceptingAnonymous: false, advice: Self.senderAdvice)
    _ = try Self.openEach(entries, generation: generation, with: unlocked)
    let next = try Self.generation(afterUnverified: generation)
    let manifest = try Self.manifest(generation: next, entries: entries, keys: unlocked.keys)
    return SealedEnvironment(
      header: header, generation: next,
      payload: .separate(count: UInt16(entries.count), manifest: manifest, entries: entries))
  }
}

extension SealedEnvironment {
  /// Whoever sealed it knows its data key, so nothing more is sealed under that.
  private static let senderAdvice = "Open it, and seal its variables as a new environment."
}

extension Secret? {
  fileprivate func isSame(as other: Secret?) -> Bool {
    guard let self, let other else { return false }
    return self.withBytes { a in other.withBytes { b in a.equalsInConstantTime(b) } }
  }
}
