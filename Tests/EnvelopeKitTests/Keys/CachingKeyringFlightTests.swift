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

  /// Two headers have the same entries: both unlock, by their own salt and commitment.
  @Test func oneSealersEnvelopesShareAnEntryAndForgedOnesDoNotOpen() async throws {
    let world = try CacheWorld()
    let cache = try world.cache()
    let envelope = try await Envelope.seal([1], context: ["a": "b"], using: cache)
    #expect(try await Envelope.open(envelope, context: ["a": "b"], using: cache).copy() == [1])
    var forged = envelope
    forged[10] ^= 1  // the salt
    await expectError(.contextDiffers) { try await Envelope.open(forged, context: ["a": "b"], using: cache) }
    forged = envelope
    forged[forged.count - 60] ^= 1  // the commitment or the tag
    await expectError(.headerAltered) { try await Envelope.open(forged, context: ["a": "b"], using: cache) }
    #expect(world.unwraps == 1)
  }
}
