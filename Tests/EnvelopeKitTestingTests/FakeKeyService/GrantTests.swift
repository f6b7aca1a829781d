// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

@Suite(.timeLimit(.minutes(20))) struct GrantTests {
  private typealias Constraint = FakeKeyService.GrantConstraint
  private static let context: EncryptionContext = ["function": "caf\u{e9}", "stage": "live"]

  private static let denied: [(FakeKeyService.GrantConstraint, EncryptionContext)] = [
    (.encryptionContextEquals(context), [:]),
    (.encryptionContextEquals(context), ["function": "caf\u{e9}"]),
    (.encryptionContextEquals(context), context.adding("pair", for: "one more")),
    (.encryptionContextEquals(context), ["function": "cafe\u{301}", "stage": "live"]),
    (.encryptionContextEquals(context), ["function": "caf\u{e9}", "stage": "Live"]),
    (.encryptionContextSubset(context), [:]),
    (.encryptionContextSubset(context), ["stage": "live"]),
    (.encryptionContextSubset(context), ["function": "cafe\u{301}", "stage": "live"]),
    (.encryptionContextSubset(context), ["Function": "caf\u{e9}", "stage": "live", "more": "pairs"]),
    (.encryptionContextSubset(context), ["function": "live", "stage": "caf\u{e9}"]),
  ]
  private static let allowed: [(FakeKeyService.GrantConstraint?, EncryptionContext)] = [
    (nil, [:]), (nil, context), (.encryptionContextEquals(context), context),
    (.encryptionContextEquals(context), ["stage": "live", "function": "caf\u{e9}"]),
    (.encryptionContextSubset(context), context),
    (.encryptionContextSubset(context), context.adding("pair", for: "one more")),
  ]

  private static let operations: Set<FakeKeyService.Operation> = [.generateDataKey, .decrypt]

  @Test(arguments: denied)
  func aContextThatTheConstraintDoesNotAllow(
    constraint: FakeKeyService.GrantConstraint, context: EncryptionContext
  ) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let generated = try await service.keyring(for: key).generateDataKey(for: context)
    let grant = try service.createGrant(on: key, to: "somebody", for: Self.operations, constraint: constraint)
    for tokens in [[], [grant.token]] {
      let keyring = service.keyring(for: key, as: "somebody", grantTokens: tokens)
      await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
        try await keyring.generateDataKey(for: context)
      }
      await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
        try await keyring.unwrap(generated.wrapped, for: context)
      }
    }
  }

  @Test(arguments: allowed)
  func aContextThatTheConstraintAllows(
    constraint: FakeKeyService.GrantConstraint?, context: EncryptionContext
  ) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    _ = try service.createGrant(on: key, to: "somebody", for: Self.operations, constraint: constraint)
    #expect(try await service.keyring(for: key, as: "somebody").works(for: context))
  }

  @Test func aGrantIsForOneKeyOnePrincipalAndItsOperations() async throws {
    let service = try FakeKeyService()
    let (key, other) = (try service.createKey(), try service.createKey())
    let grant = try service.createGrant(on: key, to: "somebody", for: Self.operations)
    let dataKey = try DataKey.generate()
    let tokens = [grant.token]
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
      try await service.keyring(for: key, as: "somebody", grantTokens: tokens).wrap(dataKey, for: [:])
    }
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
      try await service.keyring(for: other, as: "somebody", grantTokens: tokens).generateDataKey(for: [:])
    }
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
      try await service.keyring(for: key, as: "another", grantTokens: tokens).generateDataKey(for: [:])
    }
  }

  @Test func aRevokedGrant() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let grant = try service.createGrant(on: key, to: "somebody", for: Self.operations)
    let keyring = service.keyring(for: key, as: "somebody", grantTokens: [grant.token])
    #expect(try await keyring.works())
    try service.revokeGrant(grant)
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await keyring.works() }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.revokeGrant(grant) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.retireGrant(grant, as: .owner) }
  }

  @Test func whoMayRetire() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let grant = try service.createGrant(
      on: key, to: "somebody", for: Self.operations, retiringPrincipal: "janitor")
    for principal: FakeKeyService.Principal in ["somebody", "anybody"] {
      expectRefusal(.keyAccessDenied, "AccessDeniedException") { try service.retireGrant(grant, as: principal) }
    }
    #expect(try await service.keyring(for: key, as: "somebody").works())
    try service.retireGrant(grant, as: "janitor")
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
      try await service.keyring(for: key, as: "somebody").works()
    }
    let another = try service.createGrant(on: key, to: "somebody", for: Self.operations)
    expectRefusal(.keyAccessDenied, "AccessDeniedException") { try service.retireGrant(another, as: "janitor") }
    try service.retireGrant(another, as: .owner)
  }

  /// A token works at once; the grant without it only when the service has heard of it.
  @Test func grantsComeAndGoLate() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.delayGrants()
    let grant = try service.createGrant(on: key, to: "somebody", for: Self.operations)
    let plain = service.keyring(for: key, as: "somebody")
    let withToken = service.keyring(for: key, as: "somebody", grantTokens: [grant.token])
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await plain.works() }
    #expect(try await withToken.works())
    service.settleGrants()
    #expect(try await plain.works())
    service.delayGrants()
    try service.revokeGrant(grant)
    #expect(try await plain.works())
    expectRefusal(.keyNotFound, "NotFoundException") { try service.revokeGrant(grant) }
    service.settleGrants()
    for keyring in [plain, withToken] {
      await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await keyring.works() }
    }
  }

  @Test func aGrantTakenAwayBeforeAnybodyHeardOfIt() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.delayGrants()
    let grant = try service.createGrant(on: key, to: "somebody", for: Self.operations)
    try service.revokeGrant(grant)
    let keyring = service.keyring(for: key, as: "somebody", grantTokens: [grant.token])
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await keyring.works() }
    service.settleGrants()
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await keyring.works() }
  }

  @Test func tokensThatAreNone() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let token = try service.createGrant(on: key, to: "somebody", for: [.decrypt]).token
    for tokens in [["none"], [token, "none"], [token + "x"]] {
      await expectRefusal(.keyServiceRefused, "InvalidGrantTokenException") {
        try await service.keyring(for: key, grantTokens: tokens).generateDataKey(for: [:])
      }
    }
    let long = String(repeating: "x", count: 8193)
    for tokens in [[String](repeating: token, count: 11), [""], [long]] {
      await expectRefusal(.invalidArgument, "ValidationException") {
        try await service.keyring(for: key, grantTokens: tokens).generateDataKey(for: [:])
      }
    }
    #expect(try await service.keyring(for: key, grantTokens: [String](repeating: token, count: 10)).works())
  }

  /// A token equal as a string, by the Kelvin sign for its K, has other bytes.
  @Test func aTokenOfOtherBytes() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.delayGrants()
    var token = ""
    // Two tokens of three have none.
    while !token.contains("K") {
      token = try service.createGrant(on: key, to: "somebody", for: [.generateDataKey]).token
    }
    let other = token.replacing("K", with: "\u{212a}")
    #expect(other == token)
    await expectRefusal(.keyServiceRefused, "InvalidGrantTokenException") {
      try await service.keyring(for: key, as: "somebody", grantTokens: [other]).generateDataKey(for: [:])
    }
    _ = try await service.keyring(for: key, as: "somebody", grantTokens: [token]).generateDataKey(for: [:])
  }

  @Test func grantsThatCannotBe() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    expectRefusal(.invalidArgument, "ValidationException") { try service.createGrant(on: key, to: "somebody", for: []) }
    for constraint: FakeKeyService.GrantConstraint in [.encryptionContextEquals([:]), .encryptionContextSubset([:])] {
      expectRefusal(.invalidArgument, "ValidationException") {
        try service.createGrant(on: key, to: "somebody", for: [.decrypt], constraint: constraint)
      }
    }
    await expectRefusal(.invalidArgument) {
      try service.createGrant(
        on: key, to: "somebody", for: [.decrypt], constraint: .encryptionContextSubset(["": "empty"]))
    }
    let foreign = try FakeKeyService(region: "elsewhere").createKey()
    expectRefusal(.keyNotFound, "NotFoundException") {
      try service.createGrant(on: foreign, to: "somebody", for: [.decrypt])
    }
  }
}
