// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The right to replace a file, which one process has at a time and which ends with its owner.
///
/// What is locked is an empty file beside the one to replace, with mode 0600: a user who cannot open it cannot hold its
/// lock. The lock file is removed at the end; one that a killed process left is taken over. On a file system without
/// locks, the lock file itself is the lock for as long as it exists.
package struct FileLock: ~Copyable {
  private let folder: Descriptor
  private let lockFile: Descriptor
  private let name: String
  private let file: Path

  fileprivate init(folder: consuming Descriptor, lockFile: consuming Descriptor, named name: String, for file: Path) {
    self.folder = folder
    self.lockFile = lockFile
    self.name = name
    self.file = file
  }

  deinit {
    // Removed while it is locked: a process that waits for it finds that its name is gone, and begins anew.
    if lockFile.isNamed(name, in: folder) { unsafe unlinkat(folder.number, name, 0) }
  }

  /// Makes sure that the lock still counts: a process that found another folder at this path has not waited for it.
  ///
  /// - Throws: `fileFailure` if the folder was moved, or the lock file removed.
  package func check() throws(EnvelopeError) {
    let place = file.lockPlace.folder
    guard folder.isStill(at: place), lockFile.isNamed(name, in: folder) else {
      throw EnvelopeError(
        .fileFailure, "The folder \(place) was moved or removed meanwhile, and with it the lock on \(file)",
        advice: "Nothing was written. Find the folder, and run the command again.")
    }
  }
}

extension Path {
  /// Takes the lock of a file, and waits for it on this thread.
  ///
  /// A path through a symbolic link has the same lock.
  ///
  /// - Throws: `fileBusy` if another process holds the lock past the limit; `fileFailure`.
  package func lock(_ wait: LockWait = LockWait()) throws(EnvelopeError) -> FileLock {
    var attempts = LockWait.Attempts(wait)
    while true {
      var isByExistence = false
      if let lock = try attemptLock(&isByExistence) { return lock }
      pauseThread(for: try attempts.next(for: self) { lockAdvice(isByExistence: isByExistence) })
    }
  }

  /// Takes the lock of a file, and leaves the thread to other tasks while it waits: one of them may hold the lock.
  ///
  /// - Throws: `fileBusy` if another process holds the lock past the limit; `fileFailure`; `CancellationError` if the
  ///   task is cancelled while it waits.
  package func lockLeavingThread(_ wait: LockWait = LockWait()) async throws -> FileLock {
    var attempts = LockWait.Attempts(wait)
    while true {
      var isByExistence = false
      if let lock = try attemptLock(&isByExistence) { return lock }
      try await Task.sleep(for: attempts.next(for: self) { lockAdvice(isByExistence: isByExistence) })
    }
  }

  private static let lockSuffix = ".envelope-lock"

  /// Whether a file of this name is the lock file of another.
  package static func isLockFile(_ name: String) -> Bool {
    name.utf8.first == UInt8(ascii: ".") && name.utf8.suffix(lockSuffix.utf8.count).elementsEqual(lockSuffix.utf8)
  }

  /// The lock file, beside the file that links lead to.
  package var lockPlace: Path {
    let target = resolved
    return target.folder.appending(".\(target.keptName)\(Self.lockSuffix)")
  }

  /// Takes the lock, or returns nil if another process holds it.
  private func attemptLock(_ isByExistence: inout Bool) throws(EnvelopeError) -> FileLock? {
    let place = lockPlace
    let folder = try place.folder.openForReading()
    var number = unsafe openat(
      folder.number, place.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    let isNew = number >= 0
    if !isNew {
      guard errno == EEXIST else {
        throw .system(
          "Cannot create a lock file beside \(self)",
          advice: "A file is changed by replacing it, so its folder must be one that you can write to.")
      }
      // Without waiting, in case it is a pipe.
      number = unsafe openat(folder.number, place.name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard number >= 0 else {
        // It was released meanwhile, or is another user's.
        guard [ENOENT, EACCES, EPERM, ELOOP].contains(errno) else {
          throw .system("Cannot open the lock file \(place)")
        }
        return nil
      }
    }
    let lockFile = Descriptor(number)
    guard try lockFile.status(of: place).isRegular else { return nil }
    do throws(EnvelopeError) {
      switch try AdvisoryLock.attempt(on: number, of: place) {
      case .taken: break
      case .held: return nil
      case .unsupported:
        isByExistence = true
        guard isNew else { return nil }
      }
    } catch {
      if isNew { unsafe unlinkat(folder.number, place.name, 0) }
      throw error
    }
    // The process that waited may have the lock of a file or a folder that is gone.
    guard lockFile.isNamed(place.name, in: folder), folder.isStill(at: lockPlace.folder) else { return nil }
    return FileLock(folder: folder, lockFile: lockFile, named: place.name, for: self)
  }

  private func lockAdvice(isByExistence: Bool) -> String {
    let place = lockPlace
    var status = stat()
    guard unsafe lstat(place.string, &status) == 0 else { return "Run the command again." }
    guard mode_t(status.st_mode) & S_IFMT == S_IFREG, status.st_size == 0 else {
      return "\(place) is where its lock file belongs, and is none. Find out who put it there, and move it away."
    }
    guard status.st_uid == geteuid() else {
      return "Its lock file \(place) belongs to the user with the id \(status.st_uid). Have that user end the process "
        + "that holds it. If there is none, it was left behind: \(place.advice(running: "rm"))"
    }
    guard isByExistence else { return "Its lock file is \(place). Wait for the other process to end, or end it." }
    return "This file system has no locks, so the file counts as locked for as long as \(place) exists. "
      + "If no process is changing the file: \(place.advice(running: "rm"))"
  }
}

extension Descriptor {
  /// Whether the path leads to what is open here.
  fileprivate func isStill(at path: Path) -> Bool {
    var (here, there) = (stat(), stat())
    guard unsafe fstat(number, &here) == 0, unsafe stat(path.string, &there) == 0 else { return false }
    return here.isSame(as: there)
  }
}
