// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit
internal import Synchronization

extension FakeKeyService {
  /// A failure that comes on command.
  public enum Fault: Sendable, Hashable, CaseIterable {
    /// Too many requests: `keyServiceThrottled`, ThrottlingException.
    case throttling
    /// The service fails inside: `keyServiceUnavailable`, KMSInternalException.
    case internalFailure
    /// The key cannot be had just now: `keyServiceUnavailable`, KeyUnavailableException.
    case keyUnavailable
    /// Nobody answers: `keyServiceUnavailable` without a service's name for it and without a request id.
    case unreachable
  }

  /// Lets the next calls fail, after those that are to fail already.
  ///
  /// - Parameters:
  ///   - count: How many; fewer than 1 are none.
  ///   - fault: How.
  ///   - operations: The calls that are meant; others pass and are not counted.
  public func fail(
    next count: Int, with fault: Fault = .throttling, of operations: Set<Operation> = Set(Operation.allCases)
  ) {
    guard count > 0 else { return }
    state.withLock { $0.faults.coming.append(Faults.Coming(fault: fault, operations: operations, count: count)) }
  }

  /// Lets every nth call fail from now on: with 3, the third, the sixth and so on.
  ///
  /// - Parameters:
  ///   - interval: n; with 1 every call fails, and fewer end it.
  ///   - fault: How.
  public func fail(every interval: Int, with fault: Fault = .throttling) {
    state.withLock { $0.faults.recurring = interval > 0 ? Faults.Recurring(fault: fault, interval: interval) : nil }
  }

  /// Whether nobody answers; every call fails as ``Fault/unreachable``, and uses up no other failure.
  public var isDown: Bool {
    get { state.withLock { $0.faults.isDown } }
    set { state.withLock { $0.faults.isDown = newValue } }
  }

  /// Takes back every failure that is still to come, and ends an outage.
  public func stopFailing() { state.withLock { $0.faults = Faults() } }

  /// The failures that are to come.
  struct Faults: Sendable {
    struct Coming: Sendable {
      let fault: Fault
      let operations: Set<Operation>
      var count: Int
    }
    struct Recurring: Sendable {
      let fault: Fault
      let interval: Int
      var calls = 0
    }

    var isDown = false
    var coming: [Coming] = []
    var recurring: Recurring?

    /// The failure that meets a call, if any does.
    mutating func next(for operation: Operation) -> Fault? {
      guard !isDown else { return .unreachable }
      recurring?.calls += 1
      if let index = coming.firstIndex(where: { $0.operations.contains(operation) }) {
        coming[index].count -= 1
        let fault = coming[index].fault
        if coming[index].count == 0 { coming.remove(at: index) }
        return fault
      }
      guard let recurring, recurring.calls.isMultiple(of: recurring.interval) else { return nil }
      return recurring.fault
    }
  }
}

extension FakeKeyService.Fault {
  func error(number: Int) -> EnvelopeError {
    switch self {
    case .throttling:
      FakeKeyService.Refusal(.throttling, "The key service gets more requests than it allows").error(number: number)
    case .internalFailure:
      FakeKeyService.Refusal(.internalFailure, "The key service failed inside").error(number: number)
    case .keyUnavailable:
      FakeKeyService.Refusal(.keyUnavailable, "The key is not to be had just now").error(number: number)
    case .unreachable:
      EnvelopeError(.keyServiceUnavailable, "The key service does not answer", advice: "Try again.")
    }
  }
}
