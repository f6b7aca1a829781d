// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct EnvelopeObserverTests {
  private let context: EncryptionContext = ["function": "f"]
  private let recorder = EventRecorder()
  private let local: KeysetKeyring
  private var observed: ObservedKeyring { ObservedKeyring(local, observer: recorder) }

  init() throws { local = KeysetKeyring(try .generate()) }

  @Test func aValueIsToldOnceForEachThing() async throws {
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: observed)
    #expect(recorder.take() == ["wrapped"])
    _ = try await Envelope.open(sealed, context: context, using: observed)
    #expect(recorder.events.map(\.source?.keyID.string) == Array(repeating: "\(local.keyset.id).1", count: 2))
    #expect(recorder.take() == ["unwrapped", "opened"])
    _ = try await Sealer(context: context, suite: .tested, using: observed)
    #expect(recorder.take() == ["wrapped"])
    _ = try await observed.wrap(try .generate(), for: context)
    #expect(recorder.take() == ["wrapped"])
    // A keyring that nobody observes tells nobody.
    _ = try await Envelope.open(sealed, context: context, using: local)
    #expect(recorder.take() == [])
  }

  @Test func failuresAreToldWithTheirReason() async throws {
    let sealed = try await Envelope.seal([1], context: context, authenticating: [1], suite: .tested, using: local)
    func expect(
      _ kinds: [String], _ code: EnvelopeError.Code, sourceLocation: SourceLocation = #_sourceLocation,
      _ body: () async throws -> Void
    ) async {
      await expectError(code, sourceLocation: sourceLocation) { try await body() }
      let failures = recorder.events.filter { $0.kind.rawValue.hasSuffix("Failed") }
      #expect(failures.allSatisfy { ($0.failure as? EnvelopeError)?.code == code }, sourceLocation: sourceLocation)
      #expect(!failures.isEmpty, sourceLocation: sourceLocation)
      #expect(recorder.take() == kinds, sourceLocation: sourceLocation)
    }
    await expect(["openFailed"], .contextDiffers) {
      _ = try await Envelope.open(sealed, context: [:], authenticating: [1], using: observed)
    }
    await expect(["openFailed"], .malformed) { _ = try await Envelope.open([], context: context, using: observed) }
    await expect(["unwrapped", "openFailed"], .payloadAltered) {
      _ = try await Envelope.open(sealed, context: context, authenticating: [2], using: observed)
    }
    let tag = try Envelope.header(of: sealed).bytes.count - 1
    await expect(["unwrapped", "openFailed"], .headerAltered) {
      _ = try await Envelope.open(
        sealed.flipping(bit: 0, of: tag), context: context, authenticating: [1], using: observed)
    }
    let stranger = ObservedKeyring(KeysetKeyring(try .generate()), observer: recorder)
    await expect(["unwrapFailed", "openFailed"], .keyNotFound) {
      _ = try await Envelope.open(sealed, context: context, authenticating: [1], using: stranger)
    }
    let tooLong: EncryptionContext = ["k": String(repeating: "x", count: 9000)]
    await expect(["wrapFailed"], .invalidArgument) { _ = try await observed.wrap(try .generate(), for: tooLong) }
    await expect(["wrapFailed"], .invalidArgument) { _ = try await observed.generateDataKey(for: tooLong) }
  }

  @Test func anOpenerTellsOfEachValue() async throws {
    let sealer = try await Sealer(context: context, suite: .tested, using: local)
    let envelopes = try (0..<3).map { try sealer.seal([$0], authenticating: [$0]) }
    let opener = try await Opener(for: envelopes[0], context: context, using: observed)
    #expect(recorder.take() == ["unwrapped"])
    for (index, envelope) in envelopes.enumerated() { _ = try opener.open(envelope, authenticating: [UInt8(index)]) }
    #expect(recorder.take() == ["opened", "opened", "opened"])
    await expectError(.payloadAltered) { try opener.open(envelopes[0], authenticating: [1]) }
    await expectError(.malformed) { try opener.open([1], authenticating: [1]) }
    let other = try await Envelope.seal([1], context: context, authenticating: [1], suite: .tested, using: local)
    await expectError(.headerUnknown) { try opener.open(other, authenticating: [1]) }
    #expect(recorder.events.allSatisfy { $0.source == opener.source })
    #expect(recorder.take() == ["openFailed", "openFailed", "openFailed"])
    try opener.open(envelopes, authenticating: [[0], [1], [2]]) { _, _ in }
    #expect(recorder.take() == ["opened", "opened", "opened"])
  }

  @Test(arguments: [SealedEnvironment.Form.separate, .packed])
  func anEnvironmentIsToldOnce(form: SealedEnvironment.Form) async throws {
    let sealed = try await SealedEnvironment.seal(Planted.values, as: form, context: context, using: observed)
    #expect(recorder.take() == ["wrapped"])
    _ = try await sealed.open(context: context, using: observed)
    #expect(recorder.take() == ["unwrapped", "opened"])
    _ = try await HandlerSecrets.open(using: observed, function: "f", variables: sealed.variables)
    #expect(recorder.take() == ["unwrapped", "opened"])
    await expectError(.staleGeneration) {
      try await sealed.open(context: context, using: observed, minimumGeneration: .max)
    }
    #expect(recorder.take() == ["unwrapped", "openFailed"])
    await expectError(.contextDiffers) { try await sealed.open(context: [:], using: observed) }
    #expect(recorder.take() == ["openFailed"])
    _ = try await sealed.resealed(context: context, using: observed, sealingWith: observed)
    #expect(recorder.take() == ["unwrapped", "opened", "wrapped"])
    await expectError(.contextDiffers) {
      try await sealed.resealed(context: [:], using: observed, sealingWith: observed)
    }
    #expect(recorder.take() == ["openFailed"])
  }

  /// The keyring's own events may come before or after the cache's: another task asks it.
  @Test func aCacheTellsOfHitsMissesAndStaleUses() async throws {
    let world = try CacheWorld()
    let behind = ObservedKeyring(world, observer: recorder)
    let cache = try CachingKeyring(
      behind, maximumAge: .seconds(100), graceTime: .seconds(100),
      timing: CachingKeyring.Timing(now: { world.now }, chance: { 0.999 }))
    let wrapped = try await world.local.wrap(try .generate(), for: context)
    _ = try await cache.unlock(wrapped, context)
    #expect(Set(recorder.take()) == ["cacheMissed", "unwrapped"])
    _ = try await cache.unlock(wrapped, context)
    #expect(recorder.events.first?.source == wrapped.first)
    #expect(recorder.take() == ["cacheHit"])
    world.pass(.seconds(150))
    world.fail(with: .keyServiceUnavailable)
    _ = try await cache.unlock(wrapped, context)
    await cache.settle()
    #expect(Set(recorder.take()) == ["cacheStale", "unwrapFailed"])
    world.pass(.seconds(1000))
    await expectError(.keyServiceUnavailable) { try await cache.unlock(wrapped, context) }
    #expect(Set(recorder.take()) == ["cacheMissed", "unwrapFailed"])
    await expectError(.keyNotFound) { try await cache.unlock([], context) }
    #expect(recorder.take() == ["cacheMissed"])
  }

  @Test func aCacheOnTopIsToldWithTheOpens() async throws {
    let cache = try CachingKeyring(observed, maximumAge: CachingKeyring.durationLimit)
    let sealed = try await SealedEnvironment.seal(Planted.values, context: context, using: cache)
    #expect(recorder.take() == ["wrapped"])
    _ = try await sealed.open(context: context, using: cache)
    #expect(Set(recorder.take()) == ["cacheMissed", "unwrapped", "opened"])
    _ = try await sealed.open(context: context, using: cache)
    #expect(recorder.take() == ["cacheHit", "opened"])
  }

  @Test func aMultiKeyringPassesTheObserverOn() async throws {
    let other = KeysetKeyring(try .generate())
    let multi = try MultiKeyring([other, observed] as [any Keyring])
    #expect(multi.observer != nil && other.observer == nil)
    #expect(try MultiKeyring([other]).observer == nil)
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: multi)
    #expect(recorder.take() == ["wrapped"])
    // The first one opens, and only the opening is told.
    _ = try await Envelope.open(sealed, context: context, using: multi)
    #expect(recorder.take() == ["opened"])
    _ = try await Envelope.open(
      sealed, context: context, using: MultiKeyring([KeysetKeyring(.generate()), observed] as [any Keyring]))
    #expect(recorder.take() == ["unwrapped", "opened"])
  }

  @Test func eventsHoldNoSecret() async throws {
    let sealed = try await SealedEnvironment.seal(Planted.values, context: context, using: observed)
    let key = try DataKey(copying: Planted.dataKey)
    let wrapped = try await observed.wrap(key, for: context)
    _ = try await observed.unwrap(wrapped, for: context)
    _ = try await sealed.open(context: context, using: observed)
    _ = try? await sealed.open(context: context, using: observed, minimumGeneration: .max)
    for (name, _) in Planted.values {
      let altered = sealed.variables.setting(name, to: try sealed.variables.bytes(of: name).flipping(bit: 0, of: 0))
      _ = try? await altered.open(context: context, using: observed)
    }
    let events = recorder.events
    #expect(events.count >= 10)
    for event in events { #expect(plantedSecrets(in: shown(event)) == []) }
  }
}
