// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Work that waits for files, pipes and locks, on a thread of its own.
///
/// The threads that run tasks are as many as there are cores: work that waits on them could keep every task from running,
/// the one that it waits for among them.
package enum BlockingWork {
  private final class Job: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs work that does not throw, for other modules: the compiler does not export a closure with a typed error.
  ///
  /// - Throws: `systemFailure` if there is no thread.
  package static func value<R: Sendable>(of body: @escaping @Sendable () -> R) async throws -> R {
    try await run { () throws(EnvelopeError) in body() }
  }

  /// Runs `body` on a new thread, and waits for it without blocking one.
  ///
  /// - Throws: `systemFailure` if there is no thread; what `body` throws.
  static func run<R: Sendable>(_ body: @escaping @Sendable () throws(EnvelopeError) -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      let job = unsafe Unmanaged.passRetained(
        Job {
          do throws(EnvelopeError) {
            continuation.resume(returning: try body())
          } catch {
            continuation.resume(throwing: error)
          }
        })
      #if canImport(Darwin)
        var thread: pthread_t?
        let status = unsafe pthread_create(
          &thread, nil,
          { argument in
            unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
            return nil
          }, job.toOpaque())
      #else
        var thread = pthread_t()
        let status = unsafe pthread_create(
          &thread, nil,
          { argument in
            if let argument = unsafe argument { unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
          }, job.toOpaque())
      #endif
      guard status == 0 else {
        unsafe job.release()
        return continuation.resume(
          throwing: EnvelopeError(.systemFailure, "Cannot start a thread", advice: "Raise the limit of threads."))
      }
      #if canImport(Darwin)
        if let thread = unsafe thread { unsafe pthread_detach(thread) }
      #else
        pthread_detach(thread)
      #endif
    }
  }
}
