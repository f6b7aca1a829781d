// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// The keys that commands use: those of the key store in its usual place, and those of AWS KMS that are named.
enum ToolKeys {
  /// A keyring that opens with any key of the key store, and with the named keys of AWS KMS.
  ///
  /// AWS KMS is never asked about a key because an envelope says so: what it says has not been verified yet.
  static func opening(
    _ sealed: SealedEnvironment, _ settings: FunctionSettings
  ) throws(EnvelopeError) -> MultiKeyring {
    let named = settings.keys.filter(isKMS)
    guard !named.isEmpty else {
      let store = try KeyStoreFile().load()
      if store == nil, let key = sealed.wrappedKeys.first(where: { $0.scheme == .awsKMS }) {
        throw EnvelopeError(
          .keyNotFound, "This is sealed under a key of AWS KMS, and none was named",
          // Nobody has verified the header, and what is shown may be copied into a shell.
          advice: "If the key is yours, name it, or an alias of it: --key "
            + (key.keyID.string.utf8.allSatisfy { $0.isLetter || $0.isDigit || ":/-".utf8.contains($0) }
              ? key.keyID.string : "ARN"))
      }
      return try MultiKeyring([KeyStore.open().keyring()])
    }
    var keyrings: [any Keyring] = []
    // A machine that uses AWS KMS need not have a key store.
    if let store = try KeyStoreFile().load(), store.defaultKeyID != nil { keyrings.append(try store.keyring()) }
    // A command that opens and then changes asks the service once all the same.
    keyrings.append(
      try CachingKeyring(MultiKeyring(kms(named, settings.keyService)), maximumAge: .seconds(300), entryLimit: 16))
    return try MultiKeyring(keyrings)
  }

  /// A keyring that seals under every one of the named keys, or under the default key where none is named.
  ///
  /// Without a key store, the default key and its store are made, and it is said.
  ///
  /// - Returns: The keyring, and the keys in words.
  static func sealing(_ settings: FunctionSettings) throws(EnvelopeError) -> (keyring: MultiKeyring, keys: [String]) {
    let local = settings.keys.filter { !isKMS($0) }
    let service = settings.keys.filter(isKMS)
    guard !service.isEmpty else { return try sealing(under: local) }
    var (keyrings, keys): ([any Keyring], [String]) = (try kms(service, settings.keyService), service)
    if !local.isEmpty {
      let (keyring, names) = try sealing(under: local)
      keyrings.append(keyring)
      keys += names
    }
    return (try MultiKeyring(keyrings), keys)
  }

  /// Whether a name is of AWS KMS: no alias or id of the key store has a slash or a colon.
  static func isKMS(_ name: String) -> Bool { name.hasPrefix("arn:") || name.hasPrefix("alias/") }

  private static func sealing(
    under names: [String]
  ) throws(EnvelopeError) -> (keyring: MultiKeyring, keys: [String]) {
    let file = try KeyStoreFile()
    let store = try file.load() ?? KeyStore()
    guard !names.isEmpty || store.defaultKeyID != nil else {
      try makeDefault(in: file)
      return try sealing(under: names)
    }
    guard !names.isEmpty else {
      let keyset = try store.keyring().keyset
      return (try MultiKeyring([KeysetKeyring(keyset)]), [describe(keyset, in: store)])
    }
    var keyrings: [KeysetKeyring] = []
    for name in names {
      guard store[name] != nil else {
        throw EnvelopeError(
          .keyNotFound, "The key store \(file.location) has no key \(EnvelopeError.quoted(name))",
          advice: "Make it: envelope keys create NAME")
      }
      let keyring = try store.keyring(for: name)
      // An alias and an id may name the same key.
      if !keyrings.contains(where: { $0.keyset.id == keyring.keyset.id }) { keyrings.append(keyring) }
    }
    return (try MultiKeyring(keyrings), keyrings.map { describe($0.keyset, in: store) })
  }

  private static func makeDefault(in file: KeyStoreFile) throws(EnvelopeError) {
    let isNew = try file.update { (store) throws(EnvelopeError) in
      // Another process may have been first.
      guard store.defaultKeyID == nil else { return false }
      try store.add(Keyset.generate(), alias: "default")
      return true
    }
    guard isNew else { return }
    Console.say("Made the key store \(file.location) with a key 'default'.")
    Console.say("Keep a copy of it in a safe place: what is sealed under its keys opens nowhere else.")
  }

  /// A keyset by its aliases and id.
  static func describe(_ keyset: Keyset, in store: KeyStore) -> String {
    let aliases = store.aliases(of: keyset)
    return aliases.isEmpty ? "\(keyset.id)" : "\(aliases.joined(separator: ", ")) (\(keyset.id))"
  }
}

extension KeyStore {
  /// The aliases of a keyset in ascending order.
  func aliases(of keyset: Keyset) -> [String] {
    aliases.filter { $0.value == keyset.id }.keys.sorted()
  }
}
