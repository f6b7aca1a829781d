// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension LogsCommand {
    struct Verify: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a sealed log, and write only a summary.",
        discussion: """
          EXAMPLES
            envelope logs verify shop.log.1 shop.log --context service=shop
            envelope logs verify shop.log --context service=shop --allow-unfinished
            aws logs filter-log-events --log-group-name shop | envelope logs verify --partial --format json

          The exit code is 65 if anything was altered or damaged, is missing, there twice or in another order, or if a segment has no end: its process still writes it, has crashed, or the end was cut off. Records after the last one that is there cannot be missed.
          """)

      @Argument(
        help: "Logs, which are one log in this order; - is standard input, which is read if there are none.",
        completion: .file())
      var file: [String] = []

      @OptionGroup var options: FileCommand.OpenOptions

      @Flag(help: "Accept segments without an end.")
      var allowUnfinished = false

      @Flag(
        help:
          "Accept that the log begins or ends in the middle: records before the first and after the last can be missing."
      )
      var partial = false

      @Option(help: "How to write the summary: text or json; text unless given.")
      var format: RecordFormat = .text

      func execute() async throws {
        let files = file.isEmpty ? ["-"] : file
        let report = FindingReport(
          .init(unfinished: allowUnfinished ? .all : .none, isPartial: partial))
        let verification = LogVerification(RecordOutput(format), report)
        var run = try RecordsRun(
          options.settings(ofSealed: files[0]), options.anonymousSender, order: .complete, to: verification)
        try await run.read(files, showsProgress: true)
        try await run.finish(files)
      }
    }
  }
#endif
