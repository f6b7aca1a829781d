// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit
internal import Synchronization

extension FakeKeyService {
  /// Holds every call from now on, until ``release()``: so a test can do something while calls are under way.
  ///
  /// A held call is in the log, and nothing of it has been decided. It ends at once where its task is cancelled.
  public func hold() { state.withLock { $0.hold.isOn = true } }

  /// Lets every held call go on, and holds no more.
  public func release() {
    let (calls, watchers) = state.withLock { state in
      state.hold.isOn = false
      defer { (state.hold.calls, state.hold.watchers) = ([:], [:]) }
      return (state.hold.calls, state.hold.watchers)
    }
    for (_, call) in calls.sorted(by: { $0.key < $1.key }) { call.resume() }
    for watcher in watchers.values { watcher.continuation.resume(throwing: EnvelopeError.notHolding) }
  }

  /// Lets the held call that came first go on, and holds the others.
  ///
  /// - Returns: Whether one was held.
  @discardableResult
  public func releaseFirst() -> Bool {
    let call = state.withLock { state in
      state.hold.calls.keys.min().flatMap { state.hold.calls.removeValue(forKey: $0) }
    }
    call?.resume()
    return call != nil
  }

  /// How many calls are held now.
  public var heldCallCount: Int { state.withLock { $0.hold.calls.count } }

  /// Waits until so many calls are held at once.
  ///
  /// - Throws: `invalidArgument` where calls are not held, or no longer; `CancellationError`.
  public func waitForHeldCalls(_ count: Int) async throws {
    let number = state.withLock { $0.log.nextNumber() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let result: Result<Void, any Error>? = state.withLock { state in
          // Whoever cancels after this look finds the continuation.
          if Task.isCancelled { return .failure(CancellationError()) }
          guard state.hold.isOn else { return .failure(EnvelopeError.notHolding) }
          guard state.hold.calls.count < count else { return .success(()) }
          state.hold.watchers[number] = Hold.Watcher(count: count, continuation: continuation)
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let watcher = state.withLock { $0.hold.watchers.removeValue(forKey: number) }
      watcher?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Waits until a call may go on; returns at once where calls are not held.
  func waitWhileHeld(_ number: Int) async throws(CancellationError) {
    do {
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          let (result, watchers) = state.withLock { state -> (Result<Void, any Error>?, [Hold.Watcher]) in
            if Task.isCancelled { return (.failure(CancellationError()), []) }
            guard state.hold.isOn else { return (.success(()), []) }
            state.hold.calls[number] = continuation
            return (nil, state.hold.takeSatisfiedWatchers())
          }
          if let result { continuation.resume(with: result) }
          for watcher in watchers { watcher.continuation.resume() }
        }
      } onCancel: {
        let call = state.withLock { $0.hold.calls.removeValue(forKey: number) }
        call?.resume(throwing: CancellationError())
      }
    } catch {
      throw CancellationError()
    }
  }

  /// The calls that are held, and who waits for there to be so many.
  struct Hold: Sendable {
    struct Watcher: Sendable {
      let count: Int
      let continuation: CheckedContinuation<Void, any Error>
    }

    var isOn = false
    var calls: [Int: CheckedContinuation<Void, any Error>] = [:]
    var watchers: [Int: Watcher] = [:]

    mutating func takeSatisfiedWatchers() -> [Watcher] {
      let satisfied = watchers.filter { $0.value.count <= calls.count }
      for number in satisfied.keys { watchers[number] = nil }
      return Array(satisfied.values)
    }
  }
}

extension EnvelopeError {
  fileprivate static let notHolding = EnvelopeError(
    .invalidArgument, "The key service does not hold calls, so none can be waited for",
    advice: "Call hold() first, and release() after the wait.")
}
