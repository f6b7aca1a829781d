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

extension Path {
  /// Does something to the file while every other process that would do so waits.
  ///
  /// The folder is what is locked: it stays while the file is replaced. It is the one that the file is really in,
  /// so that those who come by a link wait too.
  package func withLock<R>(_ body: () throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
    while true {
      let place = resolved.folder
      let folder = try place.openForReading()
      while flock(folder.number, LOCK_EX) != 0 {
        guard errno == EINTR else { throw .system("Cannot lock \(place)") }
      }
      // Whoever waited may have the lock of a folder that has been replaced since.
      guard try folder.isStill(at: resolved.folder) else { continue }
      // Closing the folder ends the lock.
      return try body()
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
