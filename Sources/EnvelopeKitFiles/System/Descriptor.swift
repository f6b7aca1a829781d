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

/// An open file, closed with its owner.
package struct Descriptor: ~Copyable {
  package let number: Int32

  /// Takes over an open file.
  package init(_ number: Int32) { self.number = number }

  /// Opens a file that is open once more; the two share their position.
  ///
  /// - Throws: `fileFailure` if it cannot be opened.
  package init(copying number: Int32, of path: Path) throws(EnvelopeError) {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw .system("Cannot use \(path)") }
    self.init(copy)
  }

  deinit { close(number) }

  /// Who owns the file and who may use it.
  package struct Status {
    package let owner: UInt32
    package let mode: UInt32
    package let isRegular: Bool
    package let byteCount: Int
  }

  package func status(of path: Path) throws(EnvelopeError) -> Status {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else { throw .system("Cannot look at \(path)") }
    let type = mode_t(status.st_mode) & S_IFMT
    return Status(
      owner: status.st_uid, mode: UInt32(status.st_mode) & 0o7777, isRegular: type == S_IFREG,
      byteCount: Int(status.st_size))
  }

  /// Reads to the end into memory that is wiped, whatever its kind: a file, a pipe, a terminal.
  ///
  /// - Throws: `fileFailure` where reading fails or there are more than `limit` bytes.
  package func readAll(limit: Int, of path: Path) throws(EnvelopeError) -> SecretBytes {
    let status = try status(of: path)
    var capacity = min(limit, status.isRegular ? status.byteCount : 0) + 4096
    var bytes = SecretBytes(byteCount: 0) { _ in }
    var isAtEnd = false
    while !isAtEnd {
      bytes = try SecretBytes(byteCount: capacity) { (output) throws(EnvelopeError) in
        bytes.withBytes { output.append($0) }
        isAtEnd = try fill(&output, from: path)
      }
      guard bytes.byteCount <= limit else {
        throw EnvelopeError(
          .fileFailure, "\(path) is longer than \(limit) bytes", advice: "Check that it is the right file.")
      }
      capacity *= 2
    }
    return bytes
  }

  /// Reads a part of a file, which must be there, of bytes that are not secret.
  package func readPart(_ range: Range<Int>, of path: Path) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: range.count) { (output) throws(EnvelopeError) in
      try readAll(at: range.lowerBound, byteCount: range.count, into: &output, of: path)
      guard output.byteCount == range.count else { throw .system("Cannot read \(path)") }
    }
  }

  /// Reads from where the file stands until the buffer is full or the file ends, and returns whether it ended.
  package func fill(_ output: inout OutputRawSpan, from path: Path) throws(EnvelopeError) -> Bool {
    while output.freeCapacity > 0 {
      var count = 0
      unsafe output.withUnsafeMutableBytes { buffer, initialized in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[initialized...])
        count = unsafe read(number, rest.baseAddress, rest.count)
        initialized += max(count, 0)
      }
      if count == 0 { return true }
      guard count > 0 || errno == EINTR else { throw .system("Cannot read \(path)") }
    }
    return false
  }

  /// Has the system write to the disk which names this folder holds, where the file system can.
  ///
  /// - Throws: `fileFailure`; the file itself is in place all the same.
  package func syncFolder(of path: Path) throws(EnvelopeError) {
    guard fsync(number) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw .system("Cannot sync the folder of \(path)")
    }
  }

  /// Writes all bytes.
  package func writeAll(_ bytes: RawSpan, to path: Path) throws(EnvelopeError) {
    try unsafe writeAll(bytes, to: path) { part, _ in unsafe write(number, part.baseAddress, part.count) }
  }

  /// Writes all bytes by calls that each write some, or none and set `errno`.
  ///
  /// - Parameter write: Receives the rest, and how many bytes were written before.
  func writeAll(
    _ bytes: RawSpan, to path: Path, by write: (UnsafeRawBufferPointer, _ done: Int) -> Int
  ) throws(EnvelopeError) {
    var done = 0
    while done < bytes.byteCount {
      let count = unsafe bytes.extracting(droppingFirst: done).withUnsafeBytes { unsafe write($0, done) }
      // Some file systems write nothing and report no error: that would never end.
      if count == 0 { errno = EIO }
      guard count > 0 || errno == EINTR else { throw .system("Cannot write \(path)") }
      done += max(count, 0)
    }
  }
}

extension Path {
  /// Opens the file for reading.
  package func openForReading() throws(EnvelopeError) -> Descriptor {
    let number = unsafe open(string, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw .system("Cannot open \(self)") }
    return Descriptor(number)
  }

  /// Opens the file for reading, and refuses a pipe or device: opening a pipe waits for a writer.
  ///
  /// `/dev/null` is allowed, because settings name it instead of an empty file.
  ///
  /// - Throws: `fileFailure` if there is no file, or it cannot be opened.
  package func openFileForReading() throws(EnvelopeError) -> Descriptor {
    guard try kind != .other || resolved == Path("/dev/null") else {
      throw EnvelopeError(.fileFailure, "\(self) is not a file", advice: "Give the path of a file.")
    }
    return try openForReading()
  }

  /// What there is at a path.
  package enum Kind {
    case nothing
    case file
    /// A folder, a pipe, a terminal or another device.
    case other
  }

  /// What there is at the path, links followed.
  package var kind: Kind {
    get throws(EnvelopeError) {
      guard exists else { return .nothing }
      var status = stat()
      guard unsafe stat(string, &status) == 0 else { throw .system("Cannot look at \(self)") }
      return mode_t(status.st_mode) & S_IFMT == S_IFREG ? .file : .other
    }
  }

  /// Whether there is anything at the path.
  package var exists: Bool {
    var status = stat()
    return unsafe stat(string, &status) == 0 || errno != ENOENT
  }
}
