// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

/// What each state of a key refuses, written down from the key service's manual and not from the code.
@Suite(.timeLimit(.minutes(20))) struct KeyStateTests {
  private typealias State = FakeKeyService.KeyState
  private static let states: [State] = [
    .enabled, .disabled, .pendingDeletion, .pendingImport, .unavailable, .creating, .updating,
  ]

  /// What is done, and for each state in the order above `.` for allowed, D and I for the two refusals.
  private static let table: [(operation: String, answers: String)] = [
    ("generate", ".DIIII."), ("wrap", ".DIIII."), ("unwrap", ".DIIII."), ("createGrant", ".DII.I."),
    ("describe", "......."), ("retireGrant", "......."), ("revokeGrant", "......."), ("createAlias", "..I...."),
    ("moveAliasTo", "..I...."), ("moveAliasFrom", "......."), ("removeAlias", "......."), ("enable", "..II.II"),
    ("disable", "..II.II"), ("scheduleDeletion", "..I...."), ("cancelDeletion", "II.IIII"), ("rotate", ".DIIIII"),
  ]

  private static let cases = table.flatMap { row in
    zip(states, row.answers).map { (row.operation, $0, $1) }
  }

  @Test func theTableIsWhole() {
    #expect(Set(Self.states) == Set(State.allCases) && Self.states.count == State.allCases.count)
    #expect(Self.table.allSatisfy { $0.answers.count == Self.states.count })
  }

  @Test(arguments: cases)
  func matrix(operation: String, state: FakeKeyService.KeyState, answer: Character) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/key")
    let other = try service.createKey(alias: "alias/other")
    let grant = try service.createGrant(on: key, to: "somebody", for: [.decrypt])
    let keyring = service.keyring(for: key)
    let generated = try await keyring.generateDataKey(for: [:])
    let dataKey = try DataKey.generate()
    try service.setState(state, of: key)
    let comment = "\(operation), \(state.rawValue)"
    func perform() async throws {
      switch operation {
      case "generate": _ = try await keyring.generateDataKey(for: [:])
      case "wrap": _ = try await keyring.wrap(dataKey, for: [:])
      case "unwrap": _ = try await keyring.unwrap(generated.wrapped, for: [:])
      case "createGrant": _ = try service.createGrant(on: key, to: "somebody", for: [.encrypt])
      case "describe": #expect(try service.state(of: key) == state)
      case "retireGrant": try service.retireGrant(grant, as: .owner)
      case "revokeGrant": try service.revokeGrant(grant)
      case "createAlias": try service.createAlias("alias/new", for: key)
      case "moveAliasTo": try service.moveAlias("alias/other", to: key)
      case "moveAliasFrom": try service.moveAlias("alias/key", to: other)
      case "removeAlias": try service.removeAlias("alias/key")
      case "enable": try service.enable(key)
      case "disable": try service.disable(key)
      case "scheduleDeletion": try service.scheduleDeletion(of: key, inDays: 7)
      case "cancelDeletion": try service.cancelDeletion(of: key)
      case "rotate": try service.rotate(key)
      default: Issue.record("\(operation) is none")
      }
    }
    switch answer {
    case ".": try await perform()
    case "D": await expectRefusal(.keyDisabled, "DisabledException", comment) { try await perform() }
    default: await expectRefusal(.keyInvalidState, "KMSInvalidStateException", comment) { try await perform() }
    }
    let after: [String: FakeKeyService.KeyState] = [
      "enable": .enabled, "disable": .disabled, "scheduleDeletion": .pendingDeletion, "cancelDeletion": .disabled,
    ]
    #expect(try service.state(of: key) == (answer == "." ? after[operation] ?? state : state), "\(comment)")
  }

  /// A new key may begin in any state.
  @Test(arguments: FakeKeyService.KeyState.allCases)
  func createdIn(state: FakeKeyService.KeyState) throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a", state: state)
    #expect(try service.state(of: key) == state)
    #expect(try service.keyID(named: "alias/a") == key)
    service.timePasses(days: 30)
    if state == .pendingDeletion {
      expectRefusal(.keyNotFound, "NotFoundException") { try service.state(of: key) }
    } else {
      #expect(try service.state(of: key) == state)
    }
  }

  @Test(arguments: [Int.min, -1, 0, 6, 31, .max]) func aWindowOf(days: Int) throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    expectRefusal(.invalidArgument, "ValidationException") { try service.scheduleDeletion(of: key, inDays: days) }
    #expect(try service.state(of: key) == .enabled)
  }

  @Test(arguments: [7, 30]) func aDeletedKeyIsGoneWhenItsWindowIsOver(days: Int) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    let kept = try service.createKey(alias: "alias/kept")
    let grant = try service.createGrant(on: key, to: "somebody", for: [.decrypt])
    let keyring = service.keyring(for: key)
    let generated = try await keyring.generateDataKey(for: ["function": "f"])
    try service.scheduleDeletion(of: key, inDays: days)
    service.timePasses(days: -1)
    service.timePasses(days: days - 1)
    #expect(try service.state(of: key) == .pendingDeletion)
    await expectRefusal(.keyInvalidState, "KMSInvalidStateException") {
      try await keyring.unwrap(generated.wrapped, for: ["function": "f"])
    }
    service.timePasses(days: 1)
    for name in [key.string, "alias/a"] {
      await expectRefusal(.keyNotFound, "NotFoundException") {
        try await service.keyring(for: name).unwrap(generated.wrapped, for: ["function": "f"])
      }
      await expectRefusal(.keyNotFound, "NotFoundException") {
        try await service.keyring(for: name).generateDataKey(for: [:])
      }
    }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.cancelDeletion(of: key) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.enable(key) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.setState(.enabled, of: key) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.revokeGrant(grant) }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.removeAlias("alias/a") }
    // The alias is free again.
    try service.createAlias("alias/a", for: kept)
    #expect(try await service.keyring(for: "alias/kept").works())
  }

  @Test func aCancelledDeletionNeverComes() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let keyring = service.keyring(for: key)
    let generated = try await keyring.generateDataKey(for: ["function": "f"])
    try service.scheduleDeletion(of: key, inDays: 7)
    service.timePasses(days: 6)
    try service.cancelDeletion(of: key)
    service.timePasses(days: .max)
    service.timePasses(days: .max)
    await expectRefusal(.keyDisabled, "DisabledException") { try await keyring.unwraps(generated) }
    try service.enable(key)
    #expect(try await keyring.unwraps(generated))
  }

  @Test func whatOlderMaterialWrappedStillUnwraps() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let keyring = service.keyring(for: key)
    for _ in 0..<3 {
      let generated = try await keyring.generateDataKey(for: ["function": "f"])
      try service.rotate(key)
      #expect(try await keyring.unwraps(generated))
      #expect(try await keyring.works())
    }
  }

  @Test(arguments: ["", "EU", "eu central", "eu:central", "é", String(repeating: "a", count: 65)])
  func aServiceWithABadName(name: String) async {
    await expectRefusal(.invalidArgument) { try FakeKeyService(region: name) }
    await expectRefusal(.invalidArgument) { try FakeKeyService(account: name) }
  }
}
