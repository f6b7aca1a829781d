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

extension Descriptor {
  /// Gives another file the permissions of this one, but for those to act as its owner, and the times.
  ///
  /// - Throws: `fileFailure`.
  func giveModeAndTimes(to other: borrowing Descriptor, at path: Path) throws(EnvelopeError) {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else { throw .system("Cannot look at \(path)") }
    guard fchmod(other.number, mode_t(status.st_mode) & 0o777) == 0 else {
      throw .system("Cannot set the permissions of \(path)")
    }
    let times = [status.times.accessed, status.times.modified].map {
      timespec(tv_sec: $0.seconds, tv_nsec: $0.nanoseconds)
    }
    guard unsafe times.withUnsafeBufferPointer({ unsafe futimens(other.number, $0.baseAddress) }) == 0 else {
      throw .system("Cannot set the times of \(path)")
    }
  }
}

/// A point of time, as the file system has it.
struct FileTime: Equatable {
  let seconds: Int
  let nanoseconds: Int

  init(_ time: timespec) {
    seconds = Int(time.tv_sec)
    nanoseconds = Int(time.tv_nsec)
  }
}

extension stat {
  /// When the file was last read, and last written.
  var times: (accessed: FileTime, modified: FileTime) {
    #if canImport(Darwin)
      (FileTime(st_atimespec), FileTime(st_mtimespec))
    #else
      (FileTime(st_atim), FileTime(st_mtim))
    #endif
  }
}
