// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// What a cache does when the key service is slow, down or denies.
@Suite(.timeLimit(.minutes(20))) struct CachingKeyringFailureTests {
  /// The service hangs until the end of the test: an open that waited for it would hang, too.
  @Test func hangingServiceDelaysNoOpenWithinGrace() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: world.local)
    _ = try await sealed.open(context: ["function": "f"], using: cache)
    world.fail(with: .keyServiceUnavailable)
    let gate = world.hold()
    world.pass(.seconds(100))
    for second in 1...2 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<300 {
          group.addTask {
            let opened = try await sealed.open(context: ["function": "f"], using: cache)
            #expect(try opened.require("A").revealingString() == "1")
          }
        }
        try await group.waitForAll()
      }
      #expect(cache.callCount == 1 && world.stale.count == 300 * second)
      world.pass(.seconds(1))
    }
    #expect(world.stale.allSatisfy { $0.failure == nil })
    gate.open()
    await cache.settle()
    #expect(world.unwraps == 2)
    _ = try await sealed.open(context: ["function": "f"], using: cache)
    #expect(world.stale.last?.failure?.code == .keyServiceUnavailable)
  }

  @Test(arguments: [EnvelopeError.Code.keyServiceUnavailable, .keyServiceThrottled])
  func outageShorterThanGraceFailsNoOpen(outage: EnvelopeError.Code) async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(90))
    world.fail(with: outage)
    for _ in 0..<69 {
      world.pass(.seconds(1))
      #expect(try await cache.open(wrapped) == key)
      await cache.settle()
    }
    #expect(world.stale.count == 60 && world.unwraps == 61)
    #expect(world.stale.first?.overdue == .zero && world.stale.last?.overdue == .seconds(59))
    #expect(world.stale.allSatisfy { $0.source == wrapped[0] })
    // The first call was in flight when the first of them was served.
    #expect(world.stale.map(\.failure?.code) == [nil] + [EnvelopeError.Code?](repeating: outage, count: 59))
  }

  @Test func serviceThatIsUpAgainRenewsWhatIsRemembered() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(150))
    world.fail(with: .keyServiceUnavailable)
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    world.fail(with: nil)
    world.pass(.seconds(1))
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    #expect(world.unwraps == 3 && world.stale.count == 2)
    // Its new age counts from the call that succeeded.
    for _ in 0..<2 {
      #expect(try await cache.open(wrapped) == key)
      world.pass(.seconds(99))
    }
    #expect(world.unwraps == 3 && world.stale.count == 2)
  }

  @Test func outageBeyondGraceIsThrown() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(160))
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
    #expect(cache.count == 0)
    world.fail(with: nil)
    #expect(try await cache.open(wrapped) == key)
  }

  @Test func outageIsThrownAtOnceWithoutGrace() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, _) = try await world.entry()
    _ = try await cache.open(wrapped)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(100))
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
    #expect(world.stale.isEmpty)
  }

  @Test func serviceIsCalledOnceASecondWhileItIsDown() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(100))
    world.fail(with: .keyServiceUnavailable)
    for second in 1...3 {
      for _ in 0..<100 {
        #expect(try await cache.open(wrapped) == key)
        await cache.settle()
      }
      #expect(world.unwraps == 1 + second && world.stale.count == 100)
      world.pass(.milliseconds(999))
      #expect(try await cache.open(wrapped) == key)
      await cache.settle()
      #expect(world.unwraps == 1 + second)
      world.pass(.milliseconds(1))
      world.forgetStale()
    }
  }

  /// Time in grace is not added up: it counts from the last call that succeeded.
  @Test func useDoesNotProlongGrace() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, _) = try await world.entry()
    _ = try await cache.open(wrapped)
    world.fail(with: .keyServiceUnavailable)
    world.pass(.seconds(100))
    for _ in 0..<60 {
      _ = try await cache.open(wrapped)
      await cache.settle()
      world.pass(.seconds(1))
    }
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
  }

  @Test(arguments: [
    EnvelopeError.Code.keyAccessDenied, .keyDisabled, .keyInvalidState, .keyNotFound, .unwrapFailed,
    .keyServiceNotTrusted, .keyServiceAnswerInvalid, .credentialsRefused, .credentialsMissing,
  ])
  func refusalEndsWhatIsRemembered(denial: EnvelopeError.Code) async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(100))
    world.fail(with: denial)
    // In grace an open waits for no call, so the refusal takes effect once the call has returned.
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    #expect(cache.count == 0)
    await expectError(denial) { try await cache.open(wrapped) }
    // Nothing is left that an outage could bring back.
    world.fail(with: .keyServiceUnavailable)
    await expectError(.keyServiceUnavailable) { try await cache.open(wrapped) }
    #expect(world.stale.count == 1 && world.unwraps == 4)
  }

  @Test func refusalIsThrownAtOnceWithoutGrace() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(100))
    world.fail(with: .keyDisabled)
    await expectError(.keyDisabled) { try await cache.open(wrapped) }
  }

  @Test func refusalAheadOfExpiryEndsWhatIsRemembered() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60), chance: 0)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(85))
    world.fail(with: .keyDisabled)
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    await expectError(.keyDisabled) { try await cache.open(wrapped) }
    #expect(world.unwraps == 3 && world.stale.isEmpty)
  }

  /// No header has verified with a data key that differs from the remembered one.
  @Test func otherDataKeyFromServiceEndsWhatIsRemembered() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(chance: 0)
    let (wrapped, key) = try await world.entry()
    #expect(try await cache.open(wrapped) == key)
    world.pass(.seconds(85))
    world.unwrapWrongly(true)
    #expect(try await cache.open(wrapped) == key)
    await cache.settle()
    #expect(world.unwraps == 2 && cache.count == 0)
    world.unwrapWrongly(false)
    #expect(try await cache.open(wrapped) == key)
  }

  /// Two keys: what is remembered came from the first, and is judged by what is said of that one.
  @Test(arguments: [true, false])
  func refusalOrOutageOfAnotherKeyChangesNothing(isDenied: Bool) async throws {
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
    for _ in 0..<3 {
      #expect(try await cache.open(wrapped) == key)
      if isDenied { break }
      await cache.settle()
      one.pass(.seconds(1))
    }
    await cache.settle()
    if isDenied { await expectError(.keyAccessDenied) { try await cache.open(wrapped) } }
  }

  @Test func serviceIsCalledOnceAheadOfExpiryAndNoOpenWaits() async throws {
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

  @Test func outageAheadOfExpiryLeavesEntryToItsAge() async throws {
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

  /// The age counts from the start of the call, not from its return.
  @Test func ageCountsFromStartOfCall() async throws {
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
