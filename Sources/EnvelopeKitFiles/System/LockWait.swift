// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// How long to wait for a lock that another process holds.
package struct LockWait: Sendable {
  /// After how long to give up.
  package var limit: Duration
  /// Receives a sentence about what is waited for: once, after a second or right before giving up.
  package var notify: (@Sendable (String) -> Void)?

  package static let defaultLimit = Duration.seconds(60)
  private static let noticeDelay = Duration.seconds(1)

  package init(limit: Duration = LockWait.defaultLimit, notify: (@Sendable (String) -> Void)? = nil) {
    self.limit = limit
    self.notify = notify
  }

  /// The state of one wait.
  struct Attempts {
    private let wait: LockWait
    private let start = ContinuousClock.now
    private var pause = Duration.milliseconds(1)
    private var hasNotified = false

    init(_ wait: LockWait) { self.wait = wait }

    /// Returns how long to pause before the next attempt, after one that failed.
    ///
    /// - Parameters:
    ///   - file: What the lock is for.
    ///   - advice: What to do if no process releases the lock.
    /// - Throws: `fileBusy` if the limit has passed.
    mutating func next(for file: Path, advice: () -> String) throws(EnvelopeError) -> Duration {
      let elapsed = ContinuousClock.now - start
      guard hasNotified || elapsed < min(LockWait.noticeDelay, wait.limit) else {
        hasNotified = true
        wait.notify?("Waiting for another process that is changing \(file), for at most \(wait.limit.inSeconds)")
        return .zero
      }
      guard elapsed < wait.limit else {
        throw EnvelopeError(
          .fileBusy, "Another process has held the lock of \(file) for more than \(wait.limit.inSeconds)",
          advice: advice())
      }
      defer { pause = min(pause * 2, .milliseconds(32)) }
      return pause
    }
  }
}

extension Duration {
  fileprivate var inSeconds: String { components.seconds == 1 ? "1 second" : "\(components.seconds) seconds" }
}
