// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct RewrapTests {
  private let context: EncryptionContext = ["function": "checkout", "stage": "prod"]
  private let old: KeysetKeyring
  private let new: KeysetKeyring
  private let plaintext = Array(Planted.token.utf8)

  init() throws {
    old = KeysetKeyring(try .generate())
    new = KeysetKeyring(try .generate())
  }

  private func seal(_ keyring: some Keyring, _ suite: AlgorithmSuite) async throws -> [UInt8] {
    try await Envelope.seal(plaintext, context: context, authenticating: [7], suite: suite, using: keyring)
  }

  private func open(_ envelope: [UInt8], _ keyring: some Keyring) async throws -> [UInt8] {
    try await Envelope.open(envelope, context: context, authenticating: [7], using: keyring).copy()
  }

  private func rewrap(
    _ envelope: [UInt8], _ change: Rewrapping, using keyring: some Keyring
  ) async throws -> [UInt8] {
    // Who may be removed is tested by itself.
    try #require(
      try await Envelope.rewrap(
        [envelope], change, context: context, using: keyring, allowingFormerReadersToForge: true
      ).first)
  }

  private func keyIDs(of envelope: [UInt8]) throws -> [String] {
    try Envelope.header(of: envelope).wrappedKeys.map(\.keyID.string)
  }

  /// All but the wrapped keys and the tag over them stays.
  private func expectSame(
    _ before: [UInt8], _ after: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (a, b) = (try Envelope.header(of: before), try Envelope.header(of: after))
    #expect(
      a.salt == b.salt && a.commitment == b.commitment && a.contextCheck == b.contextCheck && a.kind == b.kind
        && a.suite == b.suite,
      sourceLocation: sourceLocation)
    #expect(
      Array(before.dropFirst(a.bytes.count)) == Array(after.dropFirst(b.bytes.count)), sourceLocation: sourceLocation)
  }

  @Test(arguments: AlgorithmSuite.here) func aKeyIsAdded(suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    let both = try await rewrap(sealed, Rewrapping(adding: new), using: old)
    try expectSame(sealed, both)
    #expect(try keyIDs(of: both) == ["\(old.keyset.id).1", "\(new.keyset.id).1"])
    #expect(try await open(both, old) == plaintext)
    #expect(try await open(both, new) == plaintext)
    // The data key is the same: what was sealed before and what comes after have one opener's key.
    #expect(try Envelope.header(of: both).wrappedKeys[0] == Envelope.header(of: sealed).wrappedKeys[0])
  }

  @Test(arguments: AlgorithmSuite.here) func aKeyIsDropped(suite: AlgorithmSuite) async throws {
    let both = try await seal(MultiKeyring([old, new] as [any Keyring]), suite)
    let oldID = old.keyset.id.string
    let one = try await rewrap(both, Rewrapping(adding: nil) { $0.reader.id == oldID }, using: new)
    try expectSame(both, one)
    await expectError(.keyNotFound) { try await open(one, old) }
    #expect(try await open(one, new) == plaintext)
    // The other way round: whoever drops their own key shows that what remains opens.
    await expectError(.keyNotFound, .entryNotReadBack) {
      try await rewrap(both, Rewrapping(adding: nil) { $0.reader.id == oldID }, using: old)
    }
    let holdsBoth = try MultiKeyring([old, new] as [any Keyring])
    #expect(
      try await open(rewrap(both, Rewrapping(adding: nil) { $0.reader.id == oldID }, using: holdsBoth), new)
        == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func allKeysAreReplaced(suite: AlgorithmSuite) async throws {
    let both = try await seal(MultiKeyring([old, KeysetKeyring(.generate())] as [any Keyring]), suite)
    let replaced = try await rewrap(both, .replacingAllReaders(with: new), using: old)
    try expectSame(both, replaced)
    #expect(try keyIDs(of: replaced) == ["\(new.keyset.id).1"])
    await expectError(.keyNotFound) { try await open(replaced, old) }
    #expect(try await open(replaced, new) == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func nothingChangesWhereNothingIsAsked(suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    #expect(try await rewrap(sealed, Rewrapping(adding: nil), using: old) == sealed)
    // The same version once more: another nonce, and no second entry.
    let again = try await rewrap(sealed, .replacingAllReaders(with: old), using: old)
    #expect(try keyIDs(of: again) == keyIDs(of: sealed) && again != sealed)
    #expect(try await open(again, old) == plaintext)
    let added = try await rewrap(sealed, Rewrapping(adding: old), using: old)
    #expect(try keyIDs(of: added) == keyIDs(of: sealed))
    #expect(try await Envelope.rewrap([], .replacingAllReaders(with: new), context: context, using: old) == [])
  }

  /// The text of a recipient can be made for any id: one that has a keyset's does not stand for that keyset.
  @Test(arguments: AlgorithmSuite.here) func aRecipientOfTheSameIdIsAnotherReader(suite: AlgorithmSuite) async throws {
    let id = old.keyset.id
    let recipient = Recipient(
      keyID: try KeyID("\(id).1"), kem: .x25519, publicKey: try Keyset.generate(.identity).recipient().publicKey)
    let entry = try await seal(RecipientKeyring([recipient]), suite)
    let keysets = try await Envelope.header(of: entry).wrappedKeys + Envelope.header(of: seal(old, suite)).wrappedKeys
    #expect(Set(keysets.map(\.reader)).count == 2 && Set(keysets.map(\.reader.id)).count == 1)
  }

  @Test(arguments: AlgorithmSuite.here) func aRotatedKeysOldVersionGivesWay(suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    let rotated = KeysetKeyring(try old.keyset.rotated())
    let id = old.keyset.id.string
    let after = try await rewrap(sealed, Rewrapping(adding: rotated) { $0.reader.id == id }, using: rotated)
    #expect(try keyIDs(of: after) == ["\(id).2"])
    await expectError(.keyNotFound) { try await open(after, old) }
    #expect(try await open(after, rotated) == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func valuesThatShareAHeaderShareOneAfterwards(suite: AlgorithmSuite)
    async throws
  {
    let sealer = try await Sealer(context: context, suite: suite, using: old)
    var values = try (0..<5).map { try sealer.seal([$0], authenticating: [$0]) }
    values.insert(try await seal(old, suite), at: 2)
    let counting = CountingKeyring(new)
    let after = try await Envelope.rewrap(
      values, .replacingAllReaders(with: counting), context: context, using: old, allowingFormerReadersToForge: true)
    #expect(counting.wraps.value == 2)
    for (before, after) in zip(values, after) { try expectSame(before, after) }
    let opener = try await Opener(for: after[0], context: context, using: new)
    for (index, place) in [0, 1, 3, 4, 5].enumerated() {
      #expect(try opener.open(after[place], authenticating: [UInt8(index)]).copy() == [UInt8(index)])
    }
    #expect(try await open(after[2], new) == plaintext)
  }

  /// Whatever of the header was altered: an error, and the new keyring was never asked.
  @Test(arguments: AlgorithmSuite.here) func nothingIsMadeOfAHeaderThatDoesNotVerify(suite: AlgorithmSuite) async throws
  {
    let sealed = try await seal(old, suite)
    let headerByteCount = try Envelope.header(of: sealed).bytes.count
    let counting = CountingKeyring(new)
    for index in 0..<headerByteCount {
      let altered = sealed.flipping(bit: index % 8, of: index)
      await #expect(throws: EnvelopeError.self, "byte \(index)") {
        try await Envelope.rewrap([altered], .replacingAllReaders(with: counting), context: context, using: old)
      }
    }
    for length in 0..<headerByteCount + 40 {
      await expectError(.malformed, at: "\(length)") {
        try await rewrap(Array(sealed.prefix(length)), .replacingAllReaders(with: counting), using: old)
      }
    }
    await expectError(.contextDiffers) {
      try await Envelope.rewrap([sealed], .replacingAllReaders(with: counting), context: ["function": "x"], using: old)
    }
    await expectError(.keyNotFound) { try await rewrap(sealed, .replacingAllReaders(with: counting), using: new) }
    #expect(counting.wraps.value == 0)
  }

  /// One that does not verify stops all: the caller has none of them.
  @Test(arguments: AlgorithmSuite.here) func oneOfManyThatDoesNotVerifyStopsAll(suite: AlgorithmSuite) async throws {
    let (good, other) = (try await seal(old, suite), try await seal(old, suite))
    let bad = other.flipping(bit: 0, of: try Envelope.header(of: other).bytes.count - 1)
    await expectError(.headerAltered) {
      try await Envelope.rewrap(
        [good, bad], .replacingAllReaders(with: new), context: context, using: old, allowingFormerReadersToForge: true)
    }
  }

  @Test(
    arguments: [UnreliableKeyring.Fault.holdsNothing, .refuses, .otherKey, .ofAnother], AlgorithmSuite.here)
  func nothingIsDroppedForWhatCannotBeReadBack(fault: UnreliableKeyring.Fault, suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    let keyring = UnreliableKeyring(keyring: new, fault: fault)
    await expectError(.entryNotReadBack) { try await rewrap(sealed, .replacingAllReaders(with: keyring), using: old) }
    // Where nothing is dropped, there is nothing to lose.
    let added = try await rewrap(sealed, Rewrapping(adding: keyring), using: old)
    #expect(try await open(added, old) == plaintext)
  }

  /// A cache goes on giving a data key whose key is gone: what it remembers of the header is no proof that what remains
  /// of it opens.
  @Test(arguments: AlgorithmSuite.here) func whatACacheRemembersIsNotTakenForWhatOpens(suite: AlgorithmSuite)
    async throws
  {
    let world = try CacheWorld()
    let sealed = try await seal(MultiKeyring([world.local, old] as [any Keyring]), suite)
    let cache = try world.cache()
    #expect(try await open(sealed, cache) == plaintext)
    let oldID = old.keyset.id.string
    let change = Rewrapping(adding: nil) { $0.reader.id == oldID }
    world.fail(with: .keyDisabled)
    #expect(try await open(sealed, cache) == plaintext)
    await expectError(.keyDisabled) { try await rewrap(sealed, change, using: cache) }
    world.fail(with: nil)
    #expect(try await open(rewrap(sealed, change, using: cache), world.local) == plaintext)
  }

  /// Anything else that goes wrong on the way is told as it is.
  @Test(arguments: AlgorithmSuite.here) func anInterruptionIsPassedOn(suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    for fault in [UnreliableKeyring.Fault.isCancelled, .isCancelledWrapping] {
      let keyring = UnreliableKeyring(keyring: new, fault: fault)
      await #expect(throws: CancellationError.self) {
        try await rewrap(sealed, .replacingAllReaders(with: keyring), using: old)
      }
    }
    await expectError(.keyServiceUnavailable) {
      try await rewrap(sealed, .replacingAllReaders(with: UnreliableKeyring(keyring: new, fault: .isDown)), using: old)
    }
    #expect(try await open(sealed, old) == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func aRecipientIsAddedAndNothingDroppedForIt(suite: AlgorithmSuite) async throws
  {
    let identity = try Keyset.generate(.identity)
    let recipients = try RecipientKeyring([identity.recipient()])
    let sealed = try await seal(old, suite)
    await expectError(.entryNotReadBack) {
      try await rewrap(sealed, .replacingAllReaders(with: recipients), using: old)
    }
    let both = try await rewrap(sealed, Rewrapping(adding: recipients), using: old)
    let opened = try await Envelope.open(
      both, context: context, authenticating: [7], using: KeysetKeyring(identity), anonymousSender: .accepted)
    #expect(opened.copy() == plaintext)
    // Dropping the last key of one's own needs the identity here.
    let id = old.keyset.id.string
    await expectError(.entryNotReadBack) {
      try await rewrap(both, Rewrapping(adding: nil) { $0.reader.id == id }, using: old)
    }
    let all = KeysetKeyring(old.keyset, alsoUnwrappingWith: [identity])
    let alone = try await rewrap(both, Rewrapping(adding: nil) { $0.reader.id == id }, using: all)
    #expect(try keyIDs(of: alone) == ["\(identity.id).1"])
    // From now on anyone may have sealed it.
    await expectError(.anonymousSender) { try await rewrap(alone, Rewrapping(adding: new), using: all) }
    await expectError(.anonymousSender) { try await open(alone, all) }
    await expectError(.invalidArgument) {
      try await Envelope.rewrap(
        [alone], Rewrapping(adding: new), context: context, using: all, anonymousSender: .accepted)
    }
    let accepted = try await Envelope.rewrap(
      [alone], Rewrapping(adding: new), context: context, using: all, anonymousSender: .accepted,
      allowingFormerReadersToForge: true)
    #expect(try await open(accepted[0], new) == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func noKeyAndMoreThanSixteenAreRefused(suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    await expectError(.invalidArgument) { try await rewrap(sealed, Rewrapping(adding: nil) { _ in true }, using: old) }
    let keyrings = try (0..<16).map { _ in KeysetKeyring(try .generate()) }
    let fifteen = try MultiKeyring(Array(keyrings.dropLast()))
    let full = try await rewrap(sealed, Rewrapping(adding: fifteen), using: old)
    #expect(try keyIDs(of: full).count == 16)
    await expectError(.invalidArgument) { try await rewrap(full, Rewrapping(adding: keyrings[15]), using: old) }
    let id = old.keyset.id.string
    let swapped = try await rewrap(full, Rewrapping(adding: keyrings[15]) { $0.reader.id == id }, using: old)
    #expect(try keyIDs(of: swapped).count == 16 && !keyIDs(of: swapped).contains("\(id).1"))
    let seventeen = try MultiKeyring(keyrings + [new])
    await expectError(.invalidArgument) { try await rewrap(sealed, .replacingAllReaders(with: seventeen), using: old) }
    let none = try MultiKeyring([keyrings[0], keyrings[0]] as [any Keyring])
    await expectError(.invalidArgument) { try await rewrap(sealed, .replacingAllReaders(with: none), using: old) }
  }

  @Test(arguments: AlgorithmSuite.here) func aPassphraseStandsAlone(suite: AlgorithmSuite) async throws {
    let passphrase = try PassphraseKeyring(SecretBytes(Array("open".utf8)), cost: .cheap)
    let sealed = try await seal(old, suite)
    await expectError(.invalidArgument) { try await rewrap(sealed, Rewrapping(adding: passphrase), using: old) }
    let locked = try await rewrap(sealed, .replacingAllReaders(with: passphrase), using: old)
    #expect(try await open(locked, passphrase) == plaintext)
    let back = try await rewrap(locked, .replacingAllReaders(with: new), using: passphrase)
    try expectSame(sealed, back)
    #expect(try await open(back, new) == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func theResealedHasANewDataKey(suite: AlgorithmSuite) async throws {
    let sealed = try await seal(old, suite)
    let resealed = try await Envelope.reseal(
      sealed, context: context, authenticating: [7], using: old, sealingWith: new)
    let (before, after) = (try Envelope.header(of: sealed), try Envelope.header(of: resealed))
    #expect(before.commitment != after.commitment && before.salt != after.salt)
    #expect(try await open(resealed, new) == plaintext)
    await expectError(.keyNotFound) { try await open(resealed, old) }
    await expectError(.payloadAltered) {
      try await Envelope.reseal(sealed, context: context, authenticating: [8], using: old, sealingWith: new)
    }
    let counting = CountingKeyring(new)
    for index in sealed.indices {
      await #expect(throws: EnvelopeError.self, "byte \(index)") {
        try await Envelope.reseal(
          sealed.flipping(bit: index % 8, of: index), context: context, authenticating: [7], using: old,
          sealingWith: counting)
      }
    }
    #expect(counting.wraps.value == 0)
    let identity = KeysetKeyring(try .generate(.identity))
    let anonymous = try await seal(RecipientKeyring([identity.keyset.recipient()]), suite)
    await expectError(.anonymousSender) {
      try await Envelope.reseal(
        anonymous, context: context, authenticating: [7], using: identity, sealingWith: counting)
    }
    #expect(counting.wraps.value == 0)
    _ = try await Envelope.reseal(
      anonymous, context: context, authenticating: [7], using: identity, sealingWith: new,
      anonymousSender: .accepted)
  }
}
