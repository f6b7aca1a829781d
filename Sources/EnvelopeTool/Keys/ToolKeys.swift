// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// The keys that commands use: those of the key store in its usual place, those of AWS KMS and the recipients that are
/// named.
enum ToolKeys {
  /// A keyring that opens with any key of the key store, and with the named keys of AWS KMS.
  ///
  /// AWS KMS is never asked about a key because an envelope says so: what it says has not been verified yet.
  static func opening(_ wrapped: [WrappedDataKey], _ settings: FunctionSettings) async throws -> MultiKeyring {
    try await opening(wrapped, kms: settings.keys.filter(isKMS), settings.keyService)
  }

  static func opening(
    _ wrapped: [WrappedDataKey], kms named: [String], _ service: KeyServiceSettings
  ) async throws -> MultiKeyring {
    // Of what AWS KMS alone opens, no store is opened: it may be locked.
    let isOnlyKMS = !wrapped.isEmpty && wrapped.allSatisfy { $0.scheme == .awsKMS }
    guard !named.isEmpty else {
      let store = isOnlyKMS ? nil : try await ToolStore.load()
      if store == nil, let key = wrapped.first(where: { $0.scheme == .awsKMS }) {
        throw EnvelopeError(
          .keyNotFound, "This is sealed under a key of AWS KMS, and no such key was named",
          // Nobody has verified the header, and what is shown may be copied into a shell.
          advice: "If the key is yours, name it, or an alias of it: --key "
            + (key.keyID.string.utf8.allSatisfy { $0.isLetter || $0.isDigit || ":/-".utf8.contains($0) }
              ? key.keyID.string : "ARN"))
      }
      guard let store else { throw try KeyStoreFile().missing }
      return try MultiKeyring([store.keyring()])
    }
    // A command that opens and then changes calls the service once all the same. Each key has a cache of its own, so that
    // a Region that does not respond holds no other up.
    let services = try kms(named, service).map { (keyring) throws(EnvelopeError) in
      try CachingKeyring(keyring, maximumAge: .seconds(300), entryLimit: 16) as any Keyring
    }
    guard !isOnlyKMS else { return try MultiKeyring(services) }
    if try ToolStore.isLocked {
      return try MultiKeyring([FallbackKeyring(first: MultiKeyring(services), then: LockedStoreKeyring())])
    }
    // A machine that uses AWS KMS need not have a key store.
    guard let store = try await ToolStore.load(), store.defaultKeyID != nil else { return try MultiKeyring(services) }
    return try MultiKeyring([store.keyring()] + services)
  }

  /// A keyring that seals under every one of the named keys, or under the default key where none is named.
  ///
  /// Without a key store, the default key and its store are made, and it is said.
  ///
  /// - Returns: The keyring, and the keys in words.
  static func sealing(_ settings: FunctionSettings) async throws -> (keyring: MultiKeyring, keys: [String]) {
    try await sealing(settings.keys, settings.keyService)
  }

  static func sealing(
    _ names: [String], _ service: KeyServiceSettings
  ) async throws -> (keyring: MultiKeyring, keys: [String]) {
    var (keyrings, keys): ([any Keyring], [String]) = ([], [])
    let local = names.filter(isLocal)
    // The first key makes the data key: one in a service, where there is one.
    let kmsNames = names.filter(isKMS)
    if !kmsNames.isEmpty {
      keyrings += try kms(kmsNames, service)
      keys += kmsNames.map(\.shown)
    }
    if !local.isEmpty || names.isEmpty {
      let (locals, described) = try await sealing(under: local)
      keyrings += locals
      keys += described
    }
    let recipients = try Recipients.named(in: names)
    if !recipients.isEmpty {
      keyrings.append(try RecipientKeyring(recipients))
      keys += recipients.map { "\($0.kem.scheme) \($0.keyID)" }
    }
    let identities = keyrings.compactMap { ($0 as? KeysetKeyring)?.keyset.kind.kem }
    if Set(recipients.map(\.kem) + identities).count > 1 {
      Console.say("What is sealed to an X25519 recipient, too, is not safe from quantum computers: leave that one out.")
    }
    return (try MultiKeyring(keyrings), keys)
  }

  /// Whether a name is of AWS KMS: no alias or id of the key store has a slash or a colon, or is like an id of AWS KMS.
  static func isKMS(_ name: String) -> Bool {
    name.hasPrefix("arn:") || name.hasPrefix("alias/") || KMSKeyID.isOne(name)
  }

  /// Whether a name is of the key store.
  static func isLocal(_ name: String) -> Bool { !isKMS(name) && !Recipient.isNamed(by: name) }

