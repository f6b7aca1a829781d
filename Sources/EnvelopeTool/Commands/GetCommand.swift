// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct GetCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "get",
      abstract: "Writes the value of one variable, byte for byte.",
      discussion: """
        EXAMPLES
          envelope get checkout.env DATABASE_URL --function checkout
          envelope get checkout.env TLS_KEY --function checkout > key.pem

        A line feed is added only where the value is shown on a terminal.
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.", completion: .file())
    var file: String

    @Argument(help: "The variable's name.")
    var name: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys)
      let document = try Document.read(file)
      // Everything is verified before anything is shown, also where the variable is a plain one.
      let sealed = try document.requireSealed(in: file)
      let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
      let opened = try await sealed.open(context: settings.context, using: keyring)
      let secret = try opened[name] ?? document.plain.require(name)
      try secret.withBytes { (bytes) throws(EnvelopeError) in try Console.write(bytes) }
      if Console.outputIsTerminal { try Console.write("\n") }
    }
  }
#endif
