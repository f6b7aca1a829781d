// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension KeyStore {
  /// Whether each key is narrowed to functions, so that a reader of the store opens nothing of any other function.
  public var isNarrowed: Bool { keysets.allSatisfy { $0.scopes != nil || $0.versions.isEmpty } }

  /// A store of its own with one key, narrowed to some functions: it works for those functions' envelopes and no
  /// other's, by cryptography and not by a check.
  ///
  /// It has the key's versions, policy and aliases, and cannot be rotated. What is sealed with it and with the whole key
  /// is alike.
  ///
  /// - Parameters:
  ///   - aliasOrID: The key; it may be narrowed already, to these functions and others.
  ///   - scopes: 1 to 256 functions.
  /// - Throws: `keyNotFound` where there is no such key or it does not cover a function; `keyDisabled`,
  ///   `keyInvalidState`; `keyAccessDenied` where its policy does not name a function; `invalidArgument` where it is a
  ///   recipient's, or there are none or too many; what a reporter throws.
  public func exporting(_ aliasOrID: String, narrowedTo scopes: [FunctionScope]) throws(EnvelopeError) -> KeyStore {
    let keyset = try require(aliasOrID)
    let narrowed: Keyset
    do throws(EnvelopeError) {
      narrowed = try keyset.narrowed(to: scopes)
    } catch {
      try report(KeyUse(.export, of: keyset.id, failure: error.code))
      throw error
    }
    for scope in narrowed.scopes ?? [] { try report(KeyUse(.export, of: keyset.id, function: scope.function)) }
    var store = KeyStore()
    try store.add(narrowed)
    for (alias, id) in aliases where id == keyset.id { try store.addAlias(alias, for: id.string) }
    return store
  }

  /// Takes over the keys of another store, with those of their aliases that are free here.
  ///
  /// A key that is here already is replaced by a newer copy, one with at least its versions and functions, and the same
  /// secrets: a whole key by one that was rotated since. Its state and policy stay as they are here.
  ///
  /// - Returns: The keys that were added or replaced, as they are here now.
  /// - Throws: `keyExists` where a key is here and the other copy is not a newer one of it; nothing is taken then.
  public mutating func merge(_ other: KeyStore) throws(EnvelopeError) -> [Keyset] {
    var merged = self
    for keyset in other.keysets {
      if let position = positions[keyset.id.string] {
        guard try keyset.isNewerCopy(of: keysets[position]) else {
          throw EnvelopeError(
            .keyExists, "The key store has the key \(keyset.id) already, and this copy is not a newer one of it",
            advice: "Keep the one that is here.")
        }
        merged.keysets[position] = keyset.keepingRules(of: keysets[position])
      } else {
        try merged.add(keyset)
      }
    }
    for (alias, id) in other.aliases where merged[alias] == nil { merged.aliases[alias] = id }
    self = merged
    return other.keysets.compactMap { keyset in positions[keyset.id.string].map { keysets[$0] } }
  }
}

extension Keyset {
  /// The same key under the rules that hold for another copy: state, policy, rotation period, and the higher minimum.
  fileprivate func keepingRules(of other: Keyset) -> Keyset {
    var copy = self
    (copy.state, copy.policy, copy.rotationPeriod) = (other.state, other.policy, other.rotationPeriod)
    copy.reporters = other.reporters
    copy.minimumVersion = max(minimumVersion, other.minimumVersion)
    return copy
  }

  /// Whether this copy can take the place of another.
  ///
  /// It has all of its versions and functions, with the same secrets, and wraps with none that is older. A whole key gives
  /// way only to one that was rotated since.
  fileprivate func isNewerCopy(of other: Keyset) throws(EnvelopeError) -> Bool {
    guard kind == other.kind, !other.versions.isEmpty, primary >= other.primary,
      other.scopes != nil || scopes == nil && primary > other.primary,
      scopes.map({ Set($0).isSuperset(of: other.scopes ?? []) }) ?? true
    else { return false }
    for theirs in other.versions {
      guard let mine = versions.first(where: { $0.number == theirs.number }) else { return false }
      guard let scopes = other.scopes else {
        guard try mine.keys[0].isSame(as: theirs.keys[0]) else { return false }
        continue
      }
      for scope in scopes {
        let newer = try narrowedKey(of: mine, for: scope)
        let older = try other.narrowedKey(of: theirs, for: scope)
        guard newer.withBytes({ newer in older.withBytes { newer.equalsInConstantTime($0) } }) else { return false }
      }
    }
    return true
  }
}

extension WrappingKey {
  fileprivate func isSame(as other: WrappingKey) throws(EnvelopeError) -> Bool {
    try withBytes { (bytes) throws(EnvelopeError) in
      try other.withBytes { (others) throws(EnvelopeError) in bytes.equalsInConstantTime(others) }
    }
  }
}
