// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// The keys of the key store in its usual place, as the commands use them.
enum LocalKeys {
  /// A keyring that opens with any key of the store.
  static func opening() throws(EnvelopeError) -> KeysetKeyring {
    try KeyStore.open().keyring()
  }

  /// A keyring that seals under every one of the named keys, or under the default key where none is named.
  ///
  /// Without a key store, the default key and its store are made, and it is said.
  ///
  /// - Returns: The keyring, and the keys in words.
  static func sealing(under names: [String]) throws(EnvelopeError) -> (keyring: MultiKeyring, keys: [String]) {
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
