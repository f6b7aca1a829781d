// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Who may read an envelope after its keys change, and what a former reader can do.
@Suite(.timeLimit(.minutes(20))) struct ReaderTests {
  private let context: EncryptionContext = ["function": "checkout"]
  private let old: KeysetKeyring
  private let new: KeysetKeyring

  init() throws {
    old = KeysetKeyring(try .generate())
    new = KeysetKeyring(try .generate())
  }

  private func keyIDs(of envelope: [UInt8]) throws -> Set<String> {
    Set(try Envelope.header(of: envelope).wrappedKeys.map(\.keyID.string))
  }

  private func newest(_ envelope: [UInt8], of keyring: some Keyring) async throws -> [UInt8] {
    try await Envelope.rewrap([envelope], .newestVersions(of: keyring), context: context, using: keyring)[0]
  }

  /// After a rotation, the break-glass recipient is still there.
  @Test(arguments: KEM.here) func newestVersionsDropNoReader(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let both = try MultiKeyring([old, RecipientKeyring([identity.recipient()])] as [any Keyring])
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: both)
    let rotated = KeysetKeyring(try old.keyset.rotated())
    let after = try await newest(sealed, of: rotated)
    #expect(try keyIDs(of: after) == ["\(old.keyset.id).2", "\(identity.id).1"])
    #expect(try await Envelope.open(after, context: context, using: rotated).copy() == [1])
    let glass = try await Envelope.open(
      after, context: context, using: KeysetKeyring(identity), anonymousSender: .accepted)
    #expect(glass.copy() == [1])
    // A second time nothing changes, and a reader that the header does not have is not added.
    #expect(try await newest(after, of: rotated) == after)
    let more = try MultiKeyring([rotated, new] as [any Keyring])
    #expect(try await newest(after, of: more) == after)
    #expect(try await newest(sealed, of: more).count == sealed.count)
  }

  @Test func newestVersionsNeverGoBack() async throws {
    let rotated = KeysetKeyring(try old.keyset.rotated())
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: rotated)
    let both = KeysetKeyring(old.keyset, alsoUnwrappingWith: [rotated.keyset])
    await expectError(.keyNotFound) { try await newest(sealed, of: both) }
    let other = KeysetKeyring(new.keyset, alsoUnwrappingWith: [rotated.keyset])
    await expectError(.keyNotFound) { try await newest(sealed, of: other) }
  }

  /// A recipient's new version cannot be read back without the identity, so the old one stays beside it.
  @Test(arguments: KEM.here) func newestVersionsKeepWhatCannotBeReadBack(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let both = try MultiKeyring([old, RecipientKeyring([identity.recipient()])] as [any Keyring])
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: both)
    let next = try identity.rotated()
    let keyring = try MultiKeyring([old, RecipientKeyring([next.recipient()])] as [any Keyring])
    let after = try await newest(sealed, of: keyring)
    #expect(try keyIDs(of: after) == ["\(old.keyset.id).1", "\(identity.id).1", "\(identity.id).2"])
    let holder = KeysetKeyring(old.keyset, alsoUnwrappingWith: [next])
    let holding = try MultiKeyring([holder, KeysetKeyring(next)] as [any Keyring])
    let last = try await newest(after, of: holding)
    #expect(try keyIDs(of: last) == ["\(old.keyset.id).1", "\(identity.id).2"])
  }

  @Test(arguments: KEM.here) func newestVersionsOfAnEnvironmentDropNoReader(kem: KEM) async throws {
    let identity = try Keyset.generate(kem.identity)
    let both = try MultiKeyring([old, RecipientKeyring([identity.recipient()])] as [any Keyring])
    let rotated = KeysetKeyring(try old.keyset.rotated())
    for form in [SealedEnvironment.Form.separate, .packed] {
      let sealed = try await SealedEnvironment.seal(Planted.values, as: form, context: context, using: both)
      let after = try await sealed.rewrapped(.newestVersions(of: rotated), context: context, using: rotated)
      #expect(Set(after.wrappedKeys.map(\.keyID.string)) == ["\(old.keyset.id).2", "\(identity.id).1"])
      #expect(try await after.open(context: context, using: rotated).strings == Planted.values)
    }
  }

  /// A removed reader of a value knows its data key, so it is resealed.
  @Test func refusesToRemoveAReaderOfAValue() async throws {
    let both = try MultiKeyring([old, new] as [any Keyring])
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: both)
    let id = old.keyset.id.string
    let changes = [
      Rewrapping(adding: nil) { $0.reader.id == id }, .replacingAllReaders(with: new),
      Rewrapping(adding: new) { $0.reader.id == id },
    ]
    for change in changes {
      let error = await expectError(.invalidArgument) {
        try await Envelope.rewrap([sealed], change, context: context, using: both)
      }
      #expect(error?.message.contains(id) == true)
      let kept = try await Envelope.rewrap(
        [sealed], change, context: context, using: both, allowingFormerReadersToForge: true)
      #expect(try keyIDs(of: kept[0]) == ["\(new.keyset.id).1"])
    }
  }

  /// A data key that somebody kept, under the entry that now wraps it, opens nothing of another kind.
  @Test func anEntryDoesNotMoveToAnEnvelopeOfAnotherKind() async throws {
    let both = try MultiKeyring([old, new] as [any Keyring])
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: both)
    let known = try await UnlockedHeader.unlock(Envelope.header(of: sealed), context: context, using: old)
    let entry = try #require(try Envelope.header(of: sealed).wrappedKeys.first { $0.reader.id == new.keyset.id.string })
    let forger = KnownKeyring(entry: entry, dataKey: known.dataKey.withBytes { [UInt8](copying: $0) })
    for form in [SealedEnvironment.Form.separate, .packed] {
      let forged = try await SealedEnvironment.seal(["A": "evil"], as: form, context: context, using: forger)
      await expectError(.unwrapFailed) { try await forged.open(context: context, using: new) }
      await expectError(.unwrapFailed) {
        try await HandlerSecrets.open(using: new, context: context, variables: forged.variables)
      }
    }
    // And not from an environment to a value.
    let environment = try await SealedEnvironment.seal(["A": "1"], context: context, using: both)
    let opened = try await UnlockedHeader.unlock(environment.header, context: context, using: old)
    let taken = KnownKeyring(
      entry: environment.wrappedKeys[1], dataKey: opened.dataKey.withBytes { [UInt8](copying: $0) })
    let value = try await Envelope.seal([2], context: context, suite: .tested, using: taken)
    await expectError(.unwrapFailed) { try await Envelope.open(value, context: context, using: new) }
    // Of its own kind it does: that is what a known data key can forge.
    let again = try await Envelope.seal([2], context: context, suite: .tested, using: forger)
    #expect(try await Envelope.open(again, context: context, using: new).copy() == [2])
  }

  /// A locked key store's entry opens no value, and a value's no key store.
  @Test func aKeyStoreIsAKindOfItsOwn() async throws {
    var store = KeyStore()
    try store.add(Keyset.generate(), alias: "a")
    let text = try await LockedKeyStore.seal(store, using: old)
    let envelope = try Envelope.bytes(ofText: String(decoding: text.dropLast(), as: UTF8.self))
    await expectError(.unwrapFailed) {
      try await Envelope.open(
        envelope, context: ["purpose": "envelope-keys"], authenticating: Array("envelope-keys".utf8), using: old)
    }
    let value = try await Envelope.seal(
      store.text(), context: ["purpose": "envelope-keys"], authenticating: Array("envelope-keys".utf8), suite: .tested,
      using: old)
    let line = Array((Envelope.text(of: value) + "\n").utf8)
    await expectError(.unwrapFailed) { try await LockedKeyStore.open(line, using: old) }
    #expect(try await LockedKeyStore.open(text, using: old).keysets.count == 1)
  }

  @Test func refusesAContextWithTheReservedKey() async throws {
    for value in ["value", "environment", "other"] {
      let context: EncryptionContext = ["function": "checkout", "envelope-kind": value]
      await expectError(.invalidArgument) { try await Envelope.seal([1], context: context, suite: .tested, using: old) }
      await expectError(.invalidArgument) { try await Sealer(context: context, suite: .tested, using: old) }
      await expectError(.invalidArgument) {
        try await SealedEnvironment.seal(["A": "1"], context: context, using: old)
      }
      let sealed = try await Envelope.seal([1], context: self.context, suite: .tested, using: old)
      await expectError(.invalidArgument) { try await Envelope.open(sealed, context: context, using: old) }
    }
  }

  /// A keyring receives the kind as one more pair, and may rebuild the context.
  @Test func keyringsReceiveTheKind() throws {
    for pairs in [["a": "1", "z": "2"], ["a": "1"], ["z": "2"], [:], ["envelope-kin": "1", "envelope-kinda": "2"]] {
      let context = EncryptionContext(pairs.map { ($0.key, $0.value) })
      let wrapping = try context.forKeyrings(.environment)
      #expect(wrapping["envelope-kind"] == "environment")
      var expected: [UInt8] = []
      for (key, value) in pairs.merging(["envelope-kind": "environment"], uniquingKeysWith: { $1 }).sorted(by: <) {
        expected.append(lengthPrefixed16: key.utf8)
        expected.append(lengthPrefixed16: value.utf8)
      }
      #expect(try wrapping.canonicalBytes() == expected)
      #expect(try EncryptionContext(wrapping.pairs.reversed()).canonicalBytes() == expected)
      #expect(try wrapping.canonicalBytes() != context.canonicalBytes())
    }
    // The pair is not counted, so a context of the greatest length works.
    let longest = EncryptionContext(["k": String(repeating: "v", count: 8187)].map { ($0.key, $0.value) })
    #expect(try longest.canonicalBytes().count == EncryptionContext.canonicalByteLimit)
    #expect(try longest.forKeyrings(.value).canonicalBytes().count == 8192 + 4 + 13 + 5)
  }
}
