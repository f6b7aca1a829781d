// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// Which keys the files of a call shall be under.
enum KeyWish {
  /// Those that they are under, in their newest versions; some more, some no longer.
  case change(adding: [String], removing: [String])
  /// These and no others.
  case only([String])
  /// Those that `envelope.yaml` names for the function and no others.
  case configured
}

/// The keys that the files of a call are opened with and brought under, found once for each context.
struct RewrapKeys {
  let store: KeyStore
  let search: ContextSearch
  private let wish: KeyWish
  /// The keys that were named to open with.
  private let named: [String]
  private var openings: [Int: MultiKeyring] = [:]
  private var targets: [Int: [TargetKey]] = [:]

  /// - Parameters:
  ///   - named: The keys that are named to open with; those of AWS KMS are not asked for otherwise.
  init(_ wish: KeyWish, opening named: [String], search: ContextSearch) async throws {
    self.wish = wish
    self.named = named
    self.search = search
    store = try await ToolStore.load() ?? KeyStore()
    switch wish {
    case .change(let added, let removed):
      try checkAre(added)
      try checkNames(removed)
    case .only(let names): try checkAre(names)
    case .configured: break
    }
  }

  /// A keyring that opens what was sealed in the context of this index.
  mutating func opening(_ index: Int, _ entries: [WrappedDataKey]) async throws -> MultiKeyring {
    if let known = openings[index] { return known }
    let candidate = search.candidates[index]
    let keyring = try await ToolKeys.opening(
      entries, kms: names(for: candidate).filter(ToolKeys.isKMS), candidate.keyService)
    openings[index] = keyring
    return keyring
  }

  /// What shall become of the entries of a header of the context of this index.
  mutating func plan(_ entries: [WrappedDataKey], _ index: Int) async throws -> RewrapPlan {
    let candidate = search.candidates[index]
    if targets[index] == nil { targets[index] = try await resolve(wantedNames(candidate), candidate) }
    var wanted = targets[index] ?? []
    var isRemoved: (WrappedDataKey) -> Bool = { _ in false }
    if case .change(_, let removed) = wish {
      // Of local keys that it is under, those that can wrap are brought to their newest version.
      for keyset in store.keysets
      where entries.contains(where: keyset.owns) && !wanted.contains(where: { $0.reader.id == keyset.id.string })
        && (try? keyset.checkWraps(for: candidate.context)) != nil
      {
        wanted.append(try TargetKey(keyset, in: store))
      }
      let store = store
      isRemoved = { entry in removed.contains { store.names($0, entry) } }
      wanted.removeAll { target in entries.contains { target.owns($0) && isRemoved($0) } }
    }
    let isKept: (WrappedDataKey) -> Bool = { entry in
      if let target = wanted.first(where: { $0.owns(entry) }) { return target.isCurrent(entry) }
      if case .change = wish { return !isRemoved(entry) }
      return false
    }
    let kept = entries.filter(isKept)
    let added = wanted.filter { target in !kept.contains(where: target.owns) }
    return RewrapPlan(
      entries: entries, kept: kept, added: added, sealing: try sealing(kept, wanted: wanted, candidate))
  }

  /// The keys to seal anew under: those that are wanted, and those of the entries that stay.
  private func sealing(
    _ kept: [WrappedDataKey], wanted: [TargetKey], _ candidate: ContextSearch.Candidate
  ) throws(EnvelopeError) -> (keys: [TargetKey], unknown: [WrappedDataKey]) {
    var (keys, unknown) = (wanted, [] as [WrappedDataKey])
    let recipients = try Recipients.named(in: names(for: candidate))
    for entry in kept where !wanted.contains(where: { $0.owns(entry) }) {
      if let keyset = store.keysets.first(where: { $0.owns(entry) }) {
        keys.append(try TargetKey(keyset, in: store))
      } else if let recipient = recipients.first(where: { $0.reader == entry.reader }) {
        keys.append(try TargetKey(recipient, in: store))
      } else if entry.scheme == .awsKMS {
        // It is used once the header has been verified.
        let arn = entry.keyID.string
        keys += try ToolKeys.kms([arn], candidate.keyService).map { TargetKey(kms: arn, $0) }
      } else {
        unknown.append(entry)
      }
    }
    return (keys, unknown)
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

  private func resolve(_ names: [String], _ candidate: ContextSearch.Candidate) async throws -> [TargetKey] {
    var targets: [TargetKey] = []
    for name in names {
      let target: TargetKey
      if ToolKeys.isKMS(name) {
        guard let keyring = try ToolKeys.kms([name], candidate.keyService).first else { continue }
        target = TargetKey(kms: try await arn(of: name, keyring, candidate.context), keyring)
      } else if let recipient = try Recipients.named(in: [name]).first {
        target = try TargetKey(recipient, in: store)
      } else {
        target = try TargetKey(try ToolKeys.require(name, in: store), in: store)
      }
      // An alias and an id may name the same key.
      if !targets.contains(where: { $0.reader == target.reader }) { targets.append(target) }
    }
    return targets
  }

  /// What key an alias of AWS KMS stands for only the service knows: it is had wrap a data key that is used for nothing.
  private func arn(of name: String, _ keyring: any Keyring, _ context: EncryptionContext) async throws -> String {
    if name.hasPrefix("arn:"), name.contains(":key/") { return name }
    return try await keyring.wrap(DataKey.generate(), for: context).first?.keyID.string ?? name
  }

  /// Refuses names of local keys that are not there, before any file is looked at.
  private func checkAre(_ names: [String]) throws(EnvelopeError) {
    _ = try Recipients.named(in: names)
    for name in names where !ToolKeys.isKMS(name) && !Recipient.isNamed(by: name) {
      _ = try ToolKeys.require(name, in: store)
    }
  }

  /// Refuses names of keys to remove that cannot be told in a header.
  private func checkNames(_ names: [String]) throws(EnvelopeError) {
    for name in names where store[name] == nil && !name.isKeysetID && !name.hasPrefix("arn:") {
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
  /// Whether a name is that of the key that an entry is under: alias, id, id and version, text of a recipient or ARN.
  fileprivate func names(_ name: String, _ entry: WrappedDataKey) -> Bool {
    if let keyset = self[name] { return keyset.owns(entry) }
    if let recipient = try? Recipient(name) { return entry.reader == recipient.reader }
    return entry.keyID.string == name || entry.reader.id == name
      || entry.scheme == .awsKMS && entry.keyID.string.isSameKMSKey(as: name)
  }
}

extension String {
  /// Whether it looks like the id of a keyset, or of one of its versions.
  fileprivate var isKeysetID: Bool {
    let parts = split(separator: ".", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts[0].utf8.count == 12 && parts[0].utf8.allSatisfy(Base64URL.isDigit)
      && (parts.count == 1 || UInt32(parts[1]) != nil)
  }
}
