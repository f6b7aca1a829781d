// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// What a cache does where the key service is down, and where it denies.
@Suite(.timeLimit(.minutes(20))) struct CachingKeyringFailureTests {
  @Test(arguments: [EnvelopeError.Code.keyServiceUnavailable, .keyServiceThrottled])
  func anOutageShorterThanTheGraceTimeLosesNoOpen(outage: EnvelopeError.Code) async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(90))
    world.fail(with: outage)
    for _ in 0..<69 {
      world.pass(.seconds(1))
      #expect(try await cache.open(wrapped) == key)
    }
    #expect(world.stale.count == 60)
    #expect(world.stale.first?.overdue == .zero && world.stale.last?.overdue == .seconds(59))
    #expect(world.stale.allSatisfy { $0.failure.code == outage && $0.source == wrapped[0] })
    world.fail(with: nil)
    world.pass(.milliseconds(999))
    #expect(try await cache.open(wrapped) == key)
    world.pass(.milliseconds(1))
    await cache.settle()
    #expect(world.unwraps > 1)
  }

  @Test func beyondTheGraceTimeTheOutageIsTold() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(160))
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
    world.fail(with: nil)
    #expect(try await cache.open(wrapped) == key)
  }

  @Test func withoutAGraceTimeAnOutageIsToldAtOnce() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, _) = try await world.entry()
    _ = try await cache.open(wrapped)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(100))
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
    #expect(world.stale.isEmpty)
  }

  /// A service that is down is not asked at every open, nor does every open wait for it.
  @Test func whileItIsDownTheServiceIsAskedOnceASecond() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(100))
    world.fail(with: .keyServiceUnavailable)
    for _ in 0..<100 { #expect(try await cache.open(wrapped) == key) }
    #expect(world.unwraps == 2 && world.stale.count == 100)
    world.pass(.seconds(1))
    #expect(try await cache.open(wrapped) == key)
    #expect(world.unwraps == 3)
  }

  /// Time in grace is not added up: it counts from the last time that the service answered.
  @Test func useDoesNotProlongTheGraceTime() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, _) = try await world.entry()
    _ = try await cache.open(wrapped)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(100))
    for _ in 0..<59 {
      _ = try await cache.open(wrapped)
      world.pass(.seconds(1))
    }
    _ = try await cache.open(wrapped)
    world.pass(.seconds(1))
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
  }

  @Test(arguments: [
    EnvelopeError.Code.keyAccessDenied, .keyDisabled, .keyInvalidState, .keyNotFound, .unwrapFailed,
    .keyServiceNotTrusted, .keyServiceAnswerInvalid, .credentialsRefused, .credentialsMissing,
  ])
  func aDenialIsToldAtOnceAndEndsWhatIsRemembered(denial: EnvelopeError.Code) async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(100))
    world.fail(with: denial)
    await expectError(denial) { try await cache.open(wrapped) }
    // Nothing is left that an outage could bring back.
    world.fail(with: .keyServiceUnavailable)
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
    #expect(world.stale.isEmpty && world.unwraps == 3)
  }

  @Test func aDenialMetAheadOfTimeEndsItToo() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60), chance: 0)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(85))
    world.fail(with: .keyDisabled)
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    await expectError(.keyDisabled) { try await cache.open(wrapped) }
    #expect(world.unwraps == 3)
  }

  /// Two keys: what is remembered came from the first, and is judged by what is said of that one.
  @Test(arguments: [true, false])
  func neitherDenialNorOutageHidesBehindAnotherKeys(isDenied: Bool) async throws {
    let (one, two) = (try CacheWorld(), try CacheWorld())
    let both = try MultiKeyring(isDenied ? [two, one] : [one, two] as [any Keyring])
    let wrapped = try await one.local.generateDataKey(for: ["a": "b"]).wrapped + two.entry().wrapped
    let cache = try CachingKeyring(
      both, maximumAge: .seconds(100), graceTime: .seconds(1000),
      timing: CachingKeyring.Timing(now: { one.now }, chance: { 1 }))
    two.fail(with: isDenied ? .keyServiceUnavailable : .keyAccessDenied)
    let key = try await cache.open(wrapped)
    one.fail(with: isDenied ? .keyAccessDenied : .keyServiceUnavailable)
    one.pass(.seconds(100))
    if isDenied {
      await expectError(.keyAccessDenied) { try await cache.open(wrapped) }
    } else {
      #expect(try await cache.open(wrapped) == key)
    }
  }

  @Test func itIsAskedAheadOfTimeOnceAndNobodyWaits() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(chance: 0.5)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(89))
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    #expect(world.unwraps == 1)
    world.pass(.seconds(2))
    let gate = world.hold()
    for _ in 0..<100 { #expect(try await cache.open(wrapped) == key) }
    gate.open()
    await cache.settle()
    #expect(world.unwraps == 2)
    // The new age counts from then.
    world.pass(.seconds(80))
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    #expect(world.unwraps == 2)
  }

  @Test func aFailureAheadOfTimeLeavesTheEntryToItsAge() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(chance: 0)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(80))
    for _ in 0..<10 {
      #expect(try await cache.open(wrapped) == key)
      await cache.settle()
    }
    #expect(world.unwraps == 2 && world.stale.isEmpty)
    world.pass(.seconds(1))
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    #expect(world.unwraps == 3)
    world.pass(.seconds(19))
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
  }

  /// Age counts from when the service was asked, not from when it answered.
  @Test func aSlowAnswerIsOldWhenItComes() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    let gate = world.hold()
    async let first = cache.open(wrapped)
    await world.begun.wait()
    world.pass(.seconds(60))
    gate.open()
    #expect(try await first == key)
    world.pass(.seconds(40))
    #expect(try await cache.open(wrapped) == key)
    #expect(world.unwraps == 2)
  }
}
