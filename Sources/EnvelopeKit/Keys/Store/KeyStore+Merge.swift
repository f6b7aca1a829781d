// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A key of a store that was merged into another.
public struct MergedKey: Sendable {
  /// The key as it is now in the store that the other was merged into.
  public let keyset: Keyset
  /// What merging did.
  public let outcome: Outcome

  /// What merging did with a key.
  public enum Outcome: Sendable, Equatable {
    /// The key is new in the store.
    case added
    /// The copy had newer versions, more functions or a higher minimum version, which the store now has as well.
    case updated
    /// The copy is the same as the key in the store.
    case unchanged
    /// The key in the store stays: the copy has less than it, or one of the two was destroyed.
    case kept
    /// The key in the store stays, because the copy contradicts it. The reason is a `keyExists` error.
    case refused(EnvelopeError)
  }
}

extension KeyStore {
  /// Takes over the keys of another store, with those of their aliases that are free here.
  ///
  /// A key that is in both gets the versions that only the copy has. A copy that is narrowed to other functions joins the
  /// narrowed one that is here: nothing but the id shows that both are of one key, so merge only stores whose owner may
  /// choose that key. A copy with other secrets for the same version is refused, the other keys are taken all the same.
  /// State and policy of a key stay as they are here, and its minimum version does not fall.
  ///
  /// - Returns: Each key of the other store, in its order, and what was done with it.
  /// - Throws: `keyExists` if a new key's id is an alias here, `invalidArgument` if the store is full; nothing is taken
  ///   then.
  public mutating func merge(_ other: KeyStore) throws(EnvelopeError) -> [MergedKey] {
    var (merged, outcomes) = (self, [MergedKey.Outcome]())
    for copy in other.keysets {
      guard let position = positions[copy.id.string] else {
        try merged.add(copy)
        outcomes.append(.added)
        continue
      }
      let (keyset, outcome) = try keysets[position].merging(copy)
      merged.keysets[position] = keyset
      outcomes.append(outcome)
    }
    let taken = zip(other.keysets, outcomes).filter { !$0.versions.isEmpty && !$1.isRefused }.map(\.0.id)
    for (alias, id) in other.aliases where merged[alias] == nil && taken.contains(id) {
      if merged[id.string]?.versions.isEmpty == false { merged.aliases[alias] = id }
    }
    self = merged
    return zip(other.keysets, outcomes).compactMap { copy, outcome in
      positions[copy.id.string].map { MergedKey(keyset: keysets[$0], outcome: outcome) }
    }
  }
}

extension MergedKey.Outcome {
  fileprivate var isRefused: Bool { if case .refused = self { true } else { false } }
}

extension Keyset {
  /// The same key with what only a copy of it has, and what became of the copy.
  fileprivate func merging(_ copy: Keyset) throws(EnvelopeError) -> (Keyset, MergedKey.Outcome) {
    guard kind == copy.kind else { return (self, .refused(refusal("is of another kind"))) }
    guard !versions.isEmpty, !copy.versions.isEmpty else {
      return (self, versions.isEmpty && copy.versions.isEmpty ? .unchanged : .kept)
    }
    if let number = try versionThatDiffers(in: copy) {
      return (self, .refused(refusal("has another secret in its version \(number)")))
    }
    switch (holdsAll(of: copy), copy.holdsAll(of: self)) {
    case (true, true) where primary == copy.primary:
      let isLower = minimumVersion < copy.minimumVersion
      return isLower ? (copy.keepingRules(of: self), .updated) : (self, .unchanged)
    case (true, _) where primary >= copy.primary:
      guard minimumVersion < copy.minimumVersion, copy.minimumVersion <= primary else { return (self, .kept) }
      var raised = self
      raised.minimumVersion = copy.minimumVersion
      return (raised, .updated)
    case (_, true) where primary <= copy.primary: return (copy.keepingRules(of: self), .updated)
    default:
      guard let mine = scopes, let theirs = copy.scopes else {
        return (self, .refused(refusal("lacks something that the key here has, and cannot be joined with it")))
      }
      let joined = Set(mine + theirs).sorted()
      let numbers = Set(versions.map(\.number) + copy.versions.map(\.number)).sorted()
      guard joined.count <= Self.scopeLimit, numbers.count <= Self.versionLimit else {
        return (self, .refused(refusal("and the key here have too many functions or versions together")))
      }
      return (try joining(copy, joined, numbers), .updated)
    }
  }

