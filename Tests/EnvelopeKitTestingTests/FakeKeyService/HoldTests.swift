// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(20))) struct HoldTests {
  @Test func heldCallsGoOnWhenReleased() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let keyring = service.keyring(for: key)
    service.hold()
    service.hold()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { _ = try await keyring.generateDataKey(for: [:]) } }
      try await service.waitForHeldCalls(50)
      #expect(service.heldCallCount == 50 && service.callCount(for: key) == 50)
      #expect(service.calls.allSatisfy { $0.outcome == .pending })
      service.release()
      try await group.waitForAll()
    }
    #expect(service.heldCallCount == 0)
    #expect(service.calls.allSatisfy { $0.outcome == .succeeded })
    // And nothing is held any more.
    #expect(try await keyring.works())
    service.release()
    #expect(!service.releaseFirst())
  }

  /// What changes while a call is held counts for it.
  @Test func aCallIsDecidedWhenItIsReleased() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.hold()
    let call = Task { try await service.keyring(for: key).generateDataKey(for: [:]).wrapped }
    try await service.waitForHeldCalls(1)
    try service.disable(key)
    service.release()
    await expectRefusal(.keyDisabled, "DisabledException") { try await call.value }
    service.hold()
    let another = Task { try await service.keyring(for: key).generateDataKey(for: [:]).wrapped }
    try await service.waitForHeldCalls(1)
    service.fail(next: 1)
    service.release()
    await expectRefusal(.keyServiceThrottled, "ThrottlingException") { try await another.value }
  }

  @Test func oneAfterTheOther() async throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(), try service.createKey())
    service.hold()
    let first = Task { try await service.keyring(for: a).works() }
    try await service.waitForHeldCalls(1)
    let second = Task { try await service.keyring(for: b).works() }
    try await service.waitForHeldCalls(2)
    #expect(service.releaseFirst())
    // The first goes on to its second call, which is held behind the other's.
    try await service.waitForHeldCalls(2)
    #expect(service.calls.map(\.outcome) == [.succeeded, .pending, .pending])
    #expect(service.calls.map(\.key) == [a, b, a])
    #expect(service.releaseFirst())
    try await service.waitForHeldCalls(2)
    #expect(service.calls.map(\.outcome) == [.succeeded, .succeeded, .pending, .pending])
    service.release()
    #expect(try await first.value)
    #expect(try await second.value)
  }

  @Test func aCancelledCallIsLetGo() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.hold()
    let call = Task { try await service.keyring(for: key).generateDataKey(for: [:]).wrapped }
    try await service.waitForHeldCalls(1)
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(service.heldCallCount == 0)
    #expect(service.calls.map(\.outcome) == [.cancelled])
    #expect(!service.releaseFirst())
  }

  /// Whoever is cancelled before it asks does not get as far as the service.
  @Test func aCallCancelledBefore() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.hold()
    let call = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      _ = try await service.keyring(for: key).generateDataKey(for: [:])
    }
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(service.calls.isEmpty)
  }

  @Test func aWaitThatCanNeverEndIsRefused() async throws {
    let service = try FakeKeyService()
    await expectRefusal(.invalidArgument) { try await service.waitForHeldCalls(1) }
    await expectRefusal(.invalidArgument) { try await service.waitForHeldCalls(0) }
    service.hold()
    try await service.waitForHeldCalls(0)
    try await service.waitForHeldCalls(-1)
    let key = try service.createKey()
    let wait = Task { try await service.waitForHeldCalls(2) }
    let call = Task { try await service.keyring(for: key).works() }
    try await service.waitForHeldCalls(1)
    service.release()
    await expectRefusal(.invalidArgument) { try await wait.value }
    #expect(try await call.value)
  }

  @Test func aWaitCanBeCancelled() async throws {
    let service = try FakeKeyService()
    service.hold()
    let wait = Task { try await service.waitForHeldCalls(1) }
    wait.cancel()
    await #expect(throws: CancellationError.self) { try await wait.value }
    let key = try service.createKey()
    let call = Task { try await service.keyring(for: key).works() }
    try await service.waitForHeldCalls(1)
    service.release()
    #expect(try await call.value)
  }

  /// The last task that holds calls releases them: after it no call is held, so every task ends.
  @Test func concurrentHoldsAndReleasesLeaveNoTaskWaiting() async throws {
    for round in 0..<20 {
      let service = try FakeKeyService()
      let key = try service.createKey()
      let holders = Countdown(from: 20)
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<120 {
          group.addTask {
            switch number % 6 {
            case 0:
              service.hold()
              if holders.countDown() { service.release() }
            case 1: try? await service.waitForHeldCalls(3)
            case 2: service.releaseFirst()
            case 3: if number.isMultiple(of: 4) { service.release() }
            default: _ = try? await service.keyring(for: key).generateDataKey(for: [:])
            }
          }
        }
        if round.isMultiple(of: 2) { group.cancelAll() }
        await group.waitForAll()
      }
      #expect(service.heldCallCount == 0)
      #expect(!service.calls.contains { $0.outcome == .pending })
    }
  }
}

private final class Countdown: Sendable {
  private let count: Mutex<Int>

  init(from count: Int) { self.count = Mutex(count) }

  /// Returns whether this call was the last of them.
  func countDown() -> Bool {
    count.withLock { count in
      count -= 1
      return count == 0
    }
  }
}
