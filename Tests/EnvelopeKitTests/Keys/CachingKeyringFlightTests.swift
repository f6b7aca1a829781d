// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// However many ask at once, the keyring is asked once for each thing.
@Suite(.timeLimit(.minutes(20))) struct CachingKeyringFlightTests {
  @Test(arguments: [1, 50])
  func aThousandOpenersCauseOneUnwrapForEachEnvironment(count: Int) async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    var environments: [SealedEnvironment] = []
    for index in 0..<count {
      environments.append(
        try await SealedEnvironment.seal(["N": "\(index)"], context: ["function": "f\(index)"], using: world.local))
    }
    let gate = world.hold()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<1000 {
        let environment = environments[index % count]
        group.addTask {
          let opened = try await environment.open(context: ["function": "f\(index % count)"], using: cache)
          #expect(try opened.require("N").revealingString() == "\(index % count)")
        }
      }
      await world.begun.wait()
      gate.open()
      try await group.waitForAll()
    }
    #expect(world.unwraps == count)
  }

  @Test func aFailureIsToldToAllWhoWaitAndIsNotKept() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    let gate = world.hold()
    world.fail(with: .keyAccessDenied)
    let waiting = (0..<100).map { _ in Task { try await cache.open(wrapped) } }
    await world.begun.wait()
    gate.open()
    for task in waiting { await expectError(.keyAccessDenied) { try await task.value } }
    world.fail(with: nil)
    #expect(try await cache.open(wrapped) == key)
  }

  @Test func whoeverIsCancelledTakesTheCallFromNobody() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    let gate = world.hold()
    let first = Task { try await cache.open(wrapped) }
    await world.begun.wait()
    let others = (0..<10).map { _ in Task { try await cache.open(wrapped) } }
    first.cancel()
    gate.open()
    for task in others { #expect(try await task.value == key) }
    _ = await first.result
    #expect(world.unwraps == 1)
  }

  @Test func cancellingACallerEndsItsWait() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    let gate = world.hold()
    let task = Task { try await cache.open(wrapped) }
    await world.begun.wait()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let late = Task { () async throws -> [UInt8] in
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await cache.open(wrapped)
    }
    await #expect(throws: CancellationError.self) { try await late.value }
    let other = Task { try await cache.open(wrapped) }
    gate.open()
    #expect(try await other.value == key)
    #expect(world.unwraps == 1)
  }

  /// The entry was wiped while the answer was under way: those who wait still get theirs.
  @Test func anEntryThatMakesRoomWhileItIsAskedForIsGivenAllTheSame() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(entryLimit: 1, chance: 0)
    let (first, second) = (try await world.entry(), try await world.entry())
    #expect(try await cache.open(first.wrapped) == first.key)
    world.pass(.seconds(90))
    let gate = world.hold()
    #expect(try await cache.open(first.wrapped) == first.key)
    let other = Task { try await cache.open(second.wrapped) }
    gate.open()
    #expect(try await other.value == second.key)
    await cache.settle()
    #expect(try await cache.open(first.wrapped) == first.key)
    #expect(try await cache.open(second.wrapped) == second.key)
  }

  /// Callers that come after the call has returned and before a header has verified with its data key share it, too.
  @Test func returnedCallIsSharedUntilHeaderVerifies() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    do {
      let first = try await cache.unwrap(wrapped, for: ["a": "b"])
      let second = try await cache.unwrap(wrapped, for: ["a": "b"])
      #expect(world.unwraps == 1 && cache.count == 0 && cache.callCount == 1)
      second.whenVerified?()
      #expect(cache.count == 1 && cache.callCount == 0)
      first.whenVerified?()
      #expect(cache.count == 1 && cache.callCount == 0)
      #expect(first.source == wrapped[0] && second.source == wrapped[0])
    }
    #expect(try await cache.open(wrapped) == key)
    #expect(world.unwraps == 1)
  }

  @Test func returnedCallIsForgottenWithItsLastCaller() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let wrapped = try await world.entry().wrapped
    for count in 1...3 {
      do {
        let first = try await cache.unwrap(wrapped, for: ["a": "b"])
        _ = try await cache.unwrap(wrapped, for: ["a": "b"])
        #expect(world.unwraps == count && cache.callCount == 1)
        #expect(first.source == wrapped[0])
      }
      #expect(cache.count == 0 && cache.callCount == 0)
    }
  }

  /// Callers that take turns must not keep a data key alive that no header verifies with.
  @Test func returnedCallIsNotSharedBeyondItsAge() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let wrapped = try await world.entry().wrapped
    let first = try await cache.unwrap(wrapped, for: ["a": "b"])
    world.pass(.seconds(100))
    let second = try await cache.unwrap(wrapped, for: ["a": "b"])
    #expect(world.unwraps == 2)
    first.whenVerified?()
    #expect(cache.count == 0)
    second.whenVerified?()
    #expect(cache.count == 1 && cache.callCount == 0)
    #expect(first.source == wrapped[0] && second.source == wrapped[0])
  }

  /// A data key whose call took longer than age and grace is for the callers that waited, and is not remembered.
  @Test func callThatTakesLongerThanItsAgeServesItsCallersOnly() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let (wrapped, key) = try await world.entry()
    let gate = world.hold()
    async let first = cache.open(wrapped)
    await world.begun.wait()
    world.pass(.seconds(100))
    gate.open()
    #expect(try await first == key)
    #expect(cache.count == 0 && cache.callCount == 0)
  }

  @Test func backgroundCallsAreLimited() async throws {
    let world = try CacheWorld()
    let cache = try world.cache(graceTime: .seconds(60))
    let count = CachingKeyring.refreshLimit + 4
    var entries: [(wrapped: [WrappedDataKey], key: [UInt8])] = []
    for _ in 0..<count { entries.append(try await world.entry()) }
    for entry in entries { #expect(try await cache.open(entry.wrapped) == entry.key) }
    world.pass(.seconds(100))
    let gate = world.hold()
    for _ in 0..<3 {
      for entry in entries { #expect(try await cache.open(entry.wrapped) == entry.key) }
      #expect(cache.callCount == CachingKeyring.refreshLimit)
    }
    world.release()
    gate.open()
    await cache.settle()
    #expect(world.unwraps == count + CachingKeyring.refreshLimit)
    for entry in entries { #expect(try await cache.open(entry.wrapped) == entry.key) }
    await cache.settle()
    #expect(world.unwraps == 2 * count && world.stale.count == 3 * count + 4)
  }

  /// Two headers have the same entries: both unlock, by their own salt and commitment.
  @Test func oneSealersEnvelopesShareAnEntryAndForgedOnesDoNotOpen() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let envelope = try await Envelope.seal([1], context: ["a": "b"], suite: .tested, using: cache)
    #expect(try await Envelope.open(envelope, context: ["a": "b"], using: cache).copy() == [1])
    var forged = envelope
    forged[10] ^= 1  // the salt
    await expectError(.contextDiffers) { try await Envelope.open(forged, context: ["a": "b"], using: cache) }
    forged = envelope
    forged[forged.count - AlgorithmSuite.tested.aead.overheadByteCount - 20] ^= 1  // the commitment or the tag
    await expectError(.headerAltered) { try await Envelope.open(forged, context: ["a": "b"], using: cache) }
    #expect(world.unwraps == 1)
  }
}