  private static func sealing(under names: [String]) async throws -> ([any Keyring], [String]) {
    let store = try await ToolStore.load() ?? KeyStore()
    guard !names.isEmpty || store.hasDefaultThatSeals else {
      try await makeDefault()
      return try await sealing(under: names)
    }
    var keyrings: [KeysetKeyring] = []
    for name in names.isEmpty ? [try store.keyring().keyset.id.string] : names {
      _ = try require(name, in: store)
      // By the name that was given, which errors then show.
      let keyring = try store.keyring(for: name)
      // An alias and an id may name the same key.
      if !keyrings.contains(where: { $0.keyset.id == keyring.keyset.id }) { keyrings.append(keyring) }
    }
    for keyring in keyrings { warnIfDue(keyring.keyset, in: store) }
    return (keyrings, keyrings.map { describe($0.keyset, in: store) })
  }

  /// The key of the store that is named.
  static func require(_ name: String, in store: KeyStore) throws(EnvelopeError) -> Keyset {
    guard let keyset = store[name] else {
      throw EnvelopeError(
        .keyNotFound, "The key store \(try KeyStoreFile().location.shown) has no key \(EnvelopeError.quoted(name))",
        advice: "See which there are: envelope keys list. Or create it: envelope keys create NAME")
    }
    return keyset
  }

  /// Refuses names of local keys that are not there, and texts of recipients that are none, before other work begins.
  static func check(_ names: [String], in store: KeyStore) throws(EnvelopeError) {
    _ = try Recipients.named(in: names)
    for name in names where isLocal(name) { _ = try require(name, in: store) }
  }

  /// The same for the key store in its usual place, which is read if one of the keys is to be in it.
  static func check(_ names: [String]) async throws {
    let isRead = names.isEmpty || names.contains(where: isLocal)
    try check(names, in: isRead ? await ToolStore.load() ?? KeyStore() : KeyStore())
  }

  /// Says that a key's rotation period has passed.
  static func warnIfDue(_ keyset: Keyset, in store: KeyStore) {
    let now = Clock.now
    guard let due = keyset.rotationDue, due <= now, keyset.state == .enabled else { return }
    let days = (now - due) / 86_400
    let name = store.aliases(of: keyset).first ?? keyset.id.string
    Console.say(
      "The key \(describe(keyset, in: store)) should have been rotated \(days == 0 ? "today" : "\(days.counted("day")) ago"): "
        + "envelope keys rotate \(name)")
  }

  private static func makeDefault() async throws {
    let others = try await ToolStore.update { (store) throws(EnvelopeError) -> Int? in
      // Another process may have been first.
      guard !store.hasDefaultThatSeals else { return nil }
      let others = store.keysets.count
      let keyset = try Keyset.generate()
      try store.add(keyset, alias: store["default"] == nil ? "default" : nil)
      try store.setDefault(keyset.id.string)
      try store.report(KeyUse(KeyUse.Operation(rawValue: "create"), of: keyset.id))
      return others
    }
    guard let others else { return }
    let place = try KeyStoreFile().location
    Console.say(
      others == 0
        ? "Created the key store \(place.shown) with a key 'default'." : "Created the default key in \(place.shown).")
    Console.say("Keep a copy of it in a safe place: what is sealed under its keys opens nowhere else.")
  }

  /// A keyset by its aliases and id.
  static func describe(_ keyset: Keyset, in store: KeyStore) -> String {
    let aliases = store.aliases(of: keyset)
    return aliases.isEmpty ? "\(keyset.id)" : "\(aliases.joined(separator: ", ")) (\(keyset.id))"
  }
}

/// Recipients among names of keys.
enum Recipients {
  /// Those that are named by their text.
  static func named(in names: [String]) throws(EnvelopeError) -> [Recipient] {
    var recipients: [Recipient] = []
    for name in names where Recipient.isNamed(by: name) {
      let recipient: Recipient
      do throws(EnvelopeError) {
        recipient = try Recipient(name)
      } catch {
        throw EnvelopeError(.usage, error.message, advice: error.advice)
      }
      if !recipients.contains(recipient) { recipients.append(recipient) }
    }
    return recipients
  }
}

extension KeyStore {
  /// Whether there is a default key to seal under: an identity is one only where it is named, for what is sealed to it has
  /// no sender, and handlers refuse it.
  fileprivate var hasDefaultThatSeals: Bool {
    defaultKeyID.flatMap { self[$0.string] }.map { $0.kind == .symmetric } ?? false
  }

  /// The aliases of a keyset in ascending order.
  func aliases(of keyset: Keyset) -> [String] {
    aliases.filter { $0.value == keyset.id }.keys.sorted()
  }
}
