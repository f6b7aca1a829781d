// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

@Suite(.timeLimit(.minutes(20))) struct AliasTests {
  @Test func aKeyHasManyNames() async throws {
    let service = try FakeKeyService(region: "eu-test-1", account: "000000000001")
    let key = try service.createKey(alias: "alias/team/checkout_1-a")
    #expect(key.string.hasPrefix("arn:fake:kms:eu-test-1:000000000001:key/"))
    let uuid = try #require(key.string.split(separator: "/").last.map(String.init))
    #expect(uuid.count == 36)
    let generated = try await service.keyring(for: key).generateDataKey(for: ["function": "f"])
    let names = [
      uuid, key.string, "alias/team/checkout_1-a", "arn:fake:kms:eu-test-1:000000000001:alias/team/checkout_1-a",
    ]
    for name in names {
      #expect(try service.keyID(named: name) == key)
      #expect(try await service.keyring(for: name).works())
      #expect(try await service.keyring(for: name).unwraps(generated))
    }
  }

  @Test(arguments: [
    "", " ", "alias/", "alias/none", "none", "arn:fake:kms:local:111122223333:alias/none",
    "arn:fake:kms:local:111122223333:key/", "arn:fake:kms:other:111122223333:alias/a", "alias/\u{212a}ey", "alias/KEY",
    "a\u{0}", String(repeating: "x", count: 3000),
  ])
  func aNameThatIsNoKeys(name: String) async throws {
    let service = try FakeKeyService()
    try service.createKey(alias: "alias/a")
    let key = try service.createKey(alias: "alias/Key")
    let generated = try await service.keyring(for: key).generateDataKey(for: [:])
    expectRefusal(.keyNotFound, "NotFoundException") { try service.keyID(named: name) }
    await expectRefusal(.keyNotFound, "NotFoundException") {
      try await service.keyring(for: name).generateDataKey(for: [:])
    }
    await expectRefusal(.keyNotFound) { try await service.keyring(for: name).unwrap(generated.wrapped, for: [:]) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.removeAlias(name) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.moveAlias(name, to: key) }
  }

  @Test(arguments: [
    "", "a", "Alias/a", "alias/", "alias/é", "alias/a b", "alias/a:b", "alias/a.b", "alias/aws/lambda", "alias/a\n",
    "alias/" + String(repeating: "a", count: 251),
  ])
  func anAliasThatCannotBe(alias: String) throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    expectRefusal(.invalidArgument, "InvalidAliasNameException") { try service.createAlias(alias, for: key) }
    expectRefusal(.invalidArgument, "InvalidAliasNameException") { try service.createKey(alias: alias) }
    #expect("\(service)" == "FakeKeyService(1 keys)")
  }

  @Test func anAliasStandsForOneKey() throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(alias: "alias/a"), try service.createKey())
    for key in [a, b] {
      expectRefusal(.keyExists, "AlreadyExistsException") { try service.createAlias("alias/a", for: key) }
    }
    expectRefusal(.keyExists, "AlreadyExistsException") { try service.createKey(alias: "alias/a") }
    try service.removeAlias("alias/a")
    try service.createAlias("alias/a", for: b)
    #expect(try service.keyID(named: "alias/a") == b)
    #expect(try service.keyID(named: a.string) == a)
  }

  @Test func aKeyHasAtMostFiftyAliases() throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(alias: "alias/0"), try service.createKey(alias: "alias/b"))
    for number in 1..<FakeKeyService.aliasLimit { try service.createAlias("alias/\(number)", for: a) }
    expectRefusal(.keyServiceRefused, "LimitExceededException") { try service.createAlias("alias/50", for: a) }
    expectRefusal(.keyServiceRefused, "LimitExceededException") { try service.moveAlias("alias/b", to: a) }
    try service.moveAlias("alias/0", to: a)
    #expect(try service.keyID(named: "alias/b") == b)
  }

  /// An alias that was moved wraps with the new key; what the old one wrapped needs the old one named.
  @Test func aMovedAlias() async throws {
    let service = try FakeKeyService()
    let (old, new) = (try service.createKey(alias: "alias/a"), try service.createKey())
    let keyring = service.keyring(for: "alias/a")
    let before = try await keyring.generateDataKey(for: ["function": "f"])
    try service.moveAlias("alias/a", to: new)
    let after = try await keyring.generateDataKey(for: ["function": "f"])
    #expect(before.wrapped.map(\.keyID) == [old] && after.wrapped.map(\.keyID) == [new])
    #expect(try await keyring.unwraps(after))
    await expectRefusal(.keyNotFound) { try await keyring.unwraps(before) }
    #expect(try await service.keyring(for: "alias/a", alsoUnwrappingWith: [old.string]).unwraps(before))
    await expectRefusal(.keyNotFound) { try await service.keyring(for: old).unwraps(after) }
  }

  /// A call is for the key that the alias stands for when it is decided, not when it was sent.
  @Test func anAliasMovedWhileACallIsHeld() async throws {
    let service = try FakeKeyService()
    let (old, new) = (try service.createKey(alias: "alias/a"), try service.createKey())
    service.hold()
    async let entries = service.keyring(for: "alias/a").generateDataKey(for: [:]).wrapped
    try await service.waitForHeldCalls(1)
    #expect(service.callCount(for: old) == 1)
    try service.moveAlias("alias/a", to: new)
    service.release()
    #expect(try await entries.map(\.keyID) == [new])
    #expect(service.callCount(for: old) == 0 && service.callCount(for: new) == 1)
  }
}
