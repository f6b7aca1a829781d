// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Synchronization
import Testing

/// Several keyrings that call services, such as AWS KMS in several Regions.
@Suite(.timeLimit(.minutes(20))) struct MultiKeyringServiceTests {
  private let keyset: Keyset
  private let local: KeysetKeyring
  private let context: EncryptionContext = ["function": "f"]

  init() throws {
    keyset = try Keyset.generate()
    local = KeysetKeyring(keyset)
  }

  private func entry() async throws -> [WrappedDataKey] { try await local.generateDataKey(for: context).wrapped }

  /// A keyring of a service that responds when the test says so.
  private final class Service: Keyring {
    let began = Gate()
    let cancelled = Gate()
    private let responds: Gate?
    private let result: Result<KeysetKeyring, EnvelopeError>
    let calls = Counter()

    init(_ result: Result<KeysetKeyring, EnvelopeError>, after responds: Gate? = nil) {
      (self.result, self.responds) = (result, responds)
    }

    var callsService: Bool { true }

    func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      try await result.get().generateDataKey(for: context)
    }

    func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
      try await result.get().wrap(dataKey, for: context)
    }

    func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      calls.increment()
      began.open()
      if let responds {
        await withTaskCancellationHandler {
          await responds.wait()
        } onCancel: {
          cancelled.open()
          responds.open()
        }
        try Task.checkCancellation()
      }
      return try await result.get().unwrap(wrapped, for: context)
    }
  }

  /// A multi-keyring whose pauses end when the gate opens, or when they are cancelled.
  private func keyring(_ keyrings: [any Keyring], pausing gate: Gate) throws -> MultiKeyring {
    var keyring = try MultiKeyring(keyrings)
    keyring.pause = {
      await withTaskCancellationHandler {
        await gate.wait()
      } onCancel: {
        gate.open()
      }
      try Task.checkCancellation()
    }
    return keyring
  }

  private func failure(_ code: EnvelopeError.Code, _ message: String) -> Result<KeysetKeyring, EnvelopeError> {
    .failure(EnvelopeError(code, message, serviceError: "Error"))
  }

  @Test func callsNextServiceBesideOneThatDoesNotRespond() async throws {
    let (hung, pause) = (Service(.success(local), after: Gate()), Gate())
    let other = Service(.success(local))
    let keyring = try keyring([hung, other], pausing: pause)
    let wrapped = try await entry()
    let task = Task { [context] in try await keyring.unwrap(wrapped, for: context).source }
    await hung.began.wait()
    #expect(other.calls.value == 0)
    pause.open()
    #expect(try await task.value == wrapped[0])
    await hung.cancelled.wait()
    #expect(hung.calls.value == 1 && other.calls.value == 1)
  }

  @Test func callsNextServiceAtOnceIfOneFails() async throws {
    let (failing, other) = (Service(failure(.keyServiceUnavailable, "down")), Service(.success(local)))
    let keyring = try keyring([failing, other], pausing: Gate())
    let wrapped = try await entry()
    #expect(try await keyring.unwrap(wrapped, for: context).source == wrapped[0])
  }

  @Test func callsNoOtherServiceIfTheFirstResponds() async throws {
    let (first, other) = (Service(.success(local)), Service(.success(local)))
    let keyring = try keyring([first, other], pausing: Gate())
    _ = try await keyring.unwrap(entry(), for: context)
    #expect(first.calls.value == 1 && other.calls.value == 0)
  }

  @Test func callsNoServiceIfALocalKeyUnwraps() async throws {
    let service = Service(.success(local))
    _ = try await keyring([local, service], pausing: Gate()).unwrap(entry(), for: context)
    #expect(service.calls.value == 0)
  }

  @Test func firstServiceStillWinsAfterTheSecondWasCalled() async throws {
    let (responds, pause) = (Gate(), Gate())
    let (slow, hung) = (Service(.success(local), after: responds), Service(.success(local), after: Gate()))
    let keyring = try keyring([slow, hung], pausing: pause)
    let wrapped = try await entry()
    let task = Task { [context] in try await keyring.unwrap(wrapped, for: context).source }
    pause.open()
    await hung.began.wait()
    responds.open()
    #expect(try await task.value == wrapped[0])
    await hung.cancelled.wait()
  }

  @Test func reportsEachReasonIfAllFail() async throws {
    let first = Service(failure(.keyServiceUnavailable, "one did not respond"))
    let (second, third) = (Service(failure(.keyAccessDenied, "two denies")), Service(failure(.keyDisabled, "three")))
    let (none, same) = (KeysetKeyring(try Keyset.generate()), Service(failure(.keyDisabled, "one did not respond")))
    let keyring = try keyring([none, first, second, none, third, same], pausing: Gate())
    let error = await #expect(throws: EnvelopeError.self) { try await keyring.unwrap(entry(), for: context).source }
    #expect(error?.code == .keyServiceUnavailable)
    #expect(error?.message == "one did not respond; and two denies; and three")
  }

  @Test func keepsTheErrorOfOneServiceAsItIs() async throws {
    let failing = Service(failure(.keyAccessDenied, "denied"))
    let keyring = try keyring([KeysetKeyring(try Keyset.generate()), failing], pausing: Gate())
    let error = await #expect(throws: EnvelopeError.self) { try await keyring.unwrap(entry(), for: context).source }
    #expect(error == EnvelopeError(.keyAccessDenied, "denied", serviceError: "Error"))
  }

  @Test func saysThatNoKeyIsHeldIfNoneIs() async throws {
    let stranger = KeysetKeyring(try Keyset.generate())
    let keyring = try keyring([Service(.success(stranger)), Service(.success(stranger))], pausing: Gate())
    let wrapped = try await entry()
    let error = await #expect(throws: EnvelopeError.self) { try await keyring.unwrap(wrapped, for: context).source }
    #expect(error == EnvelopeError.keyNotFound(among: wrapped))
  }

  @Test func cancellationEndsTheWaitForAllServices() async throws {
    let pause = Gate()
    let services = (0..<3).map { _ in Service(.success(local), after: Gate()) }
    let keyring = try keyring(services, pausing: pause)
    let wrapped = try await entry()
    let task = Task { [context] in try await keyring.unwrap(wrapped, for: context).source }
    pause.open()
    for service in services { await service.began.wait() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    for service in services { await service.cancelled.wait() }
  }

  /// The caches stand where their page says, each in front of its service.
  @Test func aCacheOfAServiceThatHangsDoesNotHoldUpTheOthers() async throws {
    let (responds, pause) = (Gate(), Gate())
    let hung = GatedService(local, responds)
    let other = Service(.success(local))
    let first = try CachingKeyring(hung, maximumAge: .seconds(300))
    let second = try CachingKeyring(other, maximumAge: .seconds(300))
    let keyring = try keyring([first, second], pausing: pause)
    let wrapped = try await entry()
    let task = Task { [context] in try await keyring.unwrap(wrapped, for: context).source }
    await hung.began.wait()
    pause.open()
    #expect(try await task.value == wrapped[0])
    responds.open()
  }

  /// A keyring of a service that does not respond to cancellation.
  private final class GatedService: Keyring {
    let began = Gate()
    private let keyring: KeysetKeyring
    private let responds: Gate

    init(_ keyring: KeysetKeyring, _ responds: Gate) { (self.keyring, self.responds) = (keyring, responds) }

    var callsService: Bool { true }

    func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      try await keyring.generateDataKey(for: context)
    }

    func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
      try await keyring.wrap(dataKey, for: context)
    }

    func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      began.open()
      await responds.wait()
      return try await keyring.unwrap(wrapped, for: context)
    }
  }
}
