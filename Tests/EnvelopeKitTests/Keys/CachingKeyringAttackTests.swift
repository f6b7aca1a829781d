// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// What somebody gains who sends headers to a process that opens them through a cache: nothing that lasts.
@Suite(.timeLimit(.minutes(20))) struct CachingKeyringAttackTests {
  private let context: EncryptionContext = ["a": "b"]

  /// Entries under the key id of a good one, all different, as an attacker writes them.
  private func junk(_ count: Int, like entry: WrappedDataKey) throws -> [WrappedDataKey] {
    try (0..<count).map { index in
      var bytes = entry.bytes
      bytes[40] ^= UInt8(1 + index % 255)
      bytes[41] ^= UInt8(index / 255)
      return try WrappedDataKey(scheme: entry.scheme, keyID: entry.keyID, bytes: bytes)
    }
  }

  /// An envelope with other entries in its header, which an attacker cannot authenticate.
  private func envelope(_ envelope: [UInt8], with entries: [WrappedDataKey]) throws -> [UInt8] {
    let header = try Envelope.header(of: envelope)
    let altered = Header(
      form: header.form, salt: header.salt, contextCheck: header.contextCheck, wrappedKeys: entries,
      commitment: header.commitment, tag: header.tag)
    return altered.bytes + envelope.dropFirst(header.bytes.count)
  }

  /// Another key id of the same service, so that the two may stand in one header.
  private func renamed(_ entry: WrappedDataKey, _ name: String) throws -> WrappedDataKey {
    try WrappedDataKey(scheme: entry.scheme, keyID: KeyID(name), bytes: entry.bytes)
  }

  @Test(arguments: [true, false])
  func junkBesideRememberedEntryCausesNoCall(isFirst: Bool) async throws {
    let world = try CacheWorld()
    let cache = try world.cache(entryLimit: 1)
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: world)
    let good = try Envelope.header(of: sealed).wrappedKeys[0]
    #expect(try await Envelope.open(sealed, context: context, using: cache).copy() == [1])
    for junk in try junk(1000, like: good) {
      let junk = try renamed(junk, "\(world.local.keyset.id).2")
      let forged = try envelope(sealed, with: isFirst ? [junk, good] : [good, junk])
      await expectError(.headerAltered) { try await Envelope.open(forged, context: context, using: cache) }
    }
    #expect(cache.count == 1 && cache.callCount == 0)
    #expect(try await Envelope.open(sealed, context: context, using: cache).copy() == [1])
    // Only when the good entry had led to the data key was the keyring called about the junk after it.
    #expect(world.unwraps == 1)
  }

  /// Genuine entries in headers that do not verify: each opens nothing, and displaces nothing.
  @Test func entryWhoseHeaderDoesNotVerifyIsNotRemembered() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(entryLimit: 2)
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: world)
    #expect(try await Envelope.open(sealed, context: context, using: cache).copy() == [1])
    for count in 1...200 {
      var forged = try await Envelope.seal([2], context: context, suite: .tested, using: world)
      let header = try Envelope.header(of: forged)
      // The commitment, or the tag.
      forged[header.bytes.count - (count.isMultiple(of: 2) ? 20 : 1)] ^= 1
      await expectError(.headerAltered) { try await Envelope.open(forged, context: context, using: cache) }
      #expect(world.unwraps == 1 + count && cache.count == 1 && cache.callCount == 0)
    }
    #expect(try await Envelope.open(sealed, context: context, using: cache).copy() == [1])
    #expect(world.unwraps == 201)
  }

  /// The good entry copied into a header of the attacker's is served from the cache, and the header fails all the same.
  @Test func copiedEntryNeitherOpensNorRefreshes() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: world)
    let other = try await Envelope.seal([2], context: context, suite: .tested, using: world)
    let copied = try envelope(other, with: Envelope.header(of: sealed).wrappedKeys)
    await expectError(.headerAltered) { try await Envelope.open(copied, context: context, using: cache) }
    #expect(cache.count == 0 && world.unwraps == 1)
    #expect(try await Envelope.open(sealed, context: context, using: cache).copy() == [1])
    await expectError(.headerAltered) { try await Envelope.open(copied, context: context, using: cache) }
    #expect(cache.count == 1 && world.unwraps == 2)
  }

  /// A remembered entry of another envelope before the right one is passed over, without a call about either.
  @Test func rememberedEntryOfOtherEnvelopeIsPassedOver() async throws {
    let (world, second) = (try CacheWorld(), try CacheWorld())
    let cache = try CachingKeyring(
      MultiKeyring([world, second] as [any Keyring]), maximumAge: .seconds(100),
      timing: CachingKeyring.Timing(now: { world.now }))
    let decoy = try await Envelope.seal([1], context: context, suite: .tested, using: world)
    let sealed = try await Envelope.seal([2], context: context, suite: .tested, using: second)
    for envelope in [decoy, sealed] { _ = try await Envelope.open(envelope, context: context, using: cache) }
    let calls = world.unwraps + second.unwraps
    let entries = try Envelope.header(of: decoy).wrappedKeys + Envelope.header(of: sealed).wrappedKeys
    let header = try Envelope.header(of: envelope(sealed, with: entries))
    // Its tag does not verify, but it is its own data key that was found.
    let wrapping = try context.forKeyrings(.value)
    let unwrapped = try await cache.unwrap(header.wrappedKeys, for: wrapping)
    #expect(unwrapped.source == entries[0])
    let rest = try await cache.unwrap(Array(header.wrappedKeys.dropFirst()), for: wrapping)
    #expect(rest.source == entries[1])
    #expect(world.unwraps + second.unwraps == calls)
  }

  /// Headers with different junk share the call about the entry that they have in common.
  @Test func openersOfDifferentHeadersShareCall() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    let junk = try junk(100, like: wrapped[0])
    let gate = world.hold()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for junk in junk {
        group.addTask {
          let opened = try await cache.open(wrapped + [junk])
          #expect(opened == key)
        }
      }
      await world.begun.wait()
      gate.open()
      try await group.waitForAll()
    }
    #expect(world.unwraps == 1 && cache.count == 1 && cache.callCount == 0)
  }

  @Test func floodOfJunkLeavesNothingBehind() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60), entryLimit: 1)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for junk in try junk(1000, like: wrapped[0]) {
        group.addTask { await expectError(.unwrapFailed) { try await cache.open([junk]) } }
      }
      try await group.waitForAll()
    }
    #expect(world.unwraps == 1001 && cache.count == 1 && cache.callCount == 0)
    // The service's refusal of junk says nothing of the good entry, nor does an outage.
    world.pass(.seconds(120))
    world.fail(with: .keyServiceUnavailable)
    #expect(try await cache.open(wrapped) == key)
    #expect(world.stale.count == 1)
  }

  /// A recipient's entry is looked up last: what it opens has no sender.
  @Test func recipientsEntryIsLookedUpLast() async throws {
    let (local, identity) = (try Keyset.generate(), try Keyset.generate(.identity))
    let both = KeysetKeyring(local, alsoUnwrappingWith: [identity])
    let cache = try CachingKeyring(both, maximumAge: .seconds(100))
    let key = try DataKey.generate()
    let toRecipient = try await RecipientKeyring([identity.recipient()]).wrap(key, for: context)
    let toKeyset = try await KeysetKeyring(local).wrap(key, for: context)
    _ = try await cache.open(toRecipient)
    _ = try await cache.open(toKeyset)
    #expect(try await cache.unwrap(toRecipient + toKeyset, for: context).source == toKeyset[0])
    #expect(try await cache.unwrap(toRecipient, for: context).source == toRecipient[0])
  }

  /// Whatever the cache stands in passes on that a header has verified.
  @Test func cacheRemembersInsideOtherKeyrings() async throws {
    let world = try CacheWorld()
    let observed = ObservedKeyring(try world.cache(), observer: EventRecorder())
    let multi = try MultiKeyring([KeysetKeyring(.generate()), observed] as [any Keyring])
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: world)
    for _ in 0..<3 {
      _ = try await sealed.open(context: ["function": "f"], using: multi)
      #expect(world.unwraps == 1)
    }
  }
}
