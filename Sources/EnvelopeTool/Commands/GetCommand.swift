// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct GetCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "get",
      abstract: "Write the value of one variable, byte for byte.",
      discussion: """
        EXAMPLES
          envelope get checkout.env DATABASE_URL --function checkout
          envelope get checkout.env TLS_KEY --function checkout > key.pem

        On a terminal a line feed is added, and a value with control or invisible characters, which could steer the terminal, is not shown: write it to a file or a pipe.
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.", completion: .file())
    var file: String

    @Argument(help: "The variable's name.")
    var name: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @OptionGroup var trust: TrustOptions

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys, opens: true).trusting(trust)
      // Everything is verified before anything is shown, also if the variable is a plain one.
      let secret = try await OpenedDocument.read(file, settings).variables().require(name)
      try secret.withBytes { (bytes) throws(EnvelopeError) in try Console.write(bytes) }
      if Console.outputIsTerminal { try Console.write("\n") }
    }
  }
#endif
