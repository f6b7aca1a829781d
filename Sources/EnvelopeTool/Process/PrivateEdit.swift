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
  /// Signals that would end the process are put off until the file has been wiped. While the editor runs, SIGINT and
  /// SIGQUIT have no effect: a terminal sends them to the editor as well, which may go on, and its exit status decides.
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
    let folder = try PrivateFolder()
    let file = folder.path.appending(name)
    var shown = text
    var refused = SecretBytes(byteCount: 0) { _ in }
    var isFirst = true
    while true {
      try shown.withBytes { (text) throws(EnvelopeError) in try file.replace(with: text, Replacement(isSecret: true)) }
      guard try runEditor(on: file, signals) else { return false }
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
  private static let byteLimit = 4 * Document.byteLimit

  private static func isSame(_ a: borrowing SecretBytes, _ b: borrowing SecretBytes) -> Bool {
    a.withBytes { a in b.withBytes { a.equalsInConstantTime($0) } }
  }

  /// - Returns: Whether what the editor wrote counts; false if a signal ended it, or is to end this process.
  private static func runEditor(on file: Path, _ signals: SignalPause) throws(EnvelopeError) -> Bool {
    let editor = ["VISUAL", "EDITOR"].compactMap(ProcessEnvironment.value(of:)).first { !$0.isEmpty } ?? "vi"
    // The shell splits an editor with arguments, such as "code --wait"; the file's path is an argument of its own.
    let status = try signals.droppingInterrupts { () throws(EnvelopeError) -> Int32? in
      try signals.hasSignal ? nil : Shell.run("\(editor) \"$1\"", argument: file.string)
    }
    guard let status, !signals.hasSignal else { return false }
    // An editor that an interrupt ended has not handled it, so it ends this process as well.
    if [128 + SIGINT, 128 + SIGQUIT].contains(status), signals.receive(status - 128) { return false }
    guard status == 0 else {
      throw EnvelopeError(
        .fileFailure, "The editor failed with status \(status), and nothing was changed",
        advice: "Set EDITOR to the command of your editor.")
    }
    return true
  }
}
