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

/// The right to replace a file, which one process has at a time; it ends with its owner.
package struct FolderLock: ~Copyable {
  private let folder: Descriptor
  private let file: Path

  fileprivate init(_ folder: consuming Descriptor, for file: Path) {
    self.folder = folder
    self.file = file
  }

  /// Makes sure that the lock is still one: whoever replaced the folder meanwhile has not waited for it.
  ///
  /// - Throws: `fileFailure` where the folder is gone or another.
  package func check() throws(EnvelopeError) {
    let place = file.resolved.folder
    guard (try? folder.isStill(at: place)) ?? false else {
      throw EnvelopeError(
        .fileFailure, "The folder \(place) was moved or removed meanwhile, and with it the lock on \(file)",
        advice: "Nothing was written. Look what became of it, and try again.")
    }
  }
}

extension Path {
  /// Waits until no other process has the file's lock, and takes it.
  ///
  /// The folder is what is locked: it stays while the file is replaced. It is the one that the file is really in,
  /// so that those who come by a link wait too.
  package func lock() throws(EnvelopeError) -> FolderLock {
    while true {
      // It waits in the system, so there is one.
      if let lock = try lock(LOCK_EX) { return lock }
    }
  }

  /// The same for whoever holds the lock while something else is waited for: the thread is left to others meanwhile, one
  /// of whom may have the lock.
  ///
  /// - Throws: `fileFailure`; `CancellationError` where the task is cancelled while it waits.
  package func lockLeavingThread() async throws -> FolderLock {
    var pause = Duration.milliseconds(1)
    while true {
      if let lock = try lock(LOCK_EX | LOCK_NB) { return lock }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(32))
    }
  }

  /// Takes the lock, or returns nil where somebody has it and that is not waited for.
  private func lock(_ operation: Int32) throws(EnvelopeError) -> FolderLock? {
    while true {
      let place = resolved.folder
      let folder = try place.openForReading()
      while flock(folder.number, operation) != 0 {
        if errno == EWOULDBLOCK { return nil }
        guard errno == EINTR else { throw .system("Cannot lock \(place)") }
      }
      // Whoever waited may have the lock of a folder that has been replaced since.
      guard try folder.isStill(at: resolved.folder) else { continue }
      return FolderLock(folder, for: self)
    }
  }
}

extension Descriptor {
  /// Whether the path leads to what is open here.
  fileprivate func isStill(at path: Path) throws(EnvelopeError) -> Bool {
    var (here, there) = (stat(), stat())
    guard unsafe fstat(number, &here) == 0, unsafe stat(path.string, &there) == 0 else {
      throw .system("Cannot look at \(path)")
    }
    return here.st_dev == there.st_dev && here.st_ino == there.st_ino
  }
}
