// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

/// Keyrings that keep everything.
@Suite(.timeLimit(.minutes(20))) struct ConformanceTests {
  private func keyset() throws -> KeysetKeyring { KeysetKeyring(try .generate()) }

  @Test func keysets() async throws {
    var options = KeyringConformance.Options()
    options.stranger = try keyset()
    #expect(await KeyringConformance.failures(of: try keyset(), options: options) == [])
    let rotated = KeysetKeyring(try Keyset.generate().rotated().rotated(), alsoUnwrappingWith: [try .generate()])
    #expect(await KeyringConformance.failures(of: rotated, options: options) == [])
  }

  @Test(arguments: [false, true]) func theFakeServices(byAlias: Bool) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    try service.rotate(key)
    let other = try service.createKey(alias: "alias/other")
    var options = KeyringConformance.Options()
    options.stranger = service.keyring(for: byAlias ? "alias/other" : other.string)
    options.serviceCallCount = { service.callCount() }
    let keyring = service.keyring(for: byAlias ? "alias/a" : key.string)
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
    #expect(!service.calls.contains { $0.outcome == .pending })
  }

  @Test func severalTogether() async throws {
    let service = try FakeKeyService()
    let (a, b) = (service.keyring(for: try service.createKey()), service.keyring(for: try service.createKey()))
    let elsewhere = try FakeKeyService(region: "elsewhere")
    let c = elsewhere.keyring(for: try elsewhere.createKey(alias: "alias/c"))
    var options = KeyringConformance.Options()
    options.stranger = try MultiKeyring([keyset(), service.keyring(for: try service.createKey())])
    let together: [[any Keyring]] = [[try keyset(), a], [a, try keyset()], [a, b], [a, b, c, try keyset()]]
    for keyrings in together {
      options.serviceCallCount = { service.callCount() + elsewhere.callCount() }
      #expect(await KeyringConformance.failures(of: try MultiKeyring(keyrings), options: options) == [])
    }
    try await KeyringConformance.check(try MultiKeyring([a, b]), options: options)
  }

  @Test func oneThatWrapsOnly() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    try service.allow([.generateDataKey, .encrypt], on: key, for: "producer")
    let producer = service.keyring(for: key, as: "producer")
    var options = KeyringConformance.Options()
    for reader in [nil, service.keyring(for: key)] {
      options.role = .wrapsOnly(unwrappedBy: reader)
      #expect(await KeyringConformance.failures(of: producer, options: options) == [])
    }
    // With nothing said, what it cannot do is found.
    let checks = Set(await KeyringConformance.failures(of: producer).map(\.check))
    #expect(checks.isSuperset(of: [.unwrap, .wrap, .context, .alteration, .foreignEntries, .concurrency, .roundTrip]))
  }

  @Test func oneThatUnwrapsOnly() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    try service.allow([.decrypt], on: key, for: "handler")
    let handler = service.keyring(for: key, as: "handler")
    var options = KeyringConformance.Options()
    options.role = .unwrapsOnly(wrappedBy: service.keyring(for: key))
    options.stranger = service.keyring(for: try service.createKey())
    #expect(await KeyringConformance.failures(of: handler, options: options) == [])
    #expect(await KeyringConformance.failures(of: handler).map(\.check) == [.generate])
  }

  @Test func oneThatIsGrantedOneContext() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    var options = KeyringConformance.Options()
    options.isLimitedToContext = true
    for context: EncryptionContext in [options.context, ["function": "caf\u{e9}"]] {
      options.context = context
      let grant = try service.createGrant(
        on: key, to: "somebody", for: [.generateDataKey, .encrypt, .decrypt],
        constraint: .encryptionContextEquals(context))
      let keyring = service.keyring(for: key, as: "somebody")
      #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
      var unlimited = options
      unlimited.isLimitedToContext = false
      let checks = Set(await KeyringConformance.failures(of: keyring, options: unlimited).map(\.check))
      #expect(checks == [.context, .contextLimits, .concurrency, .roundTrip])
      try service.revokeGrant(grant)
    }
  }

  @Test(arguments: [Int.min, 0, 1, 10]) func fewerCalls(limit: Int) async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    _ = await KeyringConformance.failures(of: keyring)
    let all = service.callCount()
    service.forgetCalls()
    var options = KeyringConformance.Options()
    options.flipLimit = limit
    options.concurrentCallCount = limit
    #expect(await KeyringConformance.failures(of: keyring, options: options) == [])
    #expect(service.callCount() < all - 200)
    #expect(service.callCount() > 50)
  }

  /// A service that fails now and then is found out, and never taken for one that unwrapped.
  @Test func aServiceThatIsDown() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    service.isDown = true
    #expect(
      await KeyringConformance.failures(of: keyring).map(\.description) == [
        "generate: generateDataKey threw keyServiceUnavailable"
      ])
    service.isDown = false
    service.fail(every: 5)
    let failures = await KeyringConformance.failures(of: keyring)
    #expect(!failures.isEmpty && failures.allSatisfy { $0.message.contains("keyServiceThrottled") })
  }
}
