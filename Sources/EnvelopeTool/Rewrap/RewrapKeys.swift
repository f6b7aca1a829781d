// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// The keys that the files of a call are opened with and brought under, found once for each context.
struct RewrapKeys {
  /// The store in its usual place; empty if there is none, or it is locked and was not needed yet.
  private(set) var store: KeyStore
  private var isStoreOpened: Bool
  var search: ContextSearch
  let wish: KeyWish
  /// The keys that were named to open with.
  private let named: [String]
  /// By context and kind of entries: what is of AWS KMS alone is opened without the store.
  private var openings: [Opening: MultiKeyring] = [:]
  private var targets: [Int: [TargetKey]] = [:]
  /// The kind of the file that is planned: a policy may allow one kind alone.
  private var use = EnvelopeUse.environment
  private var kmsTargets: [Int: [String: TargetKey]] = [:]

  private struct Opening: Hashable {
    let index: Int
    let isOnlyKMS: Bool

    init(_ index: Int, _ entries: [WrappedDataKey]) {
      (self.index, isOnlyKMS) = (index, entries.allSatisfy { $0.scheme == .awsKMS })
    }
  }

  /// - Parameters:
  ///   - named: The keys that are named to open with; those of AWS KMS are not called otherwise.
  ///   - store: The store in its usual place, or an empty one if there is none; nil leaves a locked one closed until it is
  ///     needed, and then `wish` and `named` have no key of it.
  init(_ wish: KeyWish, opening named: [String], search: ContextSearch, store: KeyStore?) throws(EnvelopeError) {
    self.wish = wish
    self.named = named
    self.search = search
    isStoreOpened = store != nil
    self.store = store ?? KeyStore()
    let store = self.store
    try ToolKeys.check(named, in: store)
    switch wish {
    case .change(let added, let removed):
      try ToolKeys.check(added, in: store)
      try checkNames(removed)
      for name in added where removed.contains(where: { store.isSameKey(name, $0) }) {
        throw EnvelopeError(.usage, "\(EnvelopeError.quoted(name)) cannot be added and removed at once")
      }
    case .only(let names): try ToolKeys.check(names, in: store)
    case .configured: break
    }
  }

  /// A keyring that opens what was sealed in the context of this index.
  mutating func opening(_ index: Int, _ entries: [WrappedDataKey]) async throws -> MultiKeyring {
    let opening = Opening(index, entries)
    if let known = openings[opening] { return known }
    let candidate = search.candidates[index]
    let keyring = try await ToolKeys.opening(
      entries, kms: names(for: candidate).filter(ToolKeys.isKMS), candidate.keyService)
    openings[opening] = keyring
    return keyring
  }

  /// What shall become of the entries of a header of the context of this index.
  ///
  /// - Throws: `keyNotFound` where a key that is wanted has been rotated elsewhere, and the store has not its new version:
  ///   the entry of an older one must not take that one's place.
  mutating func plan(
    _ entries: [WrappedDataKey], _ index: Int, _ use: EnvelopeUse = .environment
  ) async throws -> RewrapPlan {
    self.use = use
    let candidate = search.candidates[index]
    if !isStoreOpened, entries.contains(where: { $0.scheme != .awsKMS }) || needsStore(candidate) {
      store = try await ToolStore.load() ?? KeyStore()
      isStoreOpened = true
      // Whether a recipient's entries can be read back depends on the store.
      targets = [:]
    }
    if targets[index] == nil { targets[index] = try await resolve(wantedNames(candidate), index) }
    var wanted = targets[index] ?? []
    let (store, removed) = (store, wish.removed)
    let isRemoved = { (entry: WrappedDataKey) in (removed ?? []).contains { store.names($0, entry) } }
    let isChange = removed != nil
    if isChange {
      // Of local keys that it is under, those that can wrap are brought to their newest version.
      for keyset in store.keysets where entries.contains(where: keyset.owns) {
        let target = try TargetKey(keyset, in: store)
        let own = entries.filter { target.owns($0) && !isRemoved($0) }
        guard !own.isEmpty, !own.contains(where: target.isOlder(than:)),
          !wanted.contains(where: { $0.reader == target.reader }),
          (try? keyset.checkWraps(for: candidate.context)) != nil
        else { continue }
        wanted.append(target)
      }
    }
    for target in wanted {
      for entry in entries where target.isOlder(than: entry) && !isRemoved(entry) {
        throw EnvelopeError.isOlderHere(target, entry)
      }
    }
    let kept = entries.filter { entry in
      guard let target = wanted.first(where: { $0.owns(entry) }) else { return isChange && !isRemoved(entry) }
      // What opens now is not dropped for what cannot be read back here.
      return target.isCurrent(entry) || isChange && !target.isReadBack && !isRemoved(entry)
    }
    let added = wanted.filter { target in !kept.contains(where: target.isCurrent) }
    return RewrapPlan(entries: entries, kept: kept, added: added, wanted: wanted)
  }

