// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// A key store that is sealed itself.
@Suite(.timeLimit(.minutes(20))) struct LockedStoreTests {
  let folder: TemporaryFolder
  let path: String
  let file: KeyStoreFile

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/store/keys"
    file = try KeyStoreFile(at: path)
    try file.make("default", "second-alias")
  }

  private func lock(with keyring: any Keyring) async throws {
    try await file.update(unlockingWith: KeysetKeyring(try .generate()), lockingWith: keyring) { _ in }
  }

  @Test func itOpensWithItsPassphraseAndIsWhatItWas() async throws {
    let before = try KeyStore.open(at: path)
    try await lock(with: cheapKeyring("horse"))
    for _ in 0..<2 {
      let after = try #require(try await file.load(unlockingWith: cheapKeyring("horse")))
      #expect(after.keysets.map(\.id) == before.keysets.map(\.id) && after.aliases == before.aliases)
      #expect(after.defaultKeyID == before.defaultKeyID)
    }
    let opened = try await KeyStore.open(at: path, unlockingWith: cheapKeyring("horse"))
    let context: EncryptionContext = ["function": "app"]
    let sealed = try await SealedEnvironment.seal(["TOKEN": "abc"], context: context, using: before.keyring())
    #expect(
      try await sealed.open(context: context, using: opened.keyring()).require("TOKEN").revealingString() == "abc")
  }

  @Test func withoutItsKeyItIsRefusedAndStaysAsItIs() async throws {
    try await lock(with: cheapKeyring("horse"))
    let before = try bytes(of: path)
    await expectError(.keyStoreLocked, saying: path) { try file.load() }
    await expectError(.keyStoreLocked, saying: path) { try KeyStore.open(at: path) }
    await expectError(.keyStoreLocked) { try file.update { _ in } }
    await expectError(.keyStoreLocked) { try file.make("more") }
    let other = KeysetKeyring(try Keyset.generate())
    for (keyring, code) in [
      (try cheapKeyring("horses"), EnvelopeError.Code.unwrapFailed), (try cheapKeyring("Horse"), .unwrapFailed),
      (other, .keyNotFound), (try RecipientKeyring([Keyset.generate(.identity).recipient()]), .keyNotFound),
    ] as [(any Keyring, EnvelopeError.Code)] {
      let keyring = try MultiKeyring([keyring])
      await expectError(code) { try await file.load(unlockingWith: keyring) }
      await expectError(code) { try await KeyStore.open(at: path, unlockingWith: keyring) }
      await expectError(code) { try await file.update(unlockingWith: keyring, lockingWith: nil) { _ in } }
      await expectError(code) { try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in } }
    }
    #expect(try bytes(of: path) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/store") == ["keys"])
  }

  @Test func itShowsNothingOfWhatIsInIt() async throws {
    let words = String(decoding: try bytes(of: path), as: UTF8.self).split { " \n".contains($0) }
    try await lock(with: cheapKeyring("horse"))
    let locked = try bytes(of: path)
    for word in words where word.utf8.count > 4 { #expect(!locked.contains(word), "\(word)") }
    #expect(!locked.contains("horse"))
    #expect(try folder.mode(of: path) == 0o600)
    #expect(locked.last == 10 && locked.filter { $0 == 10 }.count == 1)
  }

  @Test func itsKeysAreListedWithoutOpeningIt() async throws {
    #expect(try file.lockingKeys() == nil)
    #expect(try KeyStoreFile(at: folder.path + "/none").lockingKeys() == nil)
    try await lock(with: cheapKeyring("horse"))
    #expect(try file.lockingKeys()?.map(\.scheme) == [.passphrase])
    try folder.setMode(0o664, of: path)
    await expectError(.filePermissions) { try file.lockingKeys() }
    await expectError(.filePermissions) { try await file.load(unlockingWith: cheapKeyring("horse")) }
  }

  @Test func itIsReadUnlessItIsLocked() async throws {
    let none = try KeyStoreFile(at: folder.path + "/none").loadUnlessLocked()
    #expect(none.store == nil && none.lockingKeys == nil)
    let open = try file.loadUnlessLocked()
    #expect(try open.store?.keysets.map(\.id) == file.load()?.keysets.map(\.id) && open.lockingKeys == nil)
    try await lock(with: cheapKeyring("horse"))
    let locked = try file.loadUnlessLocked()
    #expect(locked.store == nil && locked.lockingKeys?.map(\.scheme) == [.passphrase])
    try folder.setMode(0o664, of: path)
    await expectError(.filePermissions) { try file.loadUnlessLocked() }
  }

  @Test func aChangeSealsItAnewUnderANewDataKey() async throws {
    let keyring = try cheapKeyring("horse")
    try await lock(with: keyring)
    let before = try bytes(of: path)
    let id = try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
      let keyset = try Keyset.generate()
      try store.add(keyset, alias: "more")
      return keyset.id
    }
    #expect(try await file.load(unlockingWith: keyring)?["more"]?.id == id)
    let after = try bytes(of: path)
    #expect(Set(before.indices.prefix(after.count).filter { before[$0] == after[$0] }).count < before.count / 2)
  }

  @Test func aChangeThatFailsLeavesItLockedAsItWas() async throws {
    let keyring = try cheapKeyring("horse")
    try await lock(with: keyring)
    let before = try bytes(of: path)
    for sealing in [keyring, nil] as [PassphraseKeyring?] {
      await expectError(.keyExists) {
        try await file.update(unlockingWith: keyring, lockingWith: sealing) { (store) throws(EnvelopeError) in
          try store.add(Keyset.generate(), alias: "default")
        }
      }
    }
    // It cannot be sealed: the key is for a function's envelopes alone.
    var other = KeyStore()
    try other.add(Keyset.generate(), alias: "other")
    let narrowed = try other.exporting("other", narrowedTo: [FunctionScope(function: "f")]).keyring()
    await expectError(.keyNotFound) {
      try await file.update(unlockingWith: keyring, lockingWith: narrowed) { _ in }
    }
    #expect(try bytes(of: path) == before)
  }

  @Test func theLockIsReplacedAndTakenOff() async throws {
    let (first, second) = (try cheapKeyring("first"), try cheapKeyring("second"))
    try await lock(with: first)
    try await file.update(unlockingWith: first, lockingWith: second) { _ in }
    await expectError(.unwrapFailed) { try await file.load(unlockingWith: first) }
    #expect(try await file.load(unlockingWith: second)?.keysets.count == 2)
    try await file.update(unlockingWith: second, lockingWith: nil) { _ in }
    #expect(try file.load()?.keysets.count == 2)
    #expect(try folder.mode(of: path) == 0o600)
  }

  @Test func aStoreThatIsNotThereIsNoneAndIsMadeLocked() async throws {
    let other = try KeyStoreFile(at: folder.path + "/new/keys")
    let keyring = try cheapKeyring("horse")
    #expect(try await other.load(unlockingWith: keyring) == nil)
    await expectError(.keyNotFound, saying: "/new/keys") {
      try await KeyStore.open(at: other.location, unlockingWith: keyring)
    }
    try await other.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
    await expectError(.keyStoreLocked) { try other.load() }
    #expect(try await other.load(unlockingWith: keyring)?.keysets.isEmpty == true)
  }

  @Test func aLinkToItIsFollowed() async throws {
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "store/keys")
    let keyring = try cheapKeyring("horse")
    let linked = try KeyStoreFile(at: link)
    try await linked.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "store/keys")
    await expectError(.keyStoreLocked) { try file.load() }
    try await linked.update(unlockingWith: keyring, lockingWith: nil) { _ in }
    #expect(try file.load()?.keysets.count == 2)
  }

  // MARK: Other keys than a passphrase

  @Test func itIsKeptUnderARecipient() async throws {
    var offline = KeyStore()
    let identity = try Keyset.generate(.identity)
    try offline.add(identity)
    let recipient = try RecipientKeyring([identity.recipient()])
    try await lock(with: recipient)
    #expect(try file.lockingKeys()?.map(\.scheme) == [.recipient])
    await expectError(.keyNotFound) { try await file.load(unlockingWith: recipient) }
    #expect(try await file.load(unlockingWith: offline.keyring())?.keysets.count == 2)
    await expectError(.keyNotFound) {
      try await file.load(unlockingWith: KeysetKeyring(try Keyset.generate(.identity)))
    }
  }

  @Test func anyOfSeveralKeysOpensIt() async throws {
    let (service, identity) = (try Keyset.generate(), try Keyset.generate(.identity))
    try await lock(with: MultiKeyring([KeysetKeyring(service), try RecipientKeyring([identity.recipient()])]))
    for keyset in [service, identity] {
      #expect(try await file.load(unlockingWith: KeysetKeyring(keyset))?.keysets.count == 2)
    }
    #expect(try file.lockingKeys()?.map(\.scheme) == [.keyset, .recipient])
  }

  /// A store is for no function: a key that was narrowed to one does not open it.
  @Test func aNarrowedKeyOpensItOnlyWhereThatIsItsScope() async throws {
    var other = KeyStore()
    try other.add(Keyset.generate(), alias: "outer")
    try await lock(with: other.keyring())
    let noFunction = try other.exporting("outer", narrowedTo: [.noFunction])
    #expect(try await file.load(unlockingWith: noFunction.keyring())?.keysets.count == 2)
    for name in ["app", "envelope-keys"] {
      let narrowed = try other.exporting("outer", narrowedTo: [FunctionScope(function: name)])
      await expectError(.keyNotFound) { try await file.load(unlockingWith: narrowed.keyring()) }
    }
    try other.disable("outer")
    await expectError(.keyDisabled) { try await file.load(unlockingWith: other.keyring()) }
  }

  // MARK: Reading during changes

  /// Each reader loads the store a fixed number of times: opening a locked store does not suspend, so a reader that
  /// waited for the last change would keep a thread that the writers may need.
  @Test func readerSeesStoreBeforeOrAfterChange() async throws {
    let (path, keyring) = (path, try cheapKeyring("horse"))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<2 {
        group.addTask {
          for number in 0..<10 {
            try await KeyStoreFile(at: path).update(
              unlockingWith: keyring, lockingWith: number.isMultiple(of: 2) ? keyring : nil
            ) { (store) throws(EnvelopeError) in
              try store.add(Keyset.generate(), alias: "k\(writer)-\(number)")
            }
          }
        }
      }
      for _ in 0..<2 {
        group.addTask {
          var count = 2
          for _ in 0..<20 {
            let store = try #require(try await KeyStoreFile(at: path).load(unlockingWith: keyring))
            #expect(store.keysets.count >= count && store.aliases.count == store.keysets.count)
            count = store.keysets.count
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await KeyStoreFile(at: path).load(unlockingWith: keyring)?.keysets.count == 22)
  }
}
