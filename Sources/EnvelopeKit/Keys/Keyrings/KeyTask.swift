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

  private let task: Task<Void, any Error>
  private let fetched = Fetched()

  /// Starts the task.
  init(_ fetch: @escaping @Sendable () async throws -> Key) {
    task = Task { [fetched] in
      let key = try await fetch()
      fetched.key.withLock { $0 = key }
    }
  }

  /// The key, once it is there.
  ///
  /// - Throws: What fetching it threw.
  var key: Key {
    get async throws {
      try await task.value
      guard let key = fetched.key.withLock({ $0 }) else { preconditionFailure("The task has fetched a key or thrown") }
      return key
    }
  }
}
