// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct CachingSealerTests {
  /// Counts the data keys that are made, and may fail.
  private final class Service: Keyring {
    let keyring: KeysetKeyring
    let made = Counter()
    let gate = Gate()
    /// Opened when the first data key is asked for.
    let begun = Gate()
    let isDown = Mutex(false)
    let now = Mutex(ContinuousClock.now)

    init(isHeld: Bool = false) throws {
      keyring = KeysetKeyring(try .generate())
      if !isHeld { gate.open() }
    }

    func sealer(
      _ age: Duration = .seconds(100), messages: Int = 1000, bytes: Int = 1000, entries: Int = 10,
      suite: AlgorithmSuite = .chaCha20Poly1305
    ) throws -> CachingSealer {
      try CachingSealer(
        using: self, suite: suite, maximumAge: age, messageLimit: messages, byteLimit: bytes, entryLimit: entries,
        now: { self.now.withLock { $0 } })
    }

    func pass(_ duration: Duration) { now.withLock { $0 = $0.advanced(by: duration) } }

    func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      made.increment()
      begun.open()
      await gate.wait()
      if isDown.withLock({ $0 }) { throw EnvelopeError(.keyServiceUnavailable, "Nobody answers") }
      return try await keyring.generateDataKey(for: context)
    }

    func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
      try await keyring.wrap(dataKey, for: context)
    }

    func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      try await keyring.unwrap(wrapped, for: context)
    }
  }

  private func seal(_ sealer: CachingSealer, _ bytes: [UInt8] = [1], _ context: EncryptionContext = ["a": "b"])
    async throws
    -> [UInt8]
  {
    try await sealer.seal(bytes, context: context, authenticating: [9])
  }

  @Test(arguments: AlgorithmSuite.here) func whatItSealsOpensUnderItsContextAlone(suite: AlgorithmSuite) async throws {
    let service = try Service()
    let sealer = try service.sealer(suite: suite)
    let envelope = try await seal(sealer, [1, 2, 3])
    #expect(try Envelope.header(of: envelope).suite == suite)
    #expect(
      try await Envelope.open(envelope, context: ["a": "b"], authenticating: [9], using: service).copy() == [1, 2, 3])
    await expectError(.contextDiffers) { try await Envelope.open(envelope, context: ["a": "c"], using: service) }
    await expectError(.payloadAltered) { try await Envelope.open(envelope, context: ["a": "b"], using: service) }
  }

  @Test func aDataKeySealsAsManyValuesAsItMay() async throws {
    let service = try Service()
    let sealer = try service.sealer(messages: 3)
    for count in 1...10 {
      _ = try await seal(sealer)
      #expect(service.made.value == (count + 2) / 3)
    }
  }

  @Test func aDataKeySealsAsManyBytesAsItMay() async throws {
    let service = try Service()
    let sealer = try service.sealer(bytes: 10)
    for (byteCount, made) in [(4, 1), (6, 1), (0, 1), (1, 2), (10, 3), (0, 3), (1, 4)] {
      _ = try await seal(sealer, [UInt8](repeating: 0, count: byteCount))
      #expect(service.made.value == made, "\(byteCount)")
    }
    await expectError(.invalidArgument) { try await seal(sealer, [UInt8](repeating: 0, count: 11)) }
    #expect(service.made.value == 4)
  }

  @Test func aDataKeySealsUntilItsAge() async throws {
    let service = try Service()
    let sealer = try service.sealer()
    _ = try await seal(sealer)
    service.pass(.seconds(99))
    _ = try await seal(sealer)
    #expect(service.made.value == 1)
    service.pass(.seconds(1))
    _ = try await seal(sealer)
    #expect(service.made.value == 2)
  }

  /// However slow the service, each of its answers seals something.
  @Test func anAgeShorterThanTheServiceIsSlowStillSeals() async throws {
    let service = try Service(isHeld: true)
    let sealer = try service.sealer(.nanoseconds(1))
    async let first = seal(sealer)
    service.pass(.seconds(5))
    service.gate.open()
    _ = try await first
    #expect(service.made.value == 1)
  }

  @Test func contextsHaveDataKeysOfTheirOwn() async throws {
    let service = try Service()
    let sealer = try service.sealer(entries: 2)
    let contexts: [EncryptionContext] = [["a": "b"], ["a": "B"], ["é": "b"], ["e\u{301}": "b"], [:]]
    var headers: Set<[UInt8]> = []
    for context in contexts { headers.insert(Array(try await seal(sealer, [], context).prefix(100))) }
    #expect(headers.count == contexts.count && service.made.value == contexts.count)
    _ = try await seal(sealer, [], [:])
    #expect(service.made.value == contexts.count)
    _ = try await seal(sealer, [], ["a": "b"])
    #expect(service.made.value == contexts.count + 1)
  }

  @Test(arguments: [1000, 1])
  func manyAtOnceCauseNoMoreDataKeysThanTheyNeed(messages: Int) async throws {
    let service = try Service(isHeld: true)
    let sealer = try service.sealer(messages: messages)
    let count = messages == 1 ? 50 : 1000
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<count { group.addTask { _ = try await seal(sealer) } }
      service.gate.open()
      try await group.waitForAll()
    }
    #expect(service.made.value == count / messages)
  }

  @Test(arguments: [1, 10])
  func manyContextsAtOnceCauseOneDataKeyEach(entries: Int) async throws {
    let service = try Service(isHeld: true)
    let sealer = try service.sealer(entries: entries)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<100 { group.addTask { _ = try await seal(sealer, [1], ["n": "\(index)"]) } }
      service.gate.open()
      try await group.waitForAll()
    }
    #expect(service.made.value == 100 && sealer.counts == (entries, 0))
    // One after the other is within the limit, too.
    for index in 0..<20 {
      _ = try await seal(sealer, [1], ["n": "\(index)"])
      #expect(sealer.counts == (entries, 0))
    }
  }

  /// All callers that waited for a slow service seal with the data key that it sent.
  @Test func lateDataKeySealsForAllThatWaited() async throws {
    let service = try Service(isHeld: true)
    let sealer = try service.sealer(.seconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 { group.addTask { _ = try await seal(sealer) } }
      await service.begun.wait()
      service.pass(.seconds(5))
      service.gate.open()
      try await group.waitForAll()
    }
    // Callers that came after it had arrived needed another one, if any did.
    #expect(service.made.value <= 2 && sealer.counts.calls == 0)
  }

  @Test func keysPastTheirAgeAreRemovedAtTheNextUse() async throws {
    let service = try Service()
    let sealer = try service.sealer()
    for index in 0..<5 { _ = try await seal(sealer, [1], ["n": "\(index)"]) }
    #expect(sealer.counts == (5, 0))
    service.pass(.seconds(100))
    _ = try await seal(sealer)
    #expect(sealer.counts == (1, 0))
  }

  /// A used-up key is replaced: it takes no place beside the new one.
  @Test func usedUpKeyIsReplaced() async throws {
    let service = try Service()
    let sealer = try service.sealer(messages: 2)
    for count in 1...9 {
      _ = try await seal(sealer)
      #expect(sealer.counts == (1, 0) && service.made.value == (count + 1) / 2)
    }
  }

  /// However many keys there are, they take one guarded allocation; each of its own takes three mappings of the process.
  @Test func keysShareOneAllocation() async {
    #if os(Linux)
      await #expect(processExitsWith: .success) {
        let keyring = KeysetKeyring(try .generate())
        let sealer = try CachingSealer(using: keyring, suite: .tested, maximumAge: .seconds(60), entryLimit: 3000)
        func seal(_ index: Int) async throws {
          _ = try await sealer.seal([1], context: ["n": "\(index)"], authenticating: [1])
        }
        for index in 0..<10 { try await seal(index) }
        let before = try #require(MemoryScan.mappingCount)
        for index in 10..<3010 { try await seal(index) }
        #expect(sealer.counts == (3000, 0))
        #expect(try #require(MemoryScan.mappingCount) - before < 300)
      }
    #endif
  }

  @Test func aFailureIsToldAndNotKept() async throws {
    let service = try Service()
    let sealer = try service.sealer()
    service.isDown.withLock { $0 = true }
    await expectError(.keyServiceUnavailable) { try await seal(sealer) }
    service.isDown.withLock { $0 = false }
    _ = try await seal(sealer)
    #expect(service.made.value == 2)
  }

  @Test func whatBreaksALimitIsRefused() async throws {
    let service = try Service()
    let sealer = try service.sealer()
    await expectError(.invalidArgument) { try await sealer.seal([1], context: ["a": "b"], authenticating: []) }
    await expectError(.invalidArgument) { try await seal(sealer, [1], ["": "b"]) }
    for age in [Duration.zero, .seconds(-1), .seconds(Int64.max)] {
      await expectError(.invalidArgument) { try CachingSealer(using: service, suite: .tested, maximumAge: age) }
    }
    for limit in [0, -1, 1 << 32 + 1] {
      await expectError(.invalidArgument) {
        try CachingSealer(using: service, suite: .tested, maximumAge: .seconds(1), messageLimit: limit)
      }
    }
    await expectError(.invalidArgument) {
      try CachingSealer(using: service, suite: .tested, maximumAge: .seconds(1), byteLimit: 0)
    }
    await expectError(.invalidArgument) {
      try CachingSealer(using: service, suite: .tested, maximumAge: .seconds(1), entryLimit: 0)
    }
  }
}
