// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit
internal import Synchronization

/// A key service inside the process that behaves as AWS KMS does: for tests of what uses a key service.
///
/// Keys have states, aliases, versions and grants, data keys are truly wrapped, and failures come on command. It holds
/// nothing that outlives it, and is safe to share between tasks. Printing, dumping or reflecting it shows no key.
///
/// Every method that throws throws ``EnvelopeError`` with what AWS KMS calls the failure in `serviceError` and a
/// request id that counts up.
public final class FakeKeyService: Sendable {
  /// What stands before `key/…` and `alias/…` in the names of its keys.
  let prefix: String
  let state = Mutex(State())

  /// Makes a service without keys.
  ///
  /// - Parameters:
  ///   - region: Part of its keys' names: two services differ only where keys must not be taken for each other's.
  ///   - account: Part of its keys' names.
  /// - Throws: `invalidArgument` where either is not 1 to 64 lowercase letters, digits and hyphens.
  public init(region: String = "local", account: String = "111122223333") throws(EnvelopeError) {
    for part in [region, account] {
      guard (1...64).contains(part.utf8.count),
        part.utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d })
      else {
        throw EnvelopeError(
          .invalidArgument, "A region or an account must be 1 to 64 lowercase letters, digits and hyphens")
      }
    }
    prefix = "arn:fake:kms:\(region):\(account):"
  }

  /// All that changes, under one lock that is never held over a suspension.
  struct State: Sendable {
    var keys: [KeyID: Key] = [:]
    var aliases: [String: KeyID] = [:]
    var grants: [String: GrantRecord] = [:]
    /// Every token ever handed out: one of a grant that is gone is known, and permits nothing.
    var grantTokens: Set<String> = []
    var areGrantsDelayed = false
    /// Days since the service was made.
    var today = 0
    var faults = Faults()
    var hold = Hold()
    var log = CallLog()
  }

  /// A key and who may use it.
  struct Key: Sendable {
    let id: KeyID
    var state: KeyState
    /// The versions of its material; the last one encrypts.
    var material: [WrappingKey]
    /// The day of its destruction, where one has been scheduled.
    var deletionDay: Int?
    var rules: [Principal: Rule] = [:]
  }

  /// Lets `body` change the state as one call of somebody who manages keys.
  func manage<R: Sendable>(_ body: (inout State) throws(Refusal) -> R) throws(EnvelopeError) -> R {
    let result = state.withLock { state in
      let number = state.log.nextNumber()
      return Result { () throws(Refusal) in try body(&state) }.mapError { $0.error(number: number) }
    }
    return try result.get()
  }
}

extension FakeKeyService: CustomReflectable, CustomStringConvertible {
  /// The number of keys.
  public var description: String { "FakeKeyService(\(state.withLock { $0.keys.count }) keys)" }

  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
