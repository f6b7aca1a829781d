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
  /// Opens a text in the editor until what the user wrote is accepted, or nothing more is changed.
  ///
  /// Signals that would end the process are put off until the file has been wiped.
  ///
  /// - Parameters:
  ///   - text: What the user finds in the editor.
  ///   - name: What the private file is called, from which editors tell what it holds.
  ///   - accept: Takes what was written. Returns nil to accept it, or the text to open the editor again with.
  /// - Returns: Whether a text was accepted; false if the user left the text as it was, or as it was refused before.
  /// - Throws: `fileFailure` if the editor fails; what `accept` throws.
  static func edit(
    _ text: consuming SecretBytes, as name: String, _ accept: (borrowing SecretBytes) async throws -> SecretBytes?
  ) async throws -> Bool {
    let signals = SignalPause()
    defer { signals.end() }
    let folder = try makeFolder()
    defer { wipe(folder) }
    let file = folder.appending(name)
    var shown = text
    var refused = SecretBytes(byteCount: 0) { _ in }
    var isFirst = true
    while true {
      try shown.withBytes { (text) throws(EnvelopeError) in try file.replace(with: text, mode: 0o600, keepsMode: false)
      }
      try runEditor(on: file)
      guard !signals.hasSignal else { return false }
      // Longer than what is accepted, so that the user gets it back.
      let edited = try file.openForReading().readAll(limit: byteLimit, of: file)
      if isSame(edited, shown) || !isFirst && isSame(edited, refused) { return false }
      guard let next = try await accept(edited) else { return true }
      shown = next
      refused = edited
      isFirst = false
    }
  }

  /// The maximum length of a text that is read back, in bytes.
  fileprivate static let byteLimit = 4 * Document.byteLimit

  private static func isSame(_ a: borrowing SecretBytes, _ b: borrowing SecretBytes) -> Bool {
    a.withBytes { a in b.withBytes { a.equalsInConstantTime($0) } }
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
    let zeros = [UInt8](repeating: 0, count: min(max(count, 0), PrivateEdit.byteLimit))
    try unsafe file.writeAll(zeros.span.bytes, to: self)
    fsync(number)
  }
}
