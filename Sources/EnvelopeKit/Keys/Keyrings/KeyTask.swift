// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A task that fetches a key for several callers.
///
/// The thread that ran a task may keep the task's result for longer than the caller that waited. So the key is not the
/// result of the task: it is gone with the last copy of this.
struct KeyTask<Key: Sendable>: Sendable {
  private final class Fetched: Sendable {
    let key = Mutex<Key?>(nil)
  }

  private let waiters = TaskWaiters()
  private let fetched = Fetched()

  /// Starts the task.
  init(_ fetch: @escaping @Sendable () async throws -> Key) {
    let task = Task { [fetched] in
      let key = try await fetch()
      fetched.key.withLock { $0 = key }
    }
    // Another task: when the callers go on, the first one has released the key.
    Task { [waiters] in waiters.finish(await task.result) }
  }

  /// The key, once it is there.
  ///
  /// Cancelling a caller ends its wait and leaves the task to the others.
  ///
  /// - Throws: What fetching it threw; `CancellationError`.
  var key: Key {
    get async throws {
      try await waiters.wait()
      guard let key = fetched.key.withLock({ $0 }) else { preconditionFailure("The task has fetched a key or thrown") }
      return key
    }
  }
}

/// Callers that wait for a task, each of which may be cancelled alone.
private final class TaskWaiters: Sendable {
  private struct State {
    var outcome: Result<Void, any Error>?
    var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    var count = 0
  }

  private let state = Mutex(State())

  func finish(_ outcome: Result<Void, any Error>) {
    let waiters = state.withLock { state in
      state.outcome = outcome
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume(with: outcome) }
  }

  func wait() async throws {
    let number = state.withLock { state in
      state.count += 1
      return state.count
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
        let outcome = state.withLock { state -> Result<Void, any Error>? in
          if let outcome = state.outcome { return outcome }
          // The handler of a caller that was cancelled already has run, and found no waiter.
          if Task.isCancelled { return .failure(CancellationError()) }
          state.waiters[number] = waiter
          return nil
        }
        if let outcome { waiter.resume(with: outcome) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(throwing: CancellationError())
    }
  }
}