  /// A keyring to seal anew with: under the keys that are wanted, and those of the entries that stay.
  ///
  /// - Throws: `keyNotFound` where an entry that stays is under a key that is not known here, or of AWS KMS and was not
  ///   named: whoever could seal may have put it there.
  mutating func sealing(_ plan: RewrapPlan, _ index: Int) async throws -> MultiKeyring {
    var (keys, unknown) = (plan.wanted, [] as [WrappedDataKey])
    for entry in plan.kept where !keys.contains(where: { $0.owns(entry) && !$0.isOlder(than: entry) }) {
      if let key = try await target(for: entry, index) { keys.append(key) } else { unknown.append(entry) }
    }
    guard unknown.isEmpty else {
      let unknown = unknown.map { "\($0.scheme) \($0.keyID)" }.joined(separator: ", ")
      throw EnvelopeError(
        .keyNotFound, "It cannot be sealed anew under \(unknown), which is not known here",
        advice:
          "Give a recipient's er1:… or er2:… text or a KMS key's ARN with --key; remove a key that nobody has with --remove."
      )
    }
    guard !keys.isEmpty else {
      throw EnvelopeError(.invalidArgument, "No key would remain", advice: "Add another first.")
    }
    return try MultiKeyring(keys.map(\.keyring))
  }

  /// The key that an entry is under, in its newest version; nil where that is not known.
  private mutating func target(for entry: WrappedDataKey, _ index: Int) async throws -> TargetKey? {
    let names = names(for: search.candidates[index])
    if let keyset = store.keysets.first(where: { $0.owns(entry) }) {
      let key = try TargetKey(keyset, in: store)
      return key.isOlder(than: entry) ? nil : key
    }
    for recipient in try Recipients.named(in: names) where recipient.reader == entry.reader {
      let key = try TargetKey(recipient, in: store)
      if !key.isOlder(than: entry) { return key }
    }
    guard entry.scheme == .awsKMS else { return nil }
    // Those that are named by their ARN first, for which nobody has to be asked.
    for name in names.filter(ToolKeys.isKMS).sorted(by: { $0.isKMSKeyARN && !$1.isKMSKeyARN }) {
      if let key = try await kmsTarget(name, index), key.owns(entry) { return key }
    }
    return nil
  }

  /// Every name of a key that was given or is configured.
  private func names(for candidate: ContextSearch.Candidate) -> [String] {
    named + candidate.keys + wantedNames(candidate)
  }

  private func wantedNames(_ candidate: ContextSearch.Candidate) -> [String] {
    switch wish {
    case .change(let added, _): added
    case .only(let names): names
    case .configured: candidate.keys.isEmpty ? store.defaultKeyID.map { [$0.string] } ?? [] : candidate.keys
    }
  }

  /// Whether a key to seal under is of the store.
  private func needsStore(_ candidate: ContextSearch.Candidate) -> Bool {
    guard case .configured = wish else { return false }
    return candidate.keys.isEmpty || candidate.keys.contains(where: ToolKeys.isLocal)
  }