  private func refusal(_ reason: String) -> EnvelopeError {
    EnvelopeError(
      .keyExists, "The key store has the key \(id) already, and this copy of it \(reason)",
      advice: "Keep the one that is here, or take the newest copy from where the key was rotated.")
  }

  /// This narrowed copy and another of the same key in one, each version for the functions that either has it for.
  private func joining(
    _ copy: Keyset, _ scopes: [FunctionScope], _ numbers: [UInt32]
  ) throws(EnvelopeError) -> Keyset {
    var joined: [Version] = []
    for number in numbers {
      var (keys, created) = ([FunctionScope: WrappingKey](), UInt64.max)
      for keyset in [self, copy] {
        guard let version = keyset.versions.first(where: { $0.number == number }) else { continue }
        created = min(created, version.created)
        for (scope, key) in zip(keyset.scopes(of: version) ?? [], version.keys) where keys[scope] == nil {
          keys[scope] = key
        }
      }
      let own = keys.sorted { $0.key < $1.key }
      joined.append(
        Version(
          number: number, created: created, keys: own.map(\.value),
          scopes: own.count == scopes.count ? nil : own.map(\.key)))
    }
    var keyset = try Keyset(id: id, versions: joined, primary: max(primary, copy.primary), scopes: scopes)
    keyset.minimumVersion = copy.minimumVersion
    return keyset.keepingRules(of: self)
  }

  /// The same key under the rules that hold for another copy: state, policy, rotation period, and the higher minimum.
  private func keepingRules(of other: Keyset) -> Keyset {
    var copy = self
    (copy.state, copy.policy, copy.rotationPeriod) = (other.state, other.policy, other.rotationPeriod)
    copy.reporters = other.reporters
    copy.minimumVersion = max(minimumVersion, other.minimumVersion)
    return copy
  }

  /// Whether this copy has every version of another, for every function that the other has it for.
  private func holdsAll(of other: Keyset) -> Bool {
    other.versions.allSatisfy { theirs in
      guard let mine = versions.first(where: { $0.number == theirs.number }) else { return false }
      guard let held = scopes(of: mine) else { return true }
      return other.scopes(of: theirs).map { Set(held).isSuperset(of: $0) } ?? false
    }
  }

  /// The number of a version whose secret is another in a copy, as far as the two can be compared.
  private func versionThatDiffers(in copy: Keyset) throws(EnvelopeError) -> UInt32? {
    for mine in versions {
      guard let theirs = copy.versions.first(where: { $0.number == mine.number }) else { continue }
      guard let common = scopes(of: mine) ?? copy.scopes(of: theirs) else {
        guard try mine.keys[0].isSame(as: theirs.keys[0]) else { return mine.number }
        continue
      }
      let other = copy.scopes(of: theirs).map(Set.init)
      for scope in common where other?.contains(scope) ?? true {
        let here = try narrowedKey(of: mine, for: scope)
        let there = try copy.narrowedKey(of: theirs, for: scope)
        guard here.withBytes({ here in there.withBytes { here.equalsInConstantTime($0) } }) else { return mine.number }
      }
    }
    return nil
  }
}

extension WrappingKey {
  fileprivate func isSame(as other: WrappingKey) throws(EnvelopeError) -> Bool {
    try withBytes { (bytes) throws(EnvelopeError) in
      try other.withBytes { (others) throws(EnvelopeError) in bytes.equalsInConstantTime(others) }
    }
  }
}
