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
  /// Gives this file permissions, and the times of another.
  ///
  /// - Throws: `fileFailure`.
  func set(mode: mode_t, timesOf other: stat, at path: Path) throws(EnvelopeError) {
    guard fchmod(number, mode) == 0 else { throw .system("Cannot set the permissions of \(path)") }
    let times = [other.times.accessed, other.times.modified].map {
      timespec(tv_sec: $0.seconds, tv_nsec: $0.nanoseconds)
    }
    guard unsafe times.withUnsafeBufferPointer({ unsafe futimens(number, $0.baseAddress) }) == 0 else {
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

/// When a file was last read, written, and changed in any way, its attributes among them.
struct FileTimes {
  let accessed: FileTime
  let modified: FileTime
  let changed: FileTime
}

extension stat {
  var times: FileTimes {
    #if canImport(Darwin)
      FileTimes(accessed: FileTime(st_atimespec), modified: FileTime(st_mtimespec), changed: FileTime(st_ctimespec))
    #else
      FileTimes(accessed: FileTime(st_atim), modified: FileTime(st_mtim), changed: FileTime(st_ctim))
    #endif
  }
}
