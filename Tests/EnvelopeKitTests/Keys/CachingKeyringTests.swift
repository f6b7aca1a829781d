// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct CachingKeyringTests {
  @Test func whatIsRememberedServesForItsAgeAndNotLonger() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    for _ in 0..<3 { #expect(try await cache.open(wrapped) == key) }
    world.pass(.seconds(99))
    #expect(try await cache.open(wrapped) == key)
    #expect(world.unwraps == 1)
    world.pass(.seconds(1))
    #expect(try await cache.open(wrapped) == key)
    #expect(world.unwraps == 2)
  }

  /// Whatever is not the very same entries under the very same context is asked for.
  @Test func nothingIsSharedAcrossContextsOrEntries() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry(["a": "b", "é": "c"])
    #expect(try await cache.open(wrapped, ["é": "c", "a": "b"]) == key)
    #expect(world.unwraps == 1)
    let others: [EncryptionContext] = [
      [:], ["a": "b"], ["a": "B", "é": "c"], ["a": "b", "e\u{301}": "c"], ["a": "b", "é": "c", "d": "e"],
      ["ab": "é", "c": "d"],
    ]
    for context in others { await expectError(.unwrapFailed) { try await cache.open(wrapped, context) } }
    #expect(world.unwraps == 1 + others.count)
    let entry = wrapped[0]
    var bytes = entry.bytes
    bytes[40] ^= 1
    let altered = try WrappedDataKey(scheme: entry.scheme, keyID: entry.keyID, bytes: bytes)
    await expectError(.unwrapFailed) { try await cache.open([altered], ["a": "b", "é": "c"]) }
    // What is remembered of an entry counts whatever stands beside it.
    #expect(try await cache.open([altered, entry], ["a": "b", "é": "c"]) == key)
    #expect(try await cache.open(wrapped, ["a": "b", "é": "c"]) == key)
    #expect(world.unwraps == 2 + others.count)
  }

  @Test func makingAndWrappingAreNeverRemembered() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    var keys: Set<[UInt8]> = []
    for _ in 0..<10 {
      let generated = try await cache.generateDataKey(for: ["a": "b"])
      keys.insert(generated.dataKey.withBytes { [UInt8](copying: $0) })
      #expect(try await cache.wrap(generated.dataKey, for: ["a": "b"]) != generated.wrapped)
    }
    #expect(keys.count == 10)
  }

  @Test func theOneNotUsedForLongestMakesRoom() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(entryLimit: 2)
    let entries = [try await world.entry(), try await world.entry(), try await world.entry()]
    for index in [0, 1, 0, 2] { #expect(try await cache.open(entries[index].wrapped) == entries[index].key) }
    #expect(world.unwraps == 3)
    #expect(try await cache.open(entries[0].wrapped) == entries[0].key)
    #expect(world.unwraps == 3)
    #expect(try await cache.open(entries[1].wrapped) == entries[1].key)
    #expect(world.unwraps == 4)
  }

  @Test func aCacheOfOneEntryServesMany() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(entryLimit: 1)
    for _ in 0..<50 {
      let (wrapped, key) = try await world.entry()
      #expect(try await cache.open(wrapped) == key)
      #expect(try await cache.open(wrapped) == key)
    }
    #expect(world.unwraps == 50)
  }

  @Test func limitsThatCannotBeAreRefused() async throws {
    let world = try CacheWorld()
    for age in [Duration.zero, .seconds(-1), .seconds(367 * 86400), .seconds(Int64.max)] {
      await expectError(.invalidArgument) { try CachingKeyring(world, maximumAge: age) }
    }
    for grace in [Duration.seconds(-1), .seconds(367 * 86400), .seconds(Int64.max)] {
      await expectError(.invalidArgument) { try CachingKeyring(world, maximumAge: .seconds(1), graceTime: grace) }
    }
    for limit in [0, -1, 65537, .max] {
      await expectError(.invalidArgument) { try CachingKeyring(world, maximumAge: .seconds(1), entryLimit: limit) }
    }
    let cache = try CachingKeyring(
      world, maximumAge: CachingKeyring.durationLimit, graceTime: CachingKeyring.durationLimit, entryLimit: 65536)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
  }

  @Test func aContextThatBreaksALimitIsRefusedBeforeAnybodyIsAsked() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, _) = try await world.entry()
    await expectError(.invalidArgument) { try await cache.open(wrapped, ["": "b"]) }
    #expect(world.unwraps == 0)
  }

  @Test func envelopesAndEnvironmentsOpenThroughIt() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: cache)
    let envelope = try await Envelope.seal([1, 2], context: ["a": "b"], suite: .tested, using: cache)
    for _ in 0..<5 {
      let opened = try await sealed.open(context: ["function": "f"], using: cache)
      #expect(try opened.require("A").revealingString() == "1")
      #expect(try await Envelope.open(envelope, context: ["a": "b"], using: cache).copy() == [1, 2])
    }
    #expect(world.unwraps == 2)
  }

  /// A model of what the cache may and must do, driven at random.
  @Test(arguments: seeds)
  func itDoesAsItsModelDoes(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let world = try CacheWorld()
    let (age, grace, limit) = (Duration.seconds(100), Duration.seconds(30), 3)
    // A chance of nearly 1 leaves refreshing ahead of time out of the model.
    let cache = try world.cache(maximumAge: age, graceTime: grace, entryLimit: limit, chance: 1)
    var entries: [(wrapped: [WrappedDataKey], key: [UInt8])] = []
    for _ in 0..<5 { entries.append(try await world.entry()) }
    var now = Duration.zero
    // Since when each is remembered, in the order of their last uses; and until when the service is left alone.
    var remembered: [(index: Int, since: Duration, pause: Duration)] = []
    var failure: EnvelopeError.Code?
    for step in 0..<400 {
      let pass = Duration.milliseconds(Int.random(in: 0...40_000, using: &random))
      now += pass
      world.pass(pass)
      if Int.random(in: 0..<4, using: &random) == 0 {
        failure =
          [nil, .keyServiceUnavailable, .keyServiceThrottled, .keyAccessDenied].randomElement(using: &random) ?? nil
        world.fail(with: failure)
      }
      let index = Int.random(in: 0..<entries.count, using: &random)
      remembered.removeAll { now >= $0.since + age + grace }
      let place = remembered.firstIndex { $0.index == index }
      let isStale = place.map { now >= remembered[$0].since + age } ?? false
      let calls = place.map { isStale && now >= remembered[$0].pause } ?? true
      let succeeds = place != nil || failure == nil
      let (before, reported) = (world.unwraps, world.stale.count)
      let comment = Comment("seed \(seed), step \(step)")
      do {
        #expect(try await cache.open(entries[index].wrapped) == entries[index].key, comment)
        #expect(succeeds, comment)
      } catch {
        #expect(!succeeds && (error as? EnvelopeError)?.code == failure, comment)
      }
      await cache.settle()
      #expect(world.unwraps - before == (calls ? 1 : 0), comment)
      #expect(world.stale.count - reported == (isStale ? 1 : 0), comment)
      if let place {
        var entry = remembered.remove(at: place)
        if calls, failure == nil { entry = (index, now, now) }
        if calls, failure != nil { entry.pause = now + .seconds(1) }
        if !calls || failure != .keyAccessDenied { remembered.append(entry) }
      } else if succeeds {
        if remembered.count == limit { remembered.removeFirst() }
        remembered.append((index, now, now))
      }
      #expect(cache.count <= limit && cache.callCount == 0, comment)
    }
  }
}
