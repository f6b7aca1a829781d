// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct TracesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "traces",
      abstract: "Open sealed traces, also as AWS X-Ray returns them.",
      discussion: """
        A sealed span is an AWS X-Ray segment document with a few clear members, such as its name and its times. It can be opened by itself. What X-Ray does not return is not missed.

        EXAMPLES
          aws xray batch-get-traces --trace-ids 1-581cf771-a006649127e371903a2de979 | envelope traces open --context service=shop
          envelope traces open shop.log --context service=shop
        """,
      subcommands: [Open.self])

    struct Open: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open sealed traces.",
        discussion: """
          EXAMPLES
            aws xray batch-get-traces --trace-ids 1-581cf771-a006649127e371903a2de979 | envelope traces open --context service=shop
            envelope traces open shop.log --context service=shop --format text

          To a pipe it writes the documents as they were recorded, one a line. To a terminal it writes a tree of each trace. Documents that are not sealed, such as those that X-Ray infers, are left out and counted. What does not verify is reported on standard error, and then the exit code is 65.
          """)

      @Argument(
        help:
          "What X-Ray returned, or lines of sealed documents; - is standard input, which is read if there are none.",
        completion: .file())
      var file: [String] = []

      @OptionGroup var options: FileCommand.OpenOptions

      @Option(help: "How to write traces: json or text; text on a terminal unless given.")
      var format: RecordFormat?

      func execute() async throws {
        let files = file.isEmpty ? ["-"] : file
        let output = RecordOutput(format)
        let opening = TraceOpening(output, FindingReport(.init()))
        var run = try RecordsRun(
          options.settings(ofSealed: files[0]), options.anonymousSender, order: .any, to: opening)
        try await run.read(files, showsProgress: !output.isTerminal)
        try await run.finish(files)
      }
    }
  }
#endif
