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

  /// Whether it is a file, and not a pipe or a device.
  var isRegular: Bool { status.isRegularFile }

  /// Refuses a file that was written to since it was opened.
  ///
  /// - Throws: `fileFailure`.
  func checkIsUnchanged() throws(EnvelopeError) {
    var now = stat()
    guard byteCount != nil else { return }
    guard unsafe fstat(file.number, &now) == 0 else { throw .system("Cannot look at \(path)") }
    guard now.st_size == status.st_size, now.times.modified == status.times.modified else { throw changed }
  }

  /// The failure of a file that was written to while it was read.
  var changed: EnvelopeError {
    EnvelopeError(
      .fileFailure, "\(path) was changed while it was read",
      advice: "Run the command again when nothing writes to the file, or take a snapshot of it.")
  }
}
