// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Runs asynchronous work on the first thread, which waits for more of it in between.
///
/// The first thread alone takes signals as the process was told to; those of a pool block nearly all, and a command
/// that was started from one would begin so.
final class MainThread: TaskExecutor {
  private let jobs = Mutex<[UnownedJob]>([])
  private let count = DispatchSemaphore(value: 0)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    count.signal()
  }

  /// Runs what is asked, and whatever it waits for, until the process ends.
  static func run(_ body: @escaping @Sendable () async -> Never) -> Never {
    let thread = MainThread()
    Task(executorPreference: thread) { await body() }
    while true {
      thread.count.wait()
      let job = thread.jobs.withLock { $0.removeFirst() }
      unsafe job.runSynchronously(on: thread.asUnownedTaskExecutor())
    }
  }
}
