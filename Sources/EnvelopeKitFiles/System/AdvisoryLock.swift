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

/// The locks of the system on open files (`flock`), which end with the process that holds them.
package enum AdvisoryLock {
  /// The result of an attempt that does not wait.
  enum Attempt {
    case taken
    case held
    /// The file system has no such locks, as some network file systems.
    case unsupported
  }

  /// The system call.
  ///
  /// Tests replace it to act as a file system without locks.
  @TaskLocal package static var systemCall: @Sendable (_ file: Int32, _ operation: Int32) -> Int32 = { flock($0, $1) }

  private static let unsupported = [ENOLCK, EOPNOTSUPP, ENOTSUP, EINVAL, ENOSYS, EBADF]

  /// Attempts to take the lock of an open file.
  ///
  /// - Throws: `fileFailure` for any other failure.
  static func attempt(on number: Int32, shared: Bool = false, of path: Path) throws(EnvelopeError) -> Attempt {
    while systemCall(number, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return .held }
      if unsupported.contains(errno) { return .unsupported }
      guard errno == EINTR else { throw .system("Cannot lock \(path)") }
    }
    return .taken
  }
}

extension Descriptor {
  /// Takes the lock of this file itself.
  ///
  /// - Returns: False if another process holds it, nil if there are no locks.
  package func attemptLock() -> Bool? {
    switch try? AdvisoryLock.attempt(on: number, of: Path("")) {
    case .taken: true
    case .held: false
    case .unsupported, nil: nil
    }
  }

  /// Waits for the lock of this file itself, which ends when the file is closed.
  ///
  /// - Returns: Whether the file system has such locks.
  /// - Throws: `fileBusy` if another process holds the lock past the limit; `fileFailure`.
  func lock(shared: Bool = false, of path: Path, _ wait: LockWait) throws(EnvelopeError) -> Bool {
    var attempts = LockWait.Attempts(wait)
    while true {
      switch try AdvisoryLock.attempt(on: number, shared: shared, of: path) {
      case .taken: return true
      case .unsupported: return false
      case .held: pauseThread(for: try attempts.next(for: path) { "Wait for the other process to end, or end it." })
      }
    }
  }
}

func pauseThread(for duration: Duration) {
  usleep(UInt32(duration.components.attoseconds / 1_000_000_000_000))
}
