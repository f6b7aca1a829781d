// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

@Suite(.timeLimit(.minutes(20))) struct AccessTests {
  private typealias Operation = FakeKeyService.Operation

  /// Which of the three a keyring may do, as the service decides.
  private func allowed(_ keyring: FakeKeyring, on key: KeyID, of service: FakeKeyService) async throws
    -> Set<FakeKeyService.Operation>
  {
    let owner = try await service.keyring(for: key).generateDataKey(for: ["function": "f"])
    let dataKey = try DataKey.generate()
    var allowed: Set<Operation> = []
    func attempt(_ operation: Operation, _ body: () async throws -> Void) async {
      do {
        try await body()
        allowed.insert(operation)
      } catch {
        let error = error as? EnvelopeError
        #expect(error?.code == .keyAccessDenied && error?.serviceError == "AccessDeniedException")
      }
    }
    await attempt(.generateDataKey) { _ = try await keyring.generateDataKey(for: ["function": "f"]) }
    await attempt(.encrypt) { _ = try await keyring.wrap(dataKey, for: ["function": "f"]) }
    await attempt(.decrypt) { _ = try await keyring.unwrap(owner.wrapped, for: ["function": "f"]) }
    return allowed
  }

  @Test(arguments: FakeKeyService.Operation.allCases) func oneOperation(operation: FakeKeyService.Operation)
    async throws
  {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let other = try service.createKey()
    let keyring = service.keyring(for: key, as: "somebody")
    #expect(try await allowed(keyring, on: key, of: service) == [])
    try service.allow([operation], on: other, for: "somebody")
    try service.allow([operation], on: key, for: "somebody else")
    #expect(try await allowed(keyring, on: key, of: service) == [])
    try service.allow([operation], on: key, for: "somebody")
    #expect(try await allowed(keyring, on: key, of: service) == [operation])
    try service.deny([operation], on: key, for: "somebody")
    #expect(try await allowed(keyring, on: key, of: service) == [])
    try service.allow(on: key, for: "somebody")
    #expect(try await allowed(keyring, on: key, of: service) == Set(Operation.allCases))
  }

  @Test func aPrincipalOfOtherBytesIsAnother() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    try service.allow(on: key, for: "Ren\u{e9}")
    #expect(try await service.keyring(for: key, as: "Ren\u{e9}").works())
    for name: FakeKeyService.Principal in ["Rene\u{301}", "Rene", "ren\u{e9}", "", "owner "] {
      await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
        try await service.keyring(for: key, as: name).works()
      }
    }
  }

  @Test func theOwnerCanBeDenied() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    let keyring = service.keyring(for: "alias/a")
    let generated = try await keyring.generateDataKey(for: ["function": "f"])
    try service.deny([.decrypt], on: key, for: .owner)
    let error = await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await keyring.unwraps(generated) }
    #expect(error?.message.contains("owner") == true && error?.message.contains(key.string) == true)
    _ = try await keyring.generateDataKey(for: [:])
    try service.allow([.decrypt], on: key, for: .owner)
    #expect(try await keyring.unwraps(generated))
  }

  /// Whoever may not use a key does not learn its state.
  @Test(arguments: FakeKeyService.KeyState.allCases)
  func denialComesBeforeTheState(state: FakeKeyService.KeyState) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(state: state)
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
      try await service.keyring(for: key, as: "somebody").generateDataKey(for: [:])
    }
  }

  @Test func aDenialBeatsAGrantAndItsToken() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let grant = try service.createGrant(on: key, to: "somebody", for: [.decrypt, .generateDataKey])
    let keyring = service.keyring(for: key, as: "somebody", grantTokens: [grant.token])
    #expect(try await keyring.works())
    try service.deny([.decrypt], on: key, for: "somebody")
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") { try await keyring.works() }
  }

  @Test func rulesForNoKey() throws {
    let service = try FakeKeyService()
    let key = try FakeKeyService(region: "elsewhere").createKey()
    expectRefusal(.keyNotFound, "NotFoundException") { try service.allow(on: key, for: "somebody") }
    expectRefusal(.keyNotFound, "NotFoundException") { try service.deny(on: key, for: .owner) }
  }
}
