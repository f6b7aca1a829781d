// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// A key store whose text the caller brings.
@Suite(.timeLimit(.minutes(20))) struct KeyStoreBytesTests {
  private func store() throws -> KeyStore {
    var store = KeyStore()
    try store.add(Keyset.generate(), alias: "main")
    return store
  }

  private func isWiped(_ bytes: [UInt8], _ count: Int) -> Bool { bytes.count == count && bytes.allSatisfy { $0 == 0 } }

  /// Secrets managers and variables cut the last line feed off, and shells add one.
  @Test(arguments: ["", "\n", "\n\n"]) func readsTextAndWipesIt(end: String) async throws {
    let store = try store()
    let sealed = try await SealedEnvironment.seal(["TOKEN": "abc"], context: ["function": "f"], using: store.keyring())
    let text = Array(try store.string.dropLast().utf8) + Array(end.utf8)
    var bytes = text
    let read = try KeyStore(wiping: &bytes)
    #expect(try read.string == store.string)
    #expect(isWiped(bytes, text.count))
    let opened = try await HandlerSecrets.open(using: read.keyring(), function: "f", variables: sealed.variables)
    #expect(try opened.require("TOKEN").revealingString() == "abc")
    // It may not be locked, too.
    bytes = text
    let again = try await KeyStore(wiping: &bytes, unlockingWith: KeysetKeyring(.generate()))
    #expect(try again.string == store.string && isWiped(bytes, text.count))
  }

  @Test func wipesTextThatItCannotRead() async throws {
    let good = try store().string
    let damaged: [(String, EnvelopeError.Code)] = [
      ("", .unsupportedVersion), ("\n", .unsupportedVersion), (good + "more", .keyStoreDamaged),
      (String(good.dropLast(5)), .keyStoreDamaged),
      (good.replacing("envelope-keys 1", with: "other"), .unsupportedVersion),
      (good.replacing("version", with: "versions"), .keyStoreDamaged),
      ("ek1:" + String(repeating: "A", count: 100), .keyStoreLocked),
      (String(repeating: "x", count: KeyStore.textByteLimit + 1), .keyStoreDamaged),
    ]
    for (index, (text, code)) in damaged.enumerated() {
      var bytes = Array(text.utf8)
      await expectError(code, at: "\(index)") { try KeyStore(wiping: &bytes) }
      #expect(isWiped(bytes, text.utf8.count))
    }
  }

  @Test func unlocksTextAndWipesIt() async throws {
    let (store, keyring) = (try store(), KeysetKeyring(try .generate()))
    let locked = try await LockedKeyStore.seal(store, using: keyring)
    for text in [locked, locked.dropLast()] {
      var bytes = Array(text)
      let read = try await KeyStore(wiping: &bytes, unlockingWith: keyring)
      #expect(try read.string == store.string && isWiped(bytes, text.count))
      bytes = Array(text)
      await expectError(.keyNotFound) { try await KeyStore(wiping: &bytes, unlockingWith: KeysetKeyring(.generate())) }
      #expect(isWiped(bytes, text.count))
      bytes = Array(text)
      await expectError(.keyStoreLocked) { try KeyStore(wiping: &bytes) }
      #expect(isWiped(bytes, text.count))
    }
  }

  @Test func storeIsNarrowedIfEachKeyIs() throws {
    var store = try store()
    #expect(!store.isNarrowed && KeyStore().isNarrowed)
    var narrowed = try store.exporting("main", narrowedTo: [FunctionScope(function: "f"), .noFunction])
    #expect(narrowed.isNarrowed)
    try narrowed.add(Keyset.generate(.identity))
    #expect(!narrowed.isNarrowed)
    store.keysets[0].state = .pendingDeletion(at: 0)
    #expect(!store.isNarrowed)
    _ = try store.destroyOverdue()
    #expect(store.isNarrowed)
  }
}
