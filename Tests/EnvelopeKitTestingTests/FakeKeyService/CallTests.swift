// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

@Suite(.timeLimit(.minutes(20))) struct CallTests {
  @Test func everyUseIsInTheLog() async throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(alias: "alias/a"), try service.createKey())
    try service.deny([.encrypt], on: b, for: .owner)
    let dataKey = try DataKey.generate()
    let generated = try await service.keyring(for: "alias/a").generateDataKey(for: [:])
    _ = try? await service.keyring(for: b).wrap(dataKey, for: [:])
    _ = try? await service.keyring(for: b, as: "somebody").generateDataKey(for: [:])
    _ = try? await service.keyring(for: a).unwrap(generated.wrapped, for: ["other": "context"])
    _ = try? await service.keyring(for: "alias/none").generateDataKey(for: [:])
    _ = try await service.keyring(for: a).unwrap(generated.wrapped, for: [:])
    let calls = service.calls
    #expect(
      calls.map(\.operation) == [.generateDataKey, .encrypt, .generateDataKey, .decrypt, .generateDataKey, .decrypt])
    #expect(calls.map(\.key) == [a, b, b, a, nil, a])
    #expect(calls.map(\.principal) == [.owner, .owner, "somebody", .owner, .owner, .owner])
    #expect(
      calls.map(\.outcome) == [
        .succeeded, .failed("AccessDeniedException"), .failed("AccessDeniedException"),
        .failed("InvalidCiphertextException"), .failed("NotFoundException"), .succeeded,
      ])
    #expect(calls.map(\.requestID) == calls.map(\.requestID).sorted() && Set(calls.map(\.requestID)).count == 6)
    #expect(service.callCount() == 6)
    #expect(service.callCount(of: .generateDataKey) == 3 && service.callCount(of: .decrypt) == 2)
    #expect(service.callCount(for: a) == 3 && service.callCount(for: b) == 2)
    #expect(service.callCount(of: .encrypt, for: a) == 0 && service.callCount(of: .encrypt, for: b) == 1)
  }

  @Test func aForgottenLogCountsOn() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    #expect(try await service.keyring(for: key).works())
    let last = try #require(service.calls.last?.requestID)
    service.forgetCalls()
    #expect(service.calls.isEmpty && service.callCount() == 0)
    #expect(try await service.keyring(for: key).works())
    #expect(service.callCount() == 2)
    #expect(try #require(service.calls.first?.requestID) > last)
  }

  @Test func aCallForgottenWhileItIsHeldStaysForgotten() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    service.hold()
    let call = Task { try await service.keyring(for: key).generateDataKey(for: [:]).wrapped }
    try await service.waitForHeldCalls(1)
    service.forgetCalls()
    service.release()
    _ = try await call.value
    #expect(service.calls.isEmpty)
  }

  @Test func anErrorNamesItsRequest() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: "alias/none")
    let first = await expectRefusal(.keyNotFound, "NotFoundException") { try await keyring.works() }
    let second = await expectRefusal(.keyNotFound, "NotFoundException") { try await keyring.works() }
    #expect(service.calls.map(\.requestID) == [first?.requestID, second?.requestID])
    #expect("\(try #require(first))".contains(try #require(first?.requestID)))
  }

  /// What is refused before it is sent is no call.
  @Test(arguments: [["": "v"], ["k": ""], ["k": String(repeating: "v", count: 8188)]])
  func aContextThatBreaksALimit(pairs: [String: String]) async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    let generated = try await keyring.generateDataKey(for: [:])
    let dataKey = try DataKey.generate()
    let context = EncryptionContext(pairs.map { (key: $0, value: $1) })
    await expectRefusal(.invalidArgument) { try await keyring.generateDataKey(for: context) }
    await expectRefusal(.invalidArgument) { try await keyring.wrap(dataKey, for: context) }
    await expectRefusal(.invalidArgument) { try await keyring.unwrap(generated.wrapped, for: context) }
    #expect(service.callCount() == 1)
  }
}
