// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct SetCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Seals one more variable, or another value of one, into a sealed file.",
      discussion: """
        EXAMPLES
          envelope set checkout.env API_KEY --function checkout
          envelope set checkout.env TLS_KEY --function checkout < key.pem

        The value is asked for on the terminal and not shown, or read from standard input, where one line feed at
        the end is left out (--raw keeps it). The other variables keep their sealed bytes.
        """)

    @Argument(help: "The file with the sealed variables.", completion: .file())
    var file: String

    @Argument(help: "The variable's name.")
    var name: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    /// What does not belong there, taken so that it can be refused without being shown.
    @Argument(help: .hidden)
    var rest: [String] = []

    @Flag(help: "Keep a line feed at the end of standard input.")
    var raw = false

    func execute() async throws {
      guard rest.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
        throw EnvelopeError(
          .usage, "A value is never taken from an argument, where other users and the shell's history see it",
          advice: "Give the file and the name alone; the value is asked for, or read from standard input.")
      }
      let settings = try options.settings(file: file, keys: keys)
      try VariableName.check(name, orThrow: .usage)
      try await Document.update(file, settings: settings) { (document, sealed) throws(EnvelopeError) in
        // Nobody is asked for a value that there is no place for.
        let value = try readValue()
        if value.byteCount == 0 { Console.say("The value of \(name) is empty.") }
        let plain = document.plain
        if plain[name] != nil { Console.say("\(name) was plain and is now sealed.") }
        let others = sealed.secrets.filter { $0.name != name }
        return (
          try OpenedEnvironment(merging: others + OpenedEnvironment(name, value).secrets),
          try OpenedEnvironment(merging: plain.secrets.filter { $0.name != name })
        )
      }
    }

    private func readValue() throws(EnvelopeError) -> SecretBytes {
      guard !Console.inputIsTerminal else { return try Console.readSecret(prompt: "Value of \(name): ") }
      let input = try Console.readInput(limit: Document.byteLimit)
      return input.withBytes { bytes in
        let endsInLineFeed = !bytes.isEmpty && [UInt8](copying: bytes.extracting(last: 1)) == [UInt8(ascii: "\n")]
        return SecretBytes(copying: raw || !endsInLineFeed ? bytes : bytes.extracting(droppingLast: 1))
      }
    }
  }
#endif
