// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Synchronization

@main
struct Keys {
  static func main() async {
    await HandlerSecrets.runOrExit {
      let file = try KeyStoreFile()
      try await rotation(of: file)
      try await recipients(file)
      try await narrowing(file)
      try await watching(file)
      try await locking(file)
    }
  }

  static func rotation(of file: KeyStoreFile) async throws {
    let before = try KeyStore.open().keyring()
    let context: EncryptionContext = ["table": "tokens"]
    var rows = [try await Envelope.seal(Array("a token".utf8), context: context, using: before)]

    try file.update { (store) throws(EnvelopeError) in try store.rotate("default") }

    let keyring = try KeyStore.open().keyring()
    rows = try await Envelope.rewrap(rows, .newestVersions(of: keyring), context: context, using: keyring)
    print("\(rows.count) row is under version \(keyring.keyset.primary)")
  }

  static func recipients(_ file: KeyStoreFile) async throws {
    let keyring = try KeyStore.open().keyring()
    // Made on a machine that is switched off most of the time; its text is no secret.
    let text = try Keyset.generate(.identity).recipient().description

    let both = try MultiKeyring([keyring, RecipientKeyring([Recipient(text)])])
    let sealed = try await SealedEnvironment.seal(["TOKEN": "example"], context: ["function": "checkout"], using: both)
    print("Any of \(sealed.wrappedKeys.count) keys opens it")
  }

  static func narrowing(_ file: KeyStoreFile) async throws {
    let store = try KeyStore.open()
    let narrowed = try store.exporting("default", narrowedTo: [FunctionScope(function: "checkout")])
    let keyring = try narrowed.keyring()
    _ = try await Envelope.seal(Array("for it".utf8), context: ["function": "checkout"], using: keyring)
    do {
      _ = try await Envelope.seal(Array("for another".utf8), context: ["function": "orders"], using: keyring)
    } catch let error as EnvelopeError where error.code == .keyNotFound {
      print("Not for orders")
    }
  }

  static func watching(_ file: KeyStoreFile) async throws {
    var store = try KeyStore.open()
    store.reportUses { use in
      print("\(use.operation.rawValue) with \(use.keyID): \(use.failure?.rawValue ?? "success")")
    }
    let counter = Counter()
    let keyring = ObservedKeyring(try store.keyring(), observer: counter)
    let sealed = try await Envelope.seal(Array("watched".utf8), context: ["table": "tokens"], using: keyring)
    _ = try await Envelope.open(sealed, context: ["table": "tokens"], using: keyring)
    print("Opened \(counter.opened) value")
  }

  static func locking(_ file: KeyStoreFile) async throws {
    let passphrase = SecretBytes(copying: Array("correct horse battery".utf8).span.bytes)
    let keyring = try PassphraseKeyring(passphrase)
    try await file.update(unlockingWith: keyring, lockingWith: keyring) { (_) throws(EnvelopeError) in }

    let store = try await KeyStore.open(unlockingWith: keyring)
    print("\(store.keysets.count) key, behind a passphrase")
    try await file.update(unlockingWith: keyring, lockingWith: nil) { (_) throws(EnvelopeError) in }
  }
}

/// Counts for a metrics library.
final class Counter: EnvelopeObserver {
  private let count = Atomic(0)
  var opened: Int { count.load(ordering: .relaxed) }

  func observe(_ event: EnvelopeEvent) {
    if event.kind == .opened { count.add(1, ordering: .relaxed) }
  }
}
