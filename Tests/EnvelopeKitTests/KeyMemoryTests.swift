// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import Glibc
  import TestSupport
  import Testing

  @testable import EnvelopeKit

  /// Nothing of a local key, a shared secret or a passphrase is left behind; each test is a process of its own, in which
  /// nobody else runs.
  @Suite(.timeLimit(.minutes(20))) struct KeyMemoryTests {
    /// A key whose secret is the hidden one.
    private static func keyset(_ secret: HiddenSecret, _ kind: Keyset.Kind = .symmetric) throws -> Keyset {
      let memory = try GuardedMemory(capacity: 32) { secret.append(to: &$0) }
      let version = Keyset.Version(number: 1, created: 0, keys: [try WrappingKey(in: memory, at: 0)])
      return try Keyset(id: KeyID("abcdefghijkl"), kind: kind, versions: [version], primary: 1)
    }

    /// The last sixteen bytes of some, masked.
    private static func maskedTail(_ bytes: RawSpan) -> [UInt8] {
      (bytes.byteCount - 16..<bytes.byteCount).map {
        unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) ^ 0x5a
      }
    }

    @Test func aNarrowedCopyHoldsNothingOfTheWholeKey() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let tail: [UInt8]
        do {
          let narrowed: KeyStore
          do {
            var store = KeyStore()
            try store.add(KeyMemoryTests.keyset(secret))
            narrowed = try store.exporting("abcdefghijkl", narrowedTo: [.noFunction])
            #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          }
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
          tail = try narrowed.keysets[0].versions[0].keys[0].withBytes { KeyMemoryTests.maskedTail($0) }
          let text = try narrowed.text()
          #expect(MemoryScan.count(ofMasked: tail) == 1)
          let read = try text.withBytes { (text) throws(EnvelopeError) in try KeyStore(text: text) }
          #expect(MemoryScan.count(ofMasked: tail) == 2)
          let sealed = try await Envelope.seal([1], context: [:], suite: .tested, using: read.keyring())
          _ = try await Envelope.open(sealed, context: [:], using: narrowed.keyring())
          #expect(MemoryScan.count(ofMasked: tail) == 2)
          withExtendedLifetime((narrowed, read)) {}
        }
        #expect(MemoryScan.count(ofMasked: tail) == 0)
      }
    }

    @Test func whatAWholeKeyDerivesIsGoneAfterUse() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let tail: [UInt8]
        do {
          let keyset = try KeyMemoryTests.keyset(secret)
          tail = try keyset.versions[0].keys[0].narrowed(to: "f").withBytes { KeyMemoryTests.maskedTail($0) }
          let keyring = KeysetKeyring(keyset)
          let entries = try await keyring.wrap(try .generate(), for: ["function": "f"])
          _ = try await keyring.unwrap(entries, for: ["function": "f"])
          await expectError(.unwrapFailed) { try await keyring.unwrap(entries, for: ["function": "f", "x": "y"]) }
          #expect(MemoryScan.count(ofMasked: tail) == 0)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    /// Neither the private key, nor what the exchange gives, nor the keys derived of it, nor the data key.
    @Test(arguments: KEM.here.map(\.scheme.rawValue)) func sealingToARecipientAndOpeningLeaveNothing(scheme: UInt8)
      async
    {
      await #expect(processExitsWith: .success) { [scheme = scheme as UInt8] in
        let kem = try #require(KEM.here.first { $0.scheme.rawValue == scheme })
        // The formula repeats after 45 bytes. Those of the data key begin with the twentieth, so that neither key has the
        // other's last sixteen.
        let (secret, dataKey) = (HiddenSecret(byteCount: 32), HiddenSecret(byteCount: 52))
        var tails: [[UInt8]] = []
        do {
          let identity = try KeyMemoryTests.keyset(secret, kem.identity)
          let recipient = try identity.recipient()
          let key = try DataKey(
            SecretBytes(byteCount: 32) { output in
              dataKey.bytes().withBytes { output.append($0.extracting(last: 32)) }
            })
          let entry = try recipient.wrap(key, for: ["function": "f"])
          let keyring = KeysetKeyring(identity)
          let opened = try await keyring.unwrap([entry], for: ["function": "f"])
          await expectError(.unwrapFailed) { try await keyring.unwrap([entry], for: [:]) }
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          // The one sealed, and the one opened.
          #expect(MemoryScan.count(ofMasked: dataKey.maskedTail) == 2)
          // What can be computed again of a message that is known, with the private key.
          let encapsulated = Array(entry.bytes.prefix(kem.encapsulatedByteCount))
          let info = Recipient.info
          try identity.versions[0].keys[0].withBytes { (privateKey) throws(EnvelopeError) in
            if kem == .x25519 {
              let exchanged = try unsafe X25519.sharedSecret(
                privateKey: privateKey, publicKey: encapsulated.span.bytes)
              tails.append(exchanged.withBytes { KeyMemoryTests.maskedTail($0) })
            }
            let shared = try unsafe kem.sharedSecret(of: encapsulated.span.bytes, privateKey: privateKey)
            tails.append(shared.withBytes { KeyMemoryTests.maskedTail($0) })
            let keys = try unsafe HPKE.MessageKeys(sharedSecret: shared, info: info.span.bytes, kem: kem)
            tails.append(keys.secret.withBytes { KeyMemoryTests.maskedTail($0) })
            tails.append(keys.key.withBytes { KeyMemoryTests.maskedTail($0) })
          }
          for tail in tails { #expect(MemoryScan.count(ofMasked: tail) == 0) }
          #expect(opened.source == entry)
        }
        for tail in tails + [secret.maskedTail, dataKey.maskedTail] {
          #expect(MemoryScan.count(ofMasked: tail) == 0)
        }
      }
    }

    /// libsodium works on a copy of the private key with some bits set at both ends.
    @Test func anExchangeLeavesNoCopyOfThePrivateKey() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        do {
          let key = secret.bytes()
          let middle = key.withBytes { KeyMemoryTests.maskedTail($0.extracting(first: 28)) }
          let publicKey = try key.withBytes { (key) throws(EnvelopeError) in try X25519.publicKey(of: key) }
          #expect(MemoryScan.count(ofMasked: middle) == 1)
          let shared = try key.withBytes { (key) throws(EnvelopeError) in
            try unsafe X25519.sharedSecret(privateKey: key, publicKey: publicKey.span.bytes)
          }
          #expect(MemoryScan.count(ofMasked: middle) == 1)
          #expect(key.byteCount == 32 && shared.byteCount == 32)
        }
      }
    }

    @Test func aPassphraseIsGoneWithItsKeyringAndItsKeyAfterUse() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret()
        var tail: [UInt8] = []
        do {
          let keyring: PassphraseKeyring
          do { keyring = try PassphraseKeyring(secret.bytes(), cost: .cheap) }
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          let entries = try await keyring.wrap(try .generate(), for: [:])
          _ = try await keyring.unwrap(entries, for: [:])
          await expectError(.unwrapFailed) { try await keyring.unwrap(entries, for: ["a": "b"]) }
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          let salt = Array(entries[0].bytes[2..<18])
          let key = try SecretBytes(byteCount: 32) { (output) throws(EnvelopeError) in
            try secret.bytes().withBytes { (passphrase) throws(EnvelopeError) in
              try unsafe Argon2id.append(passphrase: passphrase, salt: salt.span.bytes, cost: .cheap, to: &output)
            }
          }
          tail = key.withBytes { KeyMemoryTests.maskedTail($0) }
          // The one made just now.
          #expect(MemoryScan.count(ofMasked: tail) == 1)
          #expect(key.byteCount == 32)
        }
        #expect(MemoryScan.count(ofMasked: tail) == 0)
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    /// Neither a key nor its text: the plaintext of the envelope is the store's text.
    @Test func lockingAndOpeningAStoreLeavesOneCopyOfItsKeys() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let keyring = KeysetKeyring(try .generate())
        let textTail: [UInt8]
        do {
          var store = KeyStore()
          try store.add(KeyMemoryTests.keyset(secret))
          textTail = try store.keysets[0].versions[0].keys[0].withBytes { (key) throws(EnvelopeError) in
            let text = try SecretBytes(byteCount: 44) { (output) throws(EnvelopeError) in
              try SecretBase64.url.append(encoding: key, to: &output)
            }
            return text.withBytes { KeyMemoryTests.maskedTail($0) }
          }
          let locked = try await LockedKeyStore.seal(store, using: keyring)
          #expect(MemoryScan.count(ofMasked: textTail) == 0)
          let opened = try await LockedKeyStore.open(locked, using: keyring)
          #expect(MemoryScan.count(ofMasked: textTail) == 0)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 2)
          withExtendedLifetime((store, opened)) {}
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
        #expect(MemoryScan.count(ofMasked: textTail) == 0)
      }
    }

    @Test func aDestroyedKeyIsGone() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        var store = KeyStore()
        do { try store.add(KeyMemoryTests.keyset(secret)) }
        _ = try store.scheduleDeletion(of: "abcdefghijkl", afterDays: 7, now: 0)
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
        _ = try store.destroyOverdue()
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
        #expect(store.keysets.count == 1)
      }
    }

    /// A secret that stands where none belongs is not copied on the way to the error, in the second version either.
    @Test(arguments: [
      "SECRET x", "comment SECRET", "version SECRET", "state SECRET", "state pending SECRET", "minimum SECRET",
    ])
    func aDamagedKeyStoreLeavesNoCopy(line: String) async {
      await #expect(processExitsWith: .success) { [line = line as String] in
        let secret = HiddenSecret(byteCount: 400)
        do {
          let text = SecretBytes(byteCount: 1024) { output in
            output.append("envelope-keys 2\nkeyset abcdefghijkl 1\n")
            for (index, part) in line.split(separator: " ").enumerated() {
              if index > 0 { output.append(" ") }
              if part == "SECRET" { secret.append(to: &output) } else { output.append(String(part)) }
            }
            output.append("\nend\n")
          }
          await expectError(.keyStoreDamaged) {
            try text.withBytes { (text) throws(EnvelopeError) in _ = try KeyStore(text: text) }
          }
          #expect(text.byteCount > 400)
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }
  }
#endif
