// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct GetCommand: MainThreadCommand {
    static let configuration = CommandConfiguration(
      commandName: "get",
      abstract: "Writes the value of one variable, byte for byte.",
      discussion: """
        EXAMPLES
          envelope get checkout.env DATABASE_URL --function checkout
          envelope get checkout.env TLS_KEY --function checkout > key.pem

        A line feed is added only where the value is shown on a terminal.
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.")
    var file: String

    @Argument(help: "The variable's name.")
    var name: String

    @OptionGroup var options: FunctionOptions

    func run() async throws {
      let settings = try options.settings(file: file)
      let document = try Document.read(file)
      // Everything is verified before anything is shown, also where the variable is a plain one.
      let opened = try await document.requireSealed(in: file).open(
        context: settings.context, using: LocalKeys.opening())
      let secret = try opened[name] ?? document.plain.require(name)
      try secret.withBytes { (bytes) throws(EnvelopeError) in try Console.write(bytes) }
      if Console.outputIsTerminal { try Console.write("\n") }
    }
  }
#endif
