// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit
internal import Synchronization

extension FakeKeyService {
  /// One use of a key, as the log keeps it; it holds no secret.
  public struct Call: Sendable, Hashable {
    /// What became of a call.
    public enum Outcome: Sendable, Hashable {
      /// It is under way, or held.
      case pending
      /// It did what was asked for.
      case succeeded
      /// It failed with this name, `AccessDeniedException` say; the name is empty where nobody answered.
      case failed(String)
      /// The caller gave up while it was held.
      case cancelled
    }

    /// The id of the request, as in errors.
    public let requestID: String
    /// What was asked for.
    public let operation: Operation
    /// The key; nil where what the caller named is none.
    public internal(set) var key: KeyID?
    /// Who asked.
    public let principal: Principal
    /// What became of it.
    public internal(set) var outcome: Outcome
    let number: Int
  }

  /// Every use of a key since the service was made or ``forgetCalls()``, in the order of arrival.
  public var calls: [Call] { state.withLock { $0.log.calls } }

  /// How often keys were used, whatever became of it.
  ///
  /// - Parameters:
  ///   - operation: Counts this one alone; nil counts all.
  ///   - key: Counts the calls for this key alone; nil counts all.
  public func callCount(of operation: Operation? = nil, for key: KeyID? = nil) -> Int {
    state.withLock { state in
      state.log.calls.count { (operation == nil || $0.operation == operation) && (key == nil || $0.key == key) }
    }
  }

  /// Empties the log; request ids count on.
  public func forgetCalls() { state.withLock { $0.log.calls = [] } }

  /// What has been asked for.
  struct CallLog: Sendable {
    var calls: [Call] = []
    private var lastNumber = 0

    mutating func nextNumber() -> Int {
      lastNumber += 1
      return lastNumber
    }

    /// Notes what became of a call, unless it has been forgotten.
    mutating func conclude(_ number: Int, _ outcome: Call.Outcome) {
      // It is one of the last.
      guard let index = calls.lastIndex(where: { $0.number == number }) else { return }
      calls[index].outcome = outcome
    }

    mutating func setKey(_ key: KeyID?, of number: Int) {
      guard let index = calls.lastIndex(where: { $0.number == number }) else { return }
      calls[index].key = key
    }
  }
}
