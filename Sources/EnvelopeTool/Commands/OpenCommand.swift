// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct OpenCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "open",
      abstract: "Open sealed variables, and write them with the plain ones beside them.",
      discussion: """
        EXAMPLES
          envelope open checkout.env --function checkout -o .env
          envelope open checkout.env --function checkout --format json | jq -r .DATABASE_URL

        Values with control or invisible characters, which could steer a terminal, are not shown on one. An output file that is there is written over only if it holds plain variables and loses none of them.
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.", completion: .file())
    var file = "-"

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @Option(help: "How to write: \(PlainFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = PlainFormat.dotenv

    @Flag(help: "Refuse values that sh, python-dotenv from 1.0 on and Node's --env-file do not read alike.")
    var portable = false

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp("The file to write, for its owner alone; else standard output.", valueName: "file"),
      completion: .file())
    var output: String?

    @OptionGroup var trust: TrustOptions

    @Flag(help: "Write over the output file even if it holds something else.")
    var force = false

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys, opens: true).trusting(trust)
      let opened = try await OpenedDocument.read(file, settings).variables()
      try await Document.write(to: output, revealing: true, force: force) { replaced in
        if !force { try replaced.checkMayHold(opened: opened.names) }
        return try Document.text(of: opened, layout: format.layout, portable: portable)
      }
    }
  }
#endif
