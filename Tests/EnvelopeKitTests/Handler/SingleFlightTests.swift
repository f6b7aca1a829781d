// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// However many ask at once, the keyring is asked once.
@Suite(.timeLimit(.minutes(20))) struct SingleFlightTests {
  private let callers = 200

  private func secrets(failures: Int = 0) async throws -> (HandlerSecrets, GatedKeyring) {
    let keyset = KeysetKeyring(try .generate())
    let sealed = try await SealedEnvironment.seal(Planted.values, context: ["function": "f"], using: keyset)
    let keyring = GatedKeyring(keyset, failures: failures)
    return (HandlerSecrets(using: keyring, function: "f", variables: sealed.variables), keyring)
  }

  @Test func manyCallersOneUnwrap() async throws {
    let (secrets, keyring) = try await secrets()
    let asked = Counter()
    let passwords = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<callers {
        group.addTask {
          try await secrets.openedOnceAsked {
            if asked.increment() == callers { keyring.gate.open() }
          }.require("PASSWORD").revealingString()
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(passwords == Array(repeating: Planted.password, count: callers))
    #expect(keyring.unwraps.value == 1)
    _ = try await secrets.opened()
    #expect(keyring.unwraps.value == 1)
  }

  @Test func aFailureIsToldToAllAndThenTriedAgain() async throws {
    let (secrets, keyring) = try await secrets(failures: 1)
    let asked = Counter()
    let failures = await withTaskGroup(of: (any Error)?.self) { group in
      for _ in 0..<callers {
        group.addTask {
          do {
            _ = try await secrets.openedOnceAsked {
              if asked.increment() == callers { keyring.gate.open() }
            }
            return nil
          } catch { return error }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(failures.count { ($0 as? EnvelopeError)?.code == .keyServiceUnavailable } == callers)
    #expect(keyring.unwraps.value == 1)
    #expect(try await secrets.opened().strings == Planted.values)
    #expect(keyring.unwraps.value == 2)
  }

  /// Whoever was told of a failure and asks at once gets a new try, not the old failure again.
  @Test func nobodyIsToldOfOneFailureTwice() async throws {
    for _ in 0..<20 {
      let (secrets, keyring) = try await secrets(failures: 1)
      let asked = Counter()
      let opened = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<callers {
          group.addTask {
            do {
              _ = try await secrets.openedOnceAsked {
                if asked.increment() == callers { keyring.gate.open() }
              }
              return false
            } catch { return (try? await secrets.opened()) != nil }
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(opened == callers)
      #expect(keyring.unwraps.value == 2)
    }
  }

  @Test func cancellingTheFirstCallerDoesNotFailTheOthers() async throws {
    let (secrets, keyring) = try await secrets()
    let first = Task { try await secrets.opened() }
    await keyring.begun.wait()
    first.cancel()
    let asked = Counter()
    let opened = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 {
        group.addTask {
          try await secrets.openedOnceAsked { if asked.increment() == 20 { keyring.gate.open() } }.names.count
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(opened == 20 * Planted.values.count)
    #expect(keyring.unwraps.value == 1)
    _ = await first.result
  }

  @Test func aCallerThatWasCancelledBeforeItAskedDoesNotFailTheOthers() async throws {
    let (secrets, keyring) = try await secrets()
    keyring.gate.open()
    let hold = Gate()
    let first = Task {
      await hold.wait()
      return try await secrets.opened()
    }
    first.cancel()
    hold.open()
    _ = await first.result
    #expect(try await secrets.opened().strings == Planted.values)
    #expect(keyring.unwraps.value == 1)
  }
}

extension HandlerSecrets {
  /// Asks like `opened`, and tells when there is nothing between the caller and the wait.
  fileprivate func openedOnceAsked(_ asked: @Sendable () -> Void) async throws -> OpenedEnvironment {
    asked()
    return try await opened()
  }
}
