// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch

/// Runs an asynchronous function that never suspends, as those of local keyrings, on the caller's thread.
///
/// Another thread would take most of the time of a run.
public func immediately<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
  let place = Place<R>()
  Task.immediate {
    do {
      place.result = .success(try await body())
    } catch {
      place.result = .failure(error)
    }
  }
  guard let result = place.result else { fatalError("a local keyring suspended") }
  return try result.get()
}

/// Runs an asynchronous function that may suspend, and blocks the caller's thread until it has ended.
public func waiting<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
  let (place, hasEnded) = (Place<R>(), DispatchSemaphore(value: 0))
  Task.detached {
    do {
      place.result = .success(try await body())
    } catch {
      place.result = .failure(error)
    }
    hasEnded.signal()
  }
  hasEnded.wait()
  guard let result = place.result else { fatalError("a task has no result") }
  return try result.get()
}

// Written before it is read: the task has ended when `immediate` returns or the semaphore is signalled, or the process ends.
private final class Place<R>: @unchecked Sendable {
  var result: Result<R, any Error>?
}
