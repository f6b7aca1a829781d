// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitTesting
import Testing

@testable import EnvelopeKit

/// A cache does what any keyring must, also where what it stands before is slow or fails.
@Suite(.timeLimit(.minutes(20))) struct CachingConformanceTests {
  @Test func aCacheConforms() async throws {
    let local = KeysetKeyring(try .generate(), alsoUnwrappingWith: [try .generate()])
    var options = KeyringConformance.Options()
    options.stranger = KeysetKeyring(try .generate())
    for limit in [1, 7, 1000] {
      let cache = try CachingKeyring(local, maximumAge: .seconds(60), entryLimit: limit)
      #expect(await KeyringConformance.failures(of: cache, options: options) == [])
    }
  }

  @Test func aCacheBeforeAServiceConforms() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey(alias: "alias/a"))
    var options = KeyringConformance.Options()
    options.stranger = try CachingKeyring(service.keyring(for: try service.createKey()), maximumAge: .seconds(60))
    let cache = try CachingKeyring(keyring, maximumAge: .seconds(60))
    let local = KeysetKeyring(try .generate())
    #expect(await KeyringConformance.failures(of: cache, options: options) == [])
    #expect(
      await KeyringConformance.failures(of: try MultiKeyring([cache, local] as [any Keyring]), options: options) == [])
  }

  /// What the fake service counts is what a real one would be asked.
  @Test func aServiceIsAskedOnceAndDeniesAtOnce() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let keyring = service.keyring(for: key)
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: keyring)
    let cache = try CachingKeyring(keyring, maximumAge: .seconds(60), graceTime: .seconds(60))
    service.hold()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<1000 {
        group.addTask { _ = try await sealed.open(context: ["function": "f"], using: cache) }
      }
      try await service.waitForHeldCalls(1)
      service.release()
      try await group.waitForAll()
    }
    #expect(service.callCount(of: .decrypt) == 1)
    try service.disable(key)
    // Until its age has passed, what is remembered serves: the documentation says so.
    _ = try await sealed.open(context: ["function": "f"], using: cache)
    let fresh = try CachingKeyring(keyring, maximumAge: .seconds(60), graceTime: .seconds(60))
    await expectError(.keyDisabled) { try await sealed.open(context: ["function": "f"], using: fresh) }
    #expect(service.callCount(of: .decrypt) == 2)
  }
}
