// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct RecipientTests {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

  /// A text with the right check over any parts, written down independently of the code under test.
  private func text(
    id: [UInt8] = Array(1...9), version: UInt32 = 1, key: [UInt8], prefix: String = "er1:"
  ) throws -> String {
    let bytes = id + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: version >> $0) } + key
    let check = try unsafe BLAKE2b.hash(32, personal: "EK recipient", message: bytes.span.bytes).prefix(4)
    return prefix + Base64URL.encode(bytes + check)
  }

  @Test(arguments: KEM.here) func theTextReadsBack(kem: KEM) throws {
    let identity = try Keyset.generate(kem.identity)
    var keyset = identity
    for number in 1...3 {
      let recipient = try keyset.recipient()
      let text = recipient.description
      #expect(text.utf8.count == (kem == .x25519 ? 70 : 1648) && text.hasPrefix(kem == .x25519 ? "er1:" : "er2:"))
      #expect(recipient.isPostQuantum == (kem == .xWing) && Recipient.isNamed(by: text))
      let read = try Recipient(text)
      #expect(read == recipient && read.description == text && "\(read)" == text)
      #expect(read.keyID.string == "\(keyset.id).\(number)")
      keyset = try keyset.rotated()
    }
  }

  @Test(arguments: seeds) func everyIDAndVersionReadBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for version in [1, 2, 9, 10, 255, 256, 65_536, UInt32.max]
      + (0..<100).map({ _ in UInt32.random(in: 1 ... .max, using: &random) })
    {
      let id = random.bytes(9)
      var key = random.bytes(32)
      // A public key is below 2²⁵⁵ − 19.
      key[31] &= 0x7f
      let text = try text(id: id, version: version, key: key)
      let recipient = try Recipient(text)
      #expect(recipient.keyID.string == "\(Base64URL.encode(id)).\(version)" && recipient.publicKey == key)
      #expect(recipient.description == text)
    }
  }

  /// Every other character of the alphabet in every place, and some that are none.
  @Test(arguments: KEM.here) func everyMistypedCharacterIsRefused(kem: KEM) throws {
    let identity = try Keyset.generate(kem.identity)
    let text = Array(try identity.recipient().description)
    // A long text in every thirteenth place, which is each of the four in a group of digits.
    for index in text.indices where kem == .x25519 || index % 13 == 0 || index < 20 || index > 1640 {
      for character in Self.digits + Array("+/= é\n\0:") where character != text[index] {
        var mistyped = text
        mistyped[index] = character
        #expect(throws: EnvelopeError.self, "\(String(mistyped))") { try Recipient(String(mistyped)) }
      }
    }
  }

  @Test(arguments: KEM.here) func whatIsShorterLongerOrSwappedIsRefused(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let text = try identity.recipient().description
    for length in stride(from: 0, to: text.count, by: kem == .x25519 ? 1 : 7) {
      #expect(throws: EnvelopeError.self) { try Recipient(String(text.prefix(length))) }
    }
    var others = [text + "A", text + "AAAA", text + "=", text + "\n", " " + text, text + text, String(text.reversed())]
    for prefix in ["ek1:", "ev1:", kem == .x25519 ? "er2:" : "er1:", "er3:", "ER1:", "er1", ""] {
      others.append(prefix + text.dropFirst(4))
    }
    for index in 4..<text.utf8.count - 1 {
      var swapped = Array(text)
      swapped.swapAt(index, index + 1)
      if String(swapped) != text { others.append(String(swapped)) }
    }
    for other in others { await expectError(.invalidArgument, at: other) { try Recipient(other) } }
    #expect(!Recipient.isNamed(by: "er3:" + text.dropFirst(4)) && !Recipient.isNamed(by: "ER1:"))
  }

  @Test func keysOfLowOrderAndNoVersionAreRefused() async throws {
    for point in X25519.lowOrderPoints {
      let text = try text(key: point)
      await expectError(.invalidArgument, at: text) { try Recipient(text) }
    }
    let key = try X25519.publicKey(of: [UInt8](repeating: 5, count: 32))
    await expectError(.invalidArgument) { try Recipient(text(version: 0, key: key)) }
    _ = try Recipient(text(version: 1, key: key))
  }

  @Test(arguments: KEM.here) func anIdentityOpensWhatIsSealedToIt(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let sealing = try RecipientKeyring([Recipient(identity.recipient().description)])
    let context: EncryptionContext = ["function": "checkout", "stage": "prod"]
    let entries = try await sealing.wrap(DataKey(copying: Planted.dataKey), for: context)
    #expect(entries.map(\.scheme) == [kem.scheme] && entries[0].bytes.count == kem.encapsulatedByteCount + 48)
    let keyring = KeysetKeyring(identity)
    let opened = try await keyring.unwrap(entries, for: context)
    #expect(opened.dataKey.withBytes { [UInt8](copying: $0) } == Planted.dataKey && opened.source == entries[0])
    for other in [
      ["function": "checkout"], ["function": "other", "stage": "prod"], [:],
      ["function": "checkout", "stage": "prod", "x": "y"],
    ] as [EncryptionContext] {
      await expectError(.unwrapFailed) { try await keyring.unwrap(entries, for: other) }
    }
    await expectError(.keyNotFound) { try await sealing.unwrap(entries, for: context) }
    await expectError(.keyNotFound) { try await KeysetKeyring(.generate(kem.identity)).unwrap(entries, for: context) }
    for index in entries[0].bytes.indices {
      let altered = try WrappedDataKey(
        scheme: kem.scheme, keyID: entries[0].keyID, bytes: entries[0].bytes.flipping(bit: index % 8, of: index))
      await expectError(.unwrapFailed, at: "byte \(index)") { try await keyring.unwrap([altered], for: context) }
    }
  }

  /// Another version's name, or the scheme of a key with the same id, is bound to what is sealed.
  @Test(arguments: KEM.here) func anEntryUnderAnotherVersionOrSchemeDoesNotOpen(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let rotated = try identity.rotated()
    let entry = try rotated.recipient().wrap(try .generate(), for: [:])
    let renamed = try WrappedDataKey(scheme: kem.scheme, keyID: KeyID("\(identity.id).1"), bytes: entry.bytes)
    await expectError(.unwrapFailed) { try await KeysetKeyring(rotated).unwrap([renamed], for: [:]) }
    await expectError(.keyNotFound) { try await KeysetKeyring(identity).unwrap([entry], for: [:]) }
    // A symmetric key that has the identity's id and its very secret.
    let twin = try Keyset(id: identity.id, versions: identity.versions, primary: 1)
    let sealed = try identity.recipient().wrap(try .generate(), for: [:])
    await expectError(.keyNotFound) { try await KeysetKeyring(twin).unwrap([sealed], for: [:]) }
    let wrapped = try await KeysetKeyring(twin).wrap(try .generate(), for: [:])
    await expectError(.keyNotFound) { try await KeysetKeyring(identity).unwrap(wrapped, for: [:]) }
    // Each finds its own beside the other's, which has the same key id.
    let both = KeysetKeyring(identity, alsoUnwrappingWith: [twin])
    #expect(try await both.unwrap([sealed] + wrapped, for: [:]).source == wrapped[0])
    #expect(try await both.unwrap([sealed], for: [:]).source == sealed)
  }

  /// ML-KEM's numbers are below 3,329, and X-Wing's second half is an X25519 key like any other.
  @Test(.enabled(if: XWing.isAvailable, "libsodium has no X-Wing before 1.0.22: Tests/run tries another one, too"))
  func postQuantumKeysThatAreNoneAreRefused() async throws {
    let key = try KEM.xWing.publicKey(of: [UInt8](repeating: 5, count: 32))
    #expect(try Recipient(text(key: key, prefix: "er2:")).publicKey == key)
    await expectError(.invalidArgument) { try Recipient(text(version: 0, key: key, prefix: "er2:")) }
    for point in X25519.lowOrderPoints {
      await expectError(.invalidArgument) { try Recipient(text(key: key.prefix(1184) + point, prefix: "er2:")) }
    }
    for group in [0, 1, 200, 383] {
      for (number, bytes) in [(3328, true), (3329, false), (4095, false)] {
        var (low, high) = (key, key)
        low[group * 3] = UInt8(number & 0xff)
        low[group * 3 + 1] = key[group * 3 + 1] & 0xf0 | UInt8(number >> 8)
        high[group * 3 + 1] = key[group * 3 + 1] & 0x0f | UInt8(number & 15) << 4
        high[group * 3 + 2] = UInt8(number >> 4)
        for altered in [low, high] {
          let text = try text(key: altered, prefix: "er2:")
          if bytes {
            _ = try Recipient(text)
          } else {
            await expectError(.invalidArgument, at: "number \(number) of group \(group)") { try Recipient(text) }
          }
        }
      }
    }
    // What follows is a seed, any 32 bytes.
    _ = try Recipient(
      text(key: key.prefix(1152) + [UInt8](repeating: 0xff, count: 32) + key.suffix(32), prefix: "er2:"))
  }

  /// Both kinds in one header, and an identity of the other kind with the very same secret and id.
  @Test(.enabled(if: XWing.isAvailable, "libsodium has no X-Wing before 1.0.22: Tests/run tries another one, too"))
  func theTwoKindsDoNotMix() async throws {
    let (old, new) = (try Keyset.generate(.identity), try Keyset.generate(.postQuantumIdentity))
    let sealing = try RecipientKeyring([old.recipient(), new.recipient()])
    let sealed = try await Envelope.seal([7], context: [:], suite: .tested, using: sealing)
    for keyset in [old, new] {
      let opened = try await Envelope.open(
        sealed, context: [:], using: KeysetKeyring(keyset), anonymousSender: .accepted)
      #expect(opened.copy() == [7])
      await expectError(.anonymousSender) {
        try await Envelope.open(sealed, context: [:], using: KeysetKeyring(keyset))
      }
      let other: Keyset.Kind = keyset.kind == .identity ? .postQuantumIdentity : .identity
      let twin = try Keyset(id: keyset.id, kind: other, versions: keyset.versions, primary: 1)
      await expectError(.keyNotFound) { try await Envelope.open(sealed, context: [:], using: KeysetKeyring(twin)) }
    }
  }

  /// A machine whose libsodium lacks X-Wing opens by the other entries, and says why where there are none.
  @Test func withoutXWingTheOtherEntriesOpen() async throws {
    guard !XWing.isAvailable else { return }
    let (id, local) = (try Keyset.generate().id, try Keyset.generate())
    let versions = [Keyset.Version(number: 1, created: 1, keys: [try .generate()])]
    let identity = try Keyset(id: id, kind: .postQuantumIdentity, versions: versions, primary: 1)
    let stub = StubKeyring(scheme: .postQuantumRecipient, keyID: "\(id).1", wrappedByteCount: 1168)
    let sealed = try await Envelope.seal(
      [1], context: [:], suite: .tested, using: MultiKeyring([stub, KeysetKeyring(local)]))
    let both = KeysetKeyring(identity, alsoUnwrappingWith: [local])
    #expect(try await Envelope.open(sealed, context: [:], using: both).copy() == [1])
    let alone = KeysetKeyring(identity)
    await expectError(.unsupportedSuite) { try await Envelope.open(sealed, context: [:], using: alone) }
    await expectError(.unsupportedSuite) { try await Envelope.seal([1], context: [:], suite: .tested, using: alone) }
    await expectError(.unsupportedSuite) { try identity.recipient() }
    await expectError(.unsupportedSuite) { try identity.rotated() }
    // Its text is read, so that it can stand in a configuration; sealing to it says what is needed.
    let key = [UInt8](repeating: 0, count: 1184) + (try X25519.publicKey(of: [UInt8](repeating: 5, count: 32)))
    let recipient = try Recipient(text(key: key, prefix: "er2:"))
    await expectError(.unsupportedSuite) {
      try await Envelope.seal([1], context: [:], suite: .tested, using: RecipientKeyring([recipient]))
    }
  }

  @Test func oneToSixteenRecipients() async throws {
    let identities = try (0..<17).map { _ in try Keyset.generate(.identity) }
    let recipients = try identities.map { try $0.recipient() }
    for count in [1, 2, 16] {
      let sealed = try await Envelope.seal(
        [1], context: [:], suite: .tested, using: RecipientKeyring(Array(recipients.prefix(count))))
      for identity in identities.prefix(count) {
        let opened = try await Envelope.open(
          sealed, context: [:], using: KeysetKeyring(identity), anonymousSender: .accepted)
        #expect(opened.copy() == [1])
      }
      await expectError(.keyNotFound) {
        try await Envelope.open(sealed, context: [:], using: KeysetKeyring(identities[16]))
      }
    }
    for wrong in [[], recipients, [recipients[0], recipients[0]]] {
      await expectError(.invalidArgument) {
        try await Envelope.seal([1], context: [:], suite: .tested, using: RecipientKeyring(wrong))
      }
    }
  }

  /// What was sealed to a recipient proves no sender; a handler and an update refuse it.
  @Test(arguments: KEM.here) func anAnonymousSenderIsTold(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let context: EncryptionContext = ["function": "f"]
    let sealing = try RecipientKeyring([identity.recipient()])
    let keyring = KeysetKeyring(identity)
    let sealed = try await SealedEnvironment.seal(Planted.values, context: context, using: sealing)
    await expectError(.anonymousSender) { try await sealed.open(context: context, using: keyring) }
    let opened = try await sealed.open(context: context, using: keyring, anonymousSender: .accepted)
    #expect(opened.source?.scheme == kem.scheme)
    await expectError(.anonymousSender) {
      try await HandlerSecrets.open(using: keyring, function: "f", variables: sealed.variables)
    }
    await expectError(.anonymousSender) {
      try await HandlerSecrets(using: keyring, function: "f", variables: sealed.variables).opened()
    }
    #expect(
      try await HandlerSecrets.open(
        using: keyring, function: "f", anonymousSender: .accepted, variables: sealed.variables
      ).strings == Planted.values)
    await expectError(.anonymousSender) { try await sealed.updated(to: opened, context: context, using: keyring) }
  }

  /// Where another entry opens, its holder is the sender, wherever the recipient's stands.
  @Test(arguments: KEM.here) func recipientsAreLookedAtLast(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let context: EncryptionContext = ["function": "f"]
    let local = try Keyset.generate()
    let recipients = try RecipientKeyring([identity.recipient()])
    for sealing in [[recipients, KeysetKeyring(local)], [KeysetKeyring(local), recipients]] as [[any Keyring]] {
      let sealed = try await SealedEnvironment.seal(
        Planted.values, context: context, using: MultiKeyring(sealing))
      for keyring in [
        KeysetKeyring(identity, alsoUnwrappingWith: [local]), KeysetKeyring(local, alsoUnwrappingWith: [identity]),
      ] {
        let opened = try await HandlerSecrets.open(using: keyring, function: "f", variables: sealed.variables)
        #expect(opened.source?.scheme == .keyset)
      }
      await expectError(.anonymousSender) {
        try await HandlerSecrets.open(using: KeysetKeyring(identity), function: "f", variables: sealed.variables)
      }
    }
  }

  /// An attacker puts an entry of ours, taken from elsewhere, beside one sealed to our public key.
  @Test(arguments: KEM.here) func aBorrowedEntryMakesNoSender(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let context: EncryptionContext = ["function": "f"]
    let local = KeysetKeyring(try .generate())
    let borrowed = try await local.wrap(try .generate(), for: context.forKeyrings(.environment))
    let forger = BorrowingKeyring(recipient: try identity.recipient(), borrowed: borrowed)
    let sealed = try await SealedEnvironment.seal(["A": "evil"], context: context, using: forger)
    let keyring = KeysetKeyring(local.keyset, alsoUnwrappingWith: [identity])
    let opened = try await sealed.open(context: context, using: keyring, anonymousSender: .accepted)
    #expect(opened.source?.scheme == kem.scheme)
    await expectError(.anonymousSender) {
      try await HandlerSecrets.open(using: keyring, function: "f", variables: sealed.variables)
    }
  }

  private struct BorrowingKeyring: Keyring {
    let recipient: Recipient
    let borrowed: [WrappedDataKey]

    func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      let key = try DataKey.generate()
      let entry = try recipient.wrap(key, for: context)
      return GeneratedDataKey(dataKey: key, wrapped: borrowed + [entry])
    }

    func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
      borrowed + [try recipient.wrap(dataKey, for: context)]
    }

    func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      throw EnvelopeError.keyNotFound(among: wrapped)
    }
  }
}
