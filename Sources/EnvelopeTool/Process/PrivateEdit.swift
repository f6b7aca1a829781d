// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

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
    return try edit(text, in: PrivateFolder(), as: name)
  }

  private static func edit(
    _ text: borrowing SecretBytes, in folder: consuming PrivateFolder, as name: String
  ) throws(EnvelopeError) -> OpenedEnvironment? {
    let file = folder.path.appending(name)
    try text.withBytes { (text) throws(EnvelopeError) in try file.replace(with: text, Replacement(isSecret: true)) }
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
}
