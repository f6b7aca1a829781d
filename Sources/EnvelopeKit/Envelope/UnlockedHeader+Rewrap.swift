// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension UnlockedHeader {
  /// The wrapped keys that stay in a header, and those that come.
  private struct Change {
    var kept: [WrappedDataKey]
    var added: [WrappedDataKey]

    var all: [WrappedDataKey] { kept + added }
  }

  /// Returns the same header with other wrapped keys and the tag that belongs to them.
  ///
  /// Nothing is dropped before every new entry has been opened again and has led to the same commitment.
  ///
  /// - Throws: `entryNotReadBack` if that fails and an entry is to be dropped; `keyNotFound` if the readers are to stay
  ///   and none is the keyring's, or one has a newer version; `invalidArgument` if no key or more than 16 would remain,
  ///   or if a party that knows the data key could forge what the new readers accept; what a keyring throws.
  func rewrapped(
    _ change: Rewrapping, context: EncryptionContext, using opening: some Keyring, allowingFormerReadersToForge: Bool
  ) async throws -> Header {
    let after = try await entries(after: change, context: context, using: opening)
    if !allowingFormerReadersToForge { try checkForgers(after: after.all) }
    return try Header(
      form: header.form, salt: header.salt, canonicalContext: context.canonicalBytes(), wrappedKeys: after.all,
      keys: keys)
  }

  private func entries(
    after change: Rewrapping, context: EncryptionContext, using opening: some Keyring
  ) async throws -> Change {
    let keyringContext = try context.forKeyrings(use)
    var added: [WrappedDataKey] = []
    if let keyring = change.keyring { added = try await keyring.wrap(dataKey, for: keyringContext) }
    if change.keepsReaders, let keyring = change.keyring {
      return try await newestVersions(added, context: keyringContext, using: keyring)
    }
    let replaced = Set(added.map(\.keyID))
    let kept = header.wrappedKeys.filter { !change.drops($0) && !replaced.contains($0.keyID) }
    try Header.checkWrappedKeys(kept + added, orThrow: .invalidArgument)
    if kept.count < header.wrappedKeys.count {
      for entry in added {
        guard let keyring = change.keyring else { break }
        try await readBack(entry, context: keyringContext, using: keyring)
      }
      // If nothing is new, an entry that remains must open here: a caller who drops the last key of their own would not
      // notice. That it unlocked this header is no proof, because a cache may have remembered it.
      if added.isEmpty { try await readBackAny(of: kept, context: keyringContext, using: opening) }
    }
    return Change(kept: kept, added: added)
  }

  /// Of the entries just made, those of readers that the header has, each in place of the older ones.
  private func newestVersions(
    _ made: [WrappedDataKey], context: EncryptionContext, using keyring: any Keyring
  ) async throws -> Change {
    let readers = Set(header.wrappedKeys.map(\.reader))
    let newest = made.filter { readers.contains($0.reader) }
    guard !newest.isEmpty else { throw EnvelopeError.keyNotFound(among: header.wrappedKeys) }
    var change = Change(kept: header.wrappedKeys, added: [])
    for entry in newest {
      let own = header.wrappedKeys.filter { $0.reader == entry.reader }
      if let newer = own.first(where: { $0.keyID.version ?? 0 > entry.keyID.version ?? 0 }) {
        throw EnvelopeError(
          .keyNotFound, "The envelope is under \(newer.scheme) \(newer.keyID), a newer version than the keyring has",
          advice: "Import the key's newest version from where it was rotated.")
      }
      // What the header lists under the newest version stays as it is.
      let isListed = own.contains { $0.keyID == entry.keyID }
      if !isListed { change.added.append(entry) }
      guard own.contains(where: { $0.keyID != entry.keyID }) else { continue }
      let current = own.first { $0.keyID == entry.keyID } ?? entry
      do {
        try await readBack(current, context: context, using: keyring)
      } catch let error as EnvelopeError where error.code == .entryNotReadBack {
        continue
      }
      change.kept.removeAll { $0.reader == entry.reader && $0.keyID != entry.keyID }
    }
    try Header.checkWrappedKeys(change.all, orThrow: .invalidArgument)
    return change
  }

  /// Refuses a change after which a party that knows the data key could forge what the new readers accept.
  private func checkForgers(after entries: [WrappedDataKey]) throws(EnvelopeError) {
    let gone = Set(header.wrappedKeys.map(\.reader)).subtracting(entries.map(\.reader))
    guard gone.isEmpty else {
      throw EnvelopeError(
        .invalidArgument,
        "The holder of \(gone.map(\.description).sorted().joined(separator: ", ")) knows the data key, and could read "
          + "values set later and forge envelopes of this context",
        advice: "Reseal it under the keys that remain.")
    }
    // An envelope under recipients alone is refused as anonymous later, too.
    let isForgotten = entries.contains { !$0.scheme.isAnonymous && !header.wrappedKeys.contains($0) }
    guard source?.scheme.isAnonymous != true || !isForgotten else {
      throw EnvelopeError(
        .invalidArgument,
        "The sender, who sealed this to a recipient's public key, knows the data key, and could forge envelopes for "
          + "the new keys",
        advice: "Reseal it under the new keys.")
    }
  }

  /// Unwraps an entry by its key, whatever a cache remembers of it.
  private func readBack(
    _ entry: WrappedDataKey, context: EncryptionContext, using keyring: any Keyring
  ) async throws {
    try await CachingKeyring.$isBypassed.withValue(true) {
      try await compare(entry, context: context, using: keyring)
    }
  }

  private func compare(
    _ entry: WrappedDataKey, context: EncryptionContext, using keyring: any Keyring
  ) async throws {
    let unwrapped: UnwrappedDataKey
    do {
      unwrapped = try await keyring.unwrap([entry], for: context)
    } catch let error as EnvelopeError where [.keyNotFound, .unwrapFailed].contains(error.code) {
      throw EnvelopeError.notReadBack(entry)
    }
    // The same data key leads to the same commitment, and no other does.
    guard unwrapped.dataKey.equals(dataKey) else { throw EnvelopeError.notReadBack(entry) }
  }

  private func readBackAny(
    of entries: [WrappedDataKey], context: EncryptionContext, using keyring: some Keyring
  ) async throws {
    var failure: (any Error)?
    for entry in entries {
      do {
        return try await readBack(entry, context: context, using: keyring)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }
}

extension EnvelopeError {
  fileprivate static func notReadBack(_ entry: WrappedDataKey) -> EnvelopeError {
    EnvelopeError(
      .entryNotReadBack,
      "The new entry under \(entry.scheme) \(entry.keyID) cannot be opened here, so nothing was dropped",
      advice: "Add that key first, and remove the others where it can be opened.")
  }
}
