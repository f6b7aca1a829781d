// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// Returns the same environment with other values, under the same data key and the next generation.
  ///
  /// It is verified first. In the separate form, variables whose value stays the same keep their sealed bytes, so a
  /// change to one variable changes one line and the header's.
  ///
  /// - Parameters:
  ///   - values: All sealed variables of the result.
  ///   - plain: All plain variables of the result; nil keeps those that there are.
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  /// - Throws: `anonymousSender` if it was sealed to a recipient's public key, because its sender knows the data key;
  ///   else what ``open(context:using:minimumGeneration:anonymousSender:)`` and
  ///   ``seal(_:beside:as:context:using:after:)-(OpenedEnvironment,_,_,_,_,_)`` throw.
  public func updated(
    to values: OpenedEnvironment, beside plain: OpenedEnvironment? = nil, context: EncryptionContext,
    using keyring: some Keyring
  ) async throws -> SealedEnvironment {
    let unlocked = try await UnlockedHeader.unlock(
      header, context: context, using: keyring, anonymousSender: .refused, advice: Self.anonymousSenderAdvice)
    let (opened, oldTags) = try open(with: unlocked)
    var kept: [String: Entry] = [:]
    if case .separate(_, let entries) = payload {
      for entry in entries where opened[entry.name].isSame(as: values[entry.name]) {
        kept[entry.name] = entry
      }
    }
    let plain = plain ?? self.plain
    try Self.checkLimits(of: values, beside: plain, as: form)
    let tags = try plain.map { (plain) throws(EnvelopeError) in try PlainTags(of: plain, keys: unlocked.keys) }
    return try Self.seal(
      values, as: form, under: unlocked, generation: Self.generation(after: generation), tags: tags ?? oldTags,
      keeping: kept
    ).with(plain: plain, allowing: allowedPlain)
  }
}
