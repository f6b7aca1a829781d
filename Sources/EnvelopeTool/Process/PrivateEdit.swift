// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Lets a person edit secrets in an editor of their own, over a private file that is wiped afterwards.
enum PrivateEdit {
  /// Edits the text of variables.
  ///
  /// Signals that would end the process are put off until the file has been wiped.
  ///
  /// - Parameters:
  ///   - text: What the person finds in the editor.
  ///   - name: What the private file is called, from which editors tell what it holds.
  /// - Returns: What was written, or nil where nothing was changed.
  /// - Throws: `fileFailure` where the editor fails, `malformed` where a line cannot be read and the person
  ///   does not want to correct it.
  static func edit(_ text: borrowing SecretBytes, as name: String) throws(EnvelopeError) -> OpenedEnvironment? {
    let signals = SignalPause()
    defer { signals.end() }
    let folder = try makeFolder()
    defer { wipe(folder) }
    let file = folder.appending(name)
    try text.withBytes { (text) throws(EnvelopeError) in try file.replace(with: text, mode: 0o600, keepsMode: false) }
    while true {
      try runEditor(on: file)
      let edited = try file.openForReading().readAll(limit: Document.byteLimit, of: file)
      let isSame = edited.withBytes { edited in text.withBytes { $0.equalsInConstantTime(edited) } }
      if isSame { return nil }
      do throws(EnvelopeError) {
        return try edited.withBytes { (edited) throws(EnvelopeError) in try VariablesText.read(edited) }
      } catch {
        guard Console.inputIsTerminal else { throw error }
        Console.say("envelope: \(error)")
        guard try Console.confirm("Edit again? Otherwise your changes are lost.") else { throw error }
      }
    }
  }

  /// A new folder for this user alone, in memory where the system has a place for that.
  private static func makeFolder() throws(EnvelopeError) -> Path {
    let places = [
      ProcessEnvironment.value(of: "XDG_RUNTIME_DIR"), "/dev/shm", ProcessEnvironment.value(of: "TMPDIR"), "/tmp",
    ].compactMap(\.self)
    for place in places where place.utf8.first == UInt8(ascii: "/") {
      let folder = Path(place).appending("envelope-\(Base64URL.encode(try Randomness.bytes(12)))")
      if unsafe mkdir(folder.string, 0o700) == 0 { return folder }
    }
    throw .system(
      "Cannot make a private folder for the editor", advice: "Set TMPDIR to a folder that you can write to.")
  }

  private static func runEditor(on file: Path) throws(EnvelopeError) {
    let editor = ["VISUAL", "EDITOR"].compactMap(ProcessEnvironment.value(of:)).first { !$0.isEmpty } ?? "vi"
    // The shell splits an editor with arguments, such as "code --wait"; the file's path is an argument of its own.
    let status = try Shell.run("\(editor) \"$1\"", argument: file.string)
    guard status == 0 else {
      throw EnvelopeError(
        .fileFailure, "The editor failed with status \(status), and nothing was changed",
        advice: "Set EDITOR to the command of your editor.")
    }
  }

  /// Overwrites and removes every file in the folder, such as the backups that editors make, and the folder.
  private static func wipe(_ folder: Path) {
    guard let stream = unsafe opendir(folder.string) else { return }
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      let path = folder.appending(name)
      if path.isFolderItself {
        wipe(path)
      } else {
        try? path.overwriteWithZeros()
        unsafe unlink(path.string)
      }
    }
    unsafe closedir(stream)
    if unsafe rmdir(folder.string) != 0 {
      Console.say("envelope: cannot remove \(folder): remove it yourself, it held secrets")
    }
  }
}

extension Path {
  /// Whether it is a folder, and not a link to one.
  fileprivate var isFolderItself: Bool {
    var status = stat()
    return unsafe lstat(string, &status) == 0 && mode_t(status.st_mode) & S_IFMT == S_IFDIR
  }

  /// Overwrites the content in place, for what little that does on the storage of today.
  fileprivate func overwriteWithZeros() throws(EnvelopeError) {
    // Without waiting, should it be a pipe.
    let number = unsafe open(string, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { throw .system("Cannot open \(self)") }
    let file = Descriptor(number)
    let count = try file.status(of: self).byteCount
    let zeros = [UInt8](repeating: 0, count: min(max(count, 0), Document.byteLimit))
    try unsafe file.writeAll(zeros.span.bytes, to: self)
    fsync(number)
  }
}
