// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

@Suite(.timeLimit(.minutes(20))) struct FaultTests {
  private typealias Fault = FakeKeyService.Fault

  /// The names of what became of some calls, one after the other.
  private func outcomes(_ count: Int, _ keyring: FakeKeyring) async -> [String] {
    var outcomes: [String] = []
    for _ in 0..<count {
      do {
        _ = try await keyring.generateDataKey(for: [:])
        outcomes.append("ok")
      } catch {
        outcomes.append((error as? EnvelopeError).map { $0.serviceError ?? $0.code.rawValue } ?? "\(error)")
      }
    }
    return outcomes
  }

  private let t = "ThrottlingException"
  private let i = "KMSInternalException"
  private let u = "KeyUnavailableException"

  @Test(arguments: [
    (FakeKeyService.Fault.throttling, EnvelopeError.Code.keyServiceThrottled, "ThrottlingException"),
    (.internalFailure, .keyServiceUnavailable, "KMSInternalException"),
    (.keyUnavailable, .keyServiceUnavailable, "KeyUnavailableException"),
  ])
  func eachFault(fault: FakeKeyService.Fault, code: EnvelopeError.Code, name: String) async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    let generated = try await keyring.generateDataKey(for: [:])
    let dataKey = try DataKey.generate()
    service.fail(next: 3, with: fault)
    await expectRefusal(code, name) { try await keyring.generateDataKey(for: [:]) }
    await expectRefusal(code, name) { try await keyring.wrap(dataKey, for: [:]) }
    await expectRefusal(code, name) { try await keyring.unwrap(generated.wrapped, for: [:]) }
    #expect(try await keyring.works())
    #expect(service.calls.dropFirst().prefix(3).allSatisfy { $0.outcome == .failed(name) })
  }

  @Test func anOutageHasNoNameAndNoRequest() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    service.fail(next: 1)
    service.isDown = true
    #expect(service.isDown)
    for _ in 0..<3 {
      let error = await expectRefusal(.keyServiceUnavailable) { try await keyring.works() }
      #expect(error?.serviceError == nil && error?.requestID == nil && error?.advice == "Try again.")
    }
    service.isDown = false
    #expect(await outcomes(2, keyring) == [t, "ok"])
    service.fail(next: 1, with: .unreachable)
    #expect(await outcomes(2, keyring) == ["keyServiceUnavailable", "ok"])
    #expect(service.calls.map(\.outcome).filter { $0 == .failed("") }.count == 4)
  }

  @Test func faultsComeInOrder() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    service.fail(next: 2, with: .throttling)
    service.fail(next: 1, with: .internalFailure)
    service.fail(next: 0, with: .keyUnavailable)
    service.fail(next: -1, with: .keyUnavailable)
    #expect(await outcomes(5, keyring) == [t, t, i, "ok", "ok"])
  }

  @Test func faultsOfOneOperation() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    let generated = try await keyring.generateDataKey(for: ["function": "f"])
    service.fail(next: 1, with: .throttling, of: [.decrypt])
    service.fail(next: 1, with: .keyUnavailable, of: [.encrypt])
    #expect(await outcomes(3, keyring) == ["ok", "ok", "ok"])
    await expectRefusal(.keyServiceThrottled, t) { try await keyring.unwraps(generated) }
    #expect(try await keyring.unwraps(generated))
    service.stopFailing()
    let dataKey = try DataKey.generate()
    _ = try await keyring.wrap(dataKey, for: [:])
  }

  @Test func everyNthCall() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    service.fail(every: 3, with: .keyUnavailable)
    #expect(await outcomes(7, keyring) == ["ok", "ok", u, "ok", "ok", u, "ok"])
    // Counted anew.
    service.fail(every: 2)
    #expect(await outcomes(4, keyring) == ["ok", t, "ok", t])
    service.fail(every: 1)
    #expect(await outcomes(2, keyring) == [t, t])
    for interval in [0, -1, .min] {
      service.fail(every: interval)
      #expect(await outcomes(2, keyring) == ["ok", "ok"])
    }
    service.fail(every: 1)
    service.fail(next: 5)
    service.isDown = true
    service.stopFailing()
    #expect(await outcomes(2, keyring) == ["ok", "ok"])
  }

  /// A service that is throttled says nothing about keys, not even that there are none.
  @Test func aFaultComesBeforeAnythingElse() async throws {
    let service = try FakeKeyService()
    service.fail(every: 1)
    #expect(await outcomes(1, service.keyring(for: "alias/none")) == [t])
    let key = try service.createKey(state: .disabled)
    #expect(await outcomes(1, service.keyring(for: key, as: "nobody")) == [t])
  }

  @Test func manyCallsAtOnceMeetExactlyAsManyFaults() async throws {
    let service = try FakeKeyService()
    let keyring = service.keyring(for: try service.createKey())
    service.fail(next: 30, with: .throttling)
    let failures = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<100 { group.addTask { (try? await keyring.generateDataKey(for: [:])) == nil } }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(failures == 30)
    #expect(service.calls.count { $0.outcome == .succeeded } == 70)
    #expect(Set(service.calls.map(\.requestID)).count == 100)
  }
}
