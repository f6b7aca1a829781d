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

/// A file to read: a regular one, whose length is known and which is read at any offset, or a stream.
struct InputFile: ~Copyable {
  let file: Descriptor
  let path: Path
  /// Nil for a stream: a pipe, a device, or a file that the kernel makes up as it is read.
  let byteCount: Int?
  private let status: stat

  /// Opens a file or a standard stream.
  ///
  /// - Throws: `fileFailure` if it cannot be opened, or is a folder.
  init(_ place: FilePlace) throws(EnvelopeError) {
    let (number, path) = try Self.number(place)
    let file = Descriptor(number)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .system("Cannot look at \(path)") }
    guard mode_t(status.st_mode) & S_IFMT != S_IFDIR else {
      throw EnvelopeError(.fileFailure, "\(path) is a folder", advice: "Give the path of a file.")
    }
    self.file = file
    self.path = path
    self.status = status
    // A standard stream may not stand at its beginning, and files of /proc state no length.
    if case .path = place, status.isRegularFile, status.st_size > 0 {
      byteCount = Int(status.st_size)
    } else {
      byteCount = nil
    }
  }

  private static func number(_ place: FilePlace) throws(EnvelopeError) -> (Int32, Path) {
    switch place {
    case .path(let string):
      let number = unsafe open(string, O_RDONLY | O_CLOEXEC)
      guard number >= 0 else { throw .system("Cannot open \(Path(string))") }
      return (number, Path(string))
    case .standardInput:
      let copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
      guard copy >= 0 else { throw .system("Cannot use standard input") }
      return (copy, .stream("standard input"))
    case .standardOutput:
      throw EnvelopeError(.invalidArgument, "Standard output cannot be read")
    }
  }

  /// Refuses a file that was written to since it was opened.
  ///
  /// - Throws: `fileFailure`.
  func checkIsUnchanged() throws(EnvelopeError) {
    var now = stat()
    guard byteCount != nil else { return }
    guard unsafe fstat(file.number, &now) == 0 else { throw .system("Cannot look at \(path)") }
    guard now.st_size == status.st_size, now.modified == status.modified else { throw changed }
  }

  /// The failure of a file that was written to while it was read.
  var changed: EnvelopeError {
    EnvelopeError(
      .fileFailure, "\(path) was changed while it was read",
      advice: "Run the command again when nothing writes to the file, or take a snapshot of it.")
  }

  /// Gives a new file the permissions and times of this one, if this is a file.
  ///
  /// - Throws: `fileFailure`.
  func giveAttributes(to other: borrowing Descriptor, at path: Path) throws(EnvelopeError) {
    guard status.isRegularFile else { return }
    guard fchmod(other.number, mode_t(status.st_mode) & 0o777) == 0 else {
      throw .system("Cannot set the permissions of \(path)")
    }
    let times = [status.accessed, status.modified].map { timespec(tv_sec: $0.seconds, tv_nsec: $0.nanoseconds) }
    guard unsafe times.withUnsafeBufferPointer({ unsafe futimens(other.number, $0.baseAddress) }) == 0 else {
      throw .system("Cannot set the times of \(path)")
    }
  }
}

/// A point of time, as the file system has it.
private struct FileTime: Equatable {
  let seconds: Int
  let nanoseconds: Int
}

extension stat {
  fileprivate var modified: FileTime {
    #if canImport(Darwin)
      FileTime(seconds: st_mtimespec.tv_sec, nanoseconds: st_mtimespec.tv_nsec)
    #else
      FileTime(seconds: Int(st_mtim.tv_sec), nanoseconds: Int(st_mtim.tv_nsec))
    #endif
  }

  fileprivate var accessed: FileTime {
    #if canImport(Darwin)
      FileTime(seconds: st_atimespec.tv_sec, nanoseconds: st_atimespec.tv_nsec)
    #else
      FileTime(seconds: Int(st_atim.tv_sec), nanoseconds: Int(st_atim.tv_nsec))
    #endif
  }
}
