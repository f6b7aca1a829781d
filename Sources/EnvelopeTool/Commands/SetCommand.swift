// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct SetCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Set a variable of a sealed file, sealed unless it is named plain.",
      discussion: """
        EXAMPLES
          envelope set checkout.env API_KEY --function checkout
          envelope set checkout.env TLS_KEY --function checkout < key.pem

        The value is prompted for on the terminal and not shown, or read from standard input, where one line end (LF or CRLF) and a byte order mark are left out (--raw keeps both). A file that does not exist is created, and sealed as 'envelope seal' does. The other variables keep their sealed bytes. A variable that envelope.yaml names under plain:, or that --plain names, is written as plain text, which the file's header authenticates.
        """)

    @Argument(help: "The file with the sealed variables.", completion: .file())
    var file: String

    @Argument(help: "The variable's name.")
    var name: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @OptionGroup var change: ChangeOptions

    /// What does not belong there, taken so that it can be refused without being shown.
    @Argument(help: .hidden)
    var rest: [String] = []

    @Flag(help: "Write the value as plain text, which everyone who has the file can read.")
    var plain = false

    @Flag(help: "Keep a line end at the end of standard input, and a byte order mark at its start.")
    var raw = false

    @Flag(help: "Seal an empty value.")
    var allowEmpty = false

    func execute() async throws {
      guard rest.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
        throw EnvelopeError(
          .usage, "A value is never taken from an argument, where other users and the shell's history see it",
          advice: "Give the file and the name alone; the value is asked for, or read from standard input.")
      }
      let settings = try options.settings(file: file, keys: keys).changing(change)
      try VariableName.check(name, orThrow: .usage)
      var given: OpenedEnvironment?
      if try Document.isMissing(file) {
        let value = try OpenedEnvironment(name, readValue())
        given = value
        let none = try OpenedEnvironment(merging: [])
        let isPlain = plain || settings.plain.contains(name)
        let isMade = try await Document.create(
          file, sealing: isPlain ? none : value, beside: isPlain ? value : none, settings)
        if isMade { return }
      }
      try await Document.update(file, settings: settings) { (opened) throws(EnvelopeError) in
        // The user is not asked for a value if there is no place for it, and is asked once.
        if given == nil { given = try OpenedEnvironment(name, readValue()) }
        let value = given?.secrets ?? []
        let isPlain = try staysPlain(in: opened, settings)
        if opened.document.plain[name] != nil, !isPlain { Console.say("\(name) was plain and is now sealed.") }
        if opened.secrets[name] != nil, isPlain { Console.say("\(name) was sealed and is now plain.") }
        let sealedOthers = opened.secrets.secrets.filter { $0.name != name }
        let plainOthers = opened.document.plain.secrets.filter { $0.name != name }
        return (
          try OpenedEnvironment(merging: sealedOthers + (isPlain ? [] : value)),
          try OpenedEnvironment(merging: plainOthers + (isPlain ? value : []))
        )
      }
    }

    /// Whether the variable is written as plain text.
    ///
    /// - Throws: `usage` if `envelope.yaml` names it plain and it is sealed: only the user turns it plain.
    private func staysPlain(in opened: OpenedDocument, _ settings: FunctionSettings) throws(EnvelopeError) -> Bool {
      guard !plain, settings.plain.contains(name) else { return plain }
      guard opened.secrets[name] == nil else {
        throw EnvelopeError(
          .usage, "\(name) is sealed in \(file.shown), and envelope.yaml names it plain",
          advice: "If it is to be plain, add --plain; else remove it from plain: in envelope.yaml.", names: [name])
      }
      return true
    }

    /// Reads the value from the terminal or standard input.
    ///
    /// - Throws: `noInput` if it is empty and that was not allowed: more often a command failed before the pipe.
    private func readValue() throws(EnvelopeError) -> SecretBytes {
      let value = try Console.inputIsTerminal ? Console.readSecret(prompt: "Value of \(name): ") : readInput()
      guard value.byteCount > 0 || allowEmpty else {
        throw EnvelopeError(
          .noInput, "The value of \(name) is empty, and nothing was changed",
          advice: "If that is meant, add --allow-empty.")
      }
      return value
    }

    private func readInput() throws(EnvelopeError) -> SecretBytes {
      let input = try Console.readInput(limit: Document.byteLimit)
      return input.withBytes { bytes in
        // Some programs of Windows write one before every text.
        let start = raw ? 0 : bytes.byteOrderMarkLength
        var end = bytes.byteCount
        if !raw, bytes.byteIfAny(at: end - 1) == .lineFeed {
          end -= 1
          // As Windows ends lines.
          if bytes.byteIfAny(at: end - 1) == .carriageReturn { end -= 1 }
        }
        return SecretBytes(copying: bytes.extracting(start..<end))
      }
    }
  }
#endif
