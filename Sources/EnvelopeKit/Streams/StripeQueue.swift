// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The numbers of the stripes of some work, each handed to one of several workers.
///
/// A stripe is a few neighbouring chunks, so that the workers stay close together in a file.
package final class StripeQueue: Sendable {
  private let count: Int
  private let next = Atomic(0)
  private let failure = Mutex<EnvelopeError?>(nil)

  /// - Parameter count: How many stripes there are.
  package init(count: Int) { self.count = count }

  /// The next stripe that no worker has taken; nil if there is none, a worker has failed, or ``stop()`` was called.
  package func take() -> Int? {
    let stripe = next.wrappingAdd(1, ordering: .relaxed).oldValue
    return stripe < count ? stripe : nil
  }

  /// Hands out no more stripes.
  package func stop() { next.store(count, ordering: .relaxed) }

  /// Runs a worker on each of some cores, and returns when all have ended.
  ///
  /// The caller's thread is one of them.
  ///
  /// - Parameters:
  ///   - coreCount: The most workers.
  ///   - worker: Takes stripes until there are none. It runs on several threads at once, which the compiler does not
  ///     check: it must share only what is safe to share, and memory of which each stripe has its own part.
  /// - Throws: The first error of a worker.
  package func run(coreCount: Int, _ worker: () throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    let workerCount = min(coreCount, count)
    guard workerCount > 1 else { return try worker() }
    withoutActuallyEscaping(worker) { worker in
      // The caller vouches that it may run on several threads; all have ended when `concurrentPerform` returns.
      nonisolated(unsafe) let worker = worker
      DispatchQueue.concurrentPerform(iterations: workerCount) { _ in
        do throws(EnvelopeError) {
          try unsafe worker()
        } catch {
          stop()
          failure.withLock { $0 = $0 ?? error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// The number of cores that are online, at most 16: more need more memory, and wait for the disk.
  package static var availableCoreCount: Int { min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 16) }
}
