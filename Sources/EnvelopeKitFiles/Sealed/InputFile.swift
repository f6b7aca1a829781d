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
final class InputFile: Sendable {
  let file: Descriptor
  let path: Path
  /// Nil for a stream: a pipe, a device, or a file that the kernel makes up as it is read.
  let byteCount: Int?
  private let status: stat

  private init(
    _ file: consuming Descriptor, _ path: Path, canBeStream: Bool, isAtBeginning: Bool
  ) throws(EnvelopeError) {
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .system("Cannot look at \(path)") }
    guard mode_t(status.st_mode) & S_IFMT != S_IFDIR else {
      throw EnvelopeError(.fileFailure, "\(path) is a folder", advice: "Give the path of a file.")
    }
    let isStream = !isAtBeginning || !status.isRegularFile || status.st_size == 0
    guard canBeStream || !isStream else {
      throw EnvelopeError(
        .fileFailure, "\(path) is empty, or is not a regular file", advice: "Give the path of a sealed file.")
    }
    self.file = file
    self.path = path
    self.status = status
    byteCount = isStream ? nil : Int(status.st_size)
  }

  /// Opens a file or a standard stream, and waits for the other side of a named pipe.
  ///
  /// - Throws: `fileFailure` if it cannot be opened, or is a folder.
  static func open(_ place: FilePlace) throws(EnvelopeError) -> InputFile {
    switch place {
    case .path(let string):
      let number = Self.open(string, O_RDONLY | O_CLOEXEC)
      guard number >= 0 else { throw .system("Cannot open \(Path(string))") }
      return try InputFile(Descriptor(number), Path(string), canBeStream: true, isAtBeginning: true)
    case .standardInput:
      let path = Path.stream("standard input")
      // It may not stand at its beginning.
      return try InputFile(Descriptor(copying: STDIN_FILENO, of: path), path, canBeStream: true, isAtBeginning: false)
    case .standardOutput:
      throw EnvelopeError(.invalidArgument, "Standard output cannot be read")
    }
  }

  /// Opens a regular file that is not empty, and waits for nothing.
  ///
  /// - Throws: `fileFailure` if it cannot be opened, or is anything else.
  static func openRegular(_ string: String) throws(EnvelopeError) -> InputFile {
    let number = open(string, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard number >= 0 else { throw .system("Cannot open \(Path(string))") }
    return try InputFile(Descriptor(number), Path(string), canBeStream: false, isAtBeginning: true)
  }

  private static func open(_ path: String, _ flags: Int32) -> Int32 {
    #if canImport(Darwin)
      unsafe Darwin.open(path, flags)
    #elseif canImport(Glibc)
      unsafe Glibc.open(path, flags)
    #elseif canImport(Musl)
      unsafe Musl.open(path, flags)
    #endif
  }

  /// Refuses a file that was written to since it was opened.
  ///
  /// - Throws: `fileFailure`.
  func checkIsUnchanged() throws(EnvelopeError) {
    guard byteCount != nil else { return }
    var now = stat()
    guard unsafe fstat(file.number, &now) == 0 else { throw .system("Cannot look at \(path)") }
    // A file that loses its name has another time of change, and the same content.
    guard now.st_size == status.st_size, now.times.modified == status.times.modified,
      now.times.changed == status.times.changed || now.st_nlink != status.st_nlink
    else { throw changed }
  }

  /// Refuses to go on if another file has the name by now.
  ///
  /// - Throws: `fileFailure`.
  func checkIsStillInPlace() throws(EnvelopeError) {
    var now = stat()
    guard unsafe stat(path.string, &now) == 0, now.isSame(as: status) else {
      throw EnvelopeError(
        .fileFailure, "\(path) was replaced meanwhile, and was left as it is now", advice: "Run the command again.")
    }
  }

  /// The failure of a file that was written to while it was read.
  var changed: EnvelopeError {
    EnvelopeError(
      .fileFailure, "\(path) was changed while it was read",
      advice: "Run the command again when nothing writes to the file, or take a snapshot of it.")
  }

  /// Gives a new file the permissions and the times of this one, if this is a file.
  ///
  /// - Parameter isSecret: Whether other users may have rights on it only if this user gave them such rights on this file:
  ///   permissions are not authenticated.
  /// - Throws: `fileFailure`.
  func giveAttributes(to other: borrowing Descriptor, at path: Path, isSecret: Bool) throws(EnvelopeError) {
    guard status.isRegularFile else { return }
    let kept: mode_t = isSecret && status.st_uid != geteuid() ? 0o700 : 0o777
    try other.set(mode: mode_t(status.st_mode) & kept, timesOf: status, at: path)
  }
}