  private mutating func resolve(_ names: [String], _ index: Int) async throws -> [TargetKey] {
    var targets: [TargetKey] = []
    for name in names {
      let target: TargetKey
      if ToolKeys.isKMS(name) {
        guard let key = try await kmsTarget(name, index) else { continue }
        target = key
      } else if let recipient = try Recipients.named(in: [name]).first {
        target = try TargetKey(recipient, in: store)
      } else {
        target = try TargetKey(try ToolKeys.require(name, in: store), in: store)
      }
      // An alias and an id may name the same key, and two texts two versions of a recipient.
      let same = targets.firstIndex { $0.reader == target.reader }
      if let same, targets[same].isOlder(than: target) { targets[same] = target }
      if same == nil { targets.append(target) }
    }
    return targets
  }

  /// A key of AWS KMS that was named; what key an alias stands for only the service knows: it is had wrap a data key that
  /// is used for nothing.
  private mutating func kmsTarget(_ name: String, _ index: Int) async throws -> TargetKey? {
    if let known = kmsTargets[index]?[name] { return known }
    let candidate = search.candidates[index]
    guard let keyring = try ToolKeys.kms([name], candidate.keyService).first else { return nil }
    var arn = name
    if !name.isKMSKeyARN {
      arn =
        try await keyring.wrap(
          DataKey.generate(), for: candidate.context.forKeyrings(use)
        ).first?.keyID.string ?? name
    }
    let target = TargetKey(kms: arn, keyring)
    kmsTargets[index, default: [:]][name] = target
    return target
  }

  /// Refuses names of keys to remove that cannot be told in a header.
  private func checkNames(_ names: [String]) throws(EnvelopeError) {
    for name in names
    where store[name] == nil && !name.isKeysetID && !name.hasPrefix("arn:") && !KMSKeyID.isOne(name) {
      guard !Recipient.isNamed(by: name) else {
        _ = try Recipients.named(in: [name])
        continue
      }
      throw EnvelopeError(
        .usage, "\(EnvelopeError.quoted(name)) names no key that could be told in a file",
        advice: "Give an alias or id of the key store, or the id or ARN that envelope inspect shows.")
    }
  }
}

extension KeyStore {
  /// Whether two names are of one key.
  fileprivate func isSameKey(_ name: String, _ other: String) -> Bool {
    name == other || self[name].map { $0.id == self[other]?.id } ?? false
  }

  /// Whether a name is that of the key that an entry is under: alias, id, id and version, text of a recipient, or id or ARN
  /// of AWS KMS.
  fileprivate func names(_ name: String, _ entry: WrappedDataKey) -> Bool {
    if let keyset = self[name] { return keyset.owns(entry) }
    if let recipient = try? Recipient(name) { return entry.reader == recipient.reader }
    return entry.keyID.string == name || entry.reader.id == name
      || entry.scheme == .awsKMS
        && (entry.keyID.string.isSameKMSKey(as: name)
          || KMSKeyID.isOne(name) && entry.keyID.string.hasSuffix(":key/\(name)"))
  }
}

extension EnvelopeError {
  fileprivate static func isOlderHere(_ target: TargetKey, _ entry: WrappedDataKey) -> EnvelopeError {
    EnvelopeError(
      .keyNotFound, "It is under \(entry.scheme) \(entry.keyID), a newer version than is known here of \(target.name)",
      advice:
        "Take the newest one over from where the key was rotated; or, if nobody has it, use --remove \(entry.keyID).")
  }
}

extension String {
  fileprivate var isKMSKeyARN: Bool { hasPrefix("arn:") && contains(":key/") }

  /// Whether it looks like the id of a keyset, or of one of its versions.
  fileprivate var isKeysetID: Bool {
    let parts = split(separator: ".", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts[0].utf8.count == 12 && parts[0].utf8.allSatisfy(Base64URL.isDigit)
      && (parts.count == 1 || UInt32(parts[1]) != nil)
  }
}
