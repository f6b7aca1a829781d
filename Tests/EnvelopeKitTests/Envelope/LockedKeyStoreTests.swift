// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct LockedKeyStoreTests {
  private func store() throws -> KeyStore {
    var store = KeyStore()
    try store.add(.generate().rotated(), alias: "main")
    try store.add(.generate(.identity), alias: "me")
    try store.disable("me")
    try store.startAuditLog()
    return store
  }

  private func passphrase(_ text: String) throws -> PassphraseKeyring {
    try PassphraseKeyring(SecretBytes(Array(text.utf8)), cost: .cheap)
  }

  private func isLocked(_ text: [UInt8]) -> Bool { unsafe LockedKeyStore.isLocked(text.span.bytes) }

  @Test func everyKeyringLocksAStore() async throws {
    let store = try store()
    let identity = try Keyset.generate(.identity)
    let keyrings: [(sealing: any Keyring, opening: any Keyring)] = [
      (try passphrase("open sesame"), try passphrase("open sesame")),
      (try RecipientKeyring([identity.recipient()]), KeysetKeyring(identity)),
      (StubKeyring(scheme: .awsKMS, keyID: "arn"), StubKeyring(scheme: .awsKMS, keyID: "arn")),
    ]
    for (sealing, opening) in keyrings {
      let locked = try await LockedKeyStore.seal(store, using: sealing)
      #expect(isLocked(locked) && locked.last == .lineFeed && locked.filter { $0 == .lineFeed }.count == 1)
      #expect(locked.count <= LockedKeyStore.textByteLimit)
      #expect(try LockedKeyStore.wrappedKeys(of: locked).count == 1)
      let opened = try await LockedKeyStore.open(locked, using: opening)
      #expect(try opened.string == store.string)
    }
    #expect(try !isLocked(store.text().copy()) && !isLocked([]) && !isLocked(Array("ek1".utf8)))
  }

  @Test func nothingOfTheStoreIsReadable() async throws {
    let store = try store()
    let locked = try await LockedKeyStore.seal(store, using: passphrase("open sesame"))
    let text = String(decoding: locked, as: UTF8.self)
    let bytes = try Envelope.bytes(ofText: String(text.dropLast()))
    for word in ["envelope-keys", "main", store.keysets[0].id.string, store.keysets[1].id.string] {
      #expect(!text.contains(word) && bytes.firstRange(of: Array(word.utf8)) == nil)
    }
  }

  @Test func anotherPassphraseAndAnotherKeyDoNotOpen() async throws {
    let locked = try await LockedKeyStore.seal(store(), using: passphrase("open sesame"))
    let wrong = try passphrase("open Sesame")
    await expectError(.unwrapFailed) { _ = try await LockedKeyStore.open(locked, using: wrong) }
    let local = KeysetKeyring(try .generate())
    await expectError(.keyNotFound) { _ = try await LockedKeyStore.open(locked, using: local) }
  }

  @Test func everyAlteredByteAndEveryTruncationIsRefused() async throws {
    let local = KeysetKeyring(try .generate())
    let locked = try await LockedKeyStore.seal(store(), using: local)
    for index in locked.indices {
      let altered = locked.flipping(bit: index % 7, of: index)
      await #expect(throws: EnvelopeError.self, "byte \(index)") {
        _ = try await LockedKeyStore.open(altered, using: local)
      }
      await #expect(throws: EnvelopeError.self, "\(index) bytes") {
        _ = try await LockedKeyStore.open(Array(locked.prefix(index)), using: local)
      }
    }
    for more in [[10], Array("\r\n".utf8), Array("x\n".utf8)] as [[UInt8]] {
      await #expect(throws: EnvelopeError.self) { _ = try await LockedKeyStore.open(locked + more, using: local) }
    }
  }

  /// An envelope for another purpose is no locked store, whoever sealed it.
  @Test func anotherEnvelopeIsNoStore() async throws {
    let local = KeysetKeyring(try .generate())
    let text = try store().text()
    func locked(_ context: EncryptionContext, _ data: [UInt8]) async throws -> [UInt8] {
      let sealed = try await Envelope.seal(
        text, for: .keyStore, context: context, authenticating: data, suite: .tested, using: local)
      return Array((Envelope.text(of: sealed) + "\n").utf8)
    }
    let purpose: EncryptionContext = ["purpose": "envelope-keys"]
    _ = try await LockedKeyStore.open(locked(purpose, Array("envelope-keys".utf8)), using: local)
    await expectError(.contextDiffers) {
      _ = try await LockedKeyStore.open(locked([:], Array("envelope-keys".utf8)), using: local)
    }
    await expectError(.payloadAltered) { _ = try await LockedKeyStore.open(locked(purpose, []), using: local) }
    let none = try await Envelope.seal(
      SecretBytes([1, 2, 3]), for: .keyStore, context: purpose, authenticating: Array("envelope-keys".utf8),
      suite: .tested, using: local)
    await expectError(.unsupportedVersion, .keyStoreDamaged) {
      _ = try await LockedKeyStore.open(Array((Envelope.text(of: none) + "\n").utf8), using: local)
    }
  }
}
