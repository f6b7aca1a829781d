// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What shall become of an envelope's wrapped keys: some are added, some dropped; the data key and the payload stay.
public struct Rewrapping: Sendable {
  let keyring: (any Keyring)?
  let drops: @Sendable (WrappedDataKey) -> Bool

  /// Adds entries and drops others.
  ///
  /// - Parameters:
  ///   - keyring: Wraps the data key once more; an entry of a key id that is there takes that one's place. Nil adds none.
  ///   - drops: Whether an entry of the header, which has been verified, is dropped.
  public init(
    adding keyring: (any Keyring)?, dropping drops: @escaping @Sendable (WrappedDataKey) -> Bool = { _ in false }
  ) {
    self.keyring = keyring
    self.drops = drops
  }

  /// Adds entries and drops all that were there.
  public static func replacing(with keyring: any Keyring) -> Rewrapping { Rewrapping(adding: keyring) { _ in true } }
}

extension WrappedDataKey {
  /// Whoever can open this entry: of local keys all versions together.
  package var reader: Reader {
    Reader(scheme: scheme, id: scheme == .keyset || scheme == .recipient ? keyID.withoutVersion : keyID.string)
  }

  /// Whoever holds a key, whatever its version.
  package struct Reader: Hashable, CustomStringConvertible {
    let scheme: WrappingScheme
    package let id: String

    package init(scheme: WrappingScheme, id: String) {
      self.scheme = scheme
      self.id = id
    }

    package var description: String { "\(scheme) \(id)" }
  }
}

extension UnlockedHeader {
  /// The same header with other wrapped keys, and the tag that belongs to them.
  ///
  /// Nothing is dropped before everything new has been opened again and has led to the same commitment.
  ///
  /// - Throws: `entryNotReadBack` where that cannot be done here and something is to be dropped; `invalidArgument`
  ///   where no key or too many would remain; what a keyring throws.
  func rewrapped(
    _ change: Rewrapping, context: EncryptionContext, using opening: some Keyring
  ) async throws -> Header {
    var added: [WrappedDataKey] = []
    if let keyring = change.keyring { added = try await keyring.wrap(dataKey, for: context) }
    let replaced = Set(added.map(\.keyID))
    let kept = header.wrappedKeys.filter { !change.drops($0) && !replaced.contains($0.keyID) }
    try Header.checkWrappedKeys(kept + added, orThrow: .invalidArgument)
    if kept.count < header.wrappedKeys.count {
      for entry in added {
        guard let keyring = change.keyring else { break }
        try await CachingKeyring.$isBypassed.withValue(true) {
          try await readBack(entry, context: context, using: keyring)
        }
      }
      // Where nothing is new, what remains must open here: who drops the last key of their own would not know. That it
      // unlocked this header is no proof, for a cache may have remembered it.
      if added.isEmpty {
        try await CachingKeyring.$isBypassed.withValue(true) {
          try await readBackAny(of: kept, context: context, using: opening)
        }
      }
    }
    return try Header(
      kind: header.kind, salt: header.salt, canonicalContext: context.canonicalBytes(), wrappedKeys: kept + added,
      keys: keys)
  }

  private func readBack(
    _ entry: WrappedDataKey, context: EncryptionContext, using keyring: any Keyring
  ) async throws {
    let unwrapped: UnwrappedDataKey
    do {
      unwrapped = try await keyring.unwrap([entry], for: context)
    } catch let error as EnvelopeError where [.keyNotFound, .unwrapFailed].contains(error.code) {
      throw EnvelopeError.notReadBack(entry)
    }
    let commitment = try KeySchedule(
      dataKey: unwrapped.dataKey, kind: header.kind, salt: header.salt, canonicalContext: context.canonicalBytes()
    ).commitment
    guard commitment.equalsInConstantTime(header.commitment) else { throw EnvelopeError.notReadBack(entry) }
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
      "What is wrapped under \(entry.scheme) \(entry.keyID) cannot be opened here to make sure, so nothing was dropped",
      advice: "Add that key first, and remove the others where it can be opened.")
  }
}
