// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct OpenCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "open",
      abstract: "Opens sealed variables and writes them, with the plain ones beside them.",
      discussion: """
        EXAMPLES
          envelope open checkout.env --function checkout -o .env
          envelope open checkout.env --function checkout --format json | jq -r .DATABASE_URL
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.", completion: .file())
    var file = "-"

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @Option(help: "How to write: \(PlainFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = PlainFormat.dotenv

    @Flag(help: "Refuse values that not every reader of dotenv files reads alike.")
    var portable = false

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp("The file to write, for its owner alone; else standard output.", valueName: "file"),
      completion: .file())
    var output: String?

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys)
      let document = try Document.read(file)
      let sealed = try document.requireSealed(in: file)
      let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
      let opened = try await sealed.open(context: settings.context, using: keyring)
      try Document.write(
        OpenedEnvironment(merging: opened.secrets + document.plain.secrets), as: format.layout, to: output,
        revealing: true, portable: portable)
    }
  }
#endif
