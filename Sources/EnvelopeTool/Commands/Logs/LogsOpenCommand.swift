// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension LogsCommand {
    struct Open: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open a sealed log.",
        discussion: """
          EXAMPLES
            envelope logs open shop.log --context service=shop
            envelope logs open shop.log --context service=shop --level error --since 15m
            envelope logs open shop.log --context service=shop --grep 'timeout|refused' --format text
            kubectl logs shop | envelope logs open --context service=shop

          To a pipe it writes one JSON object a line: the clear members, the sealed ones, and the record's segment and sequence. Lines that are not sealed become {"unauthenticated":"…"}: anyone can have written them. To a terminal it writes text, in which such lines are marked.

          What does not verify is reported on standard error, with the file and the line, and then the exit code is 65. A last segment without its end is only noted, because its process may still write it, and so are records that are missing before the first one, because the log may have been rotated. Filters leave out records, and lines that are not sealed; they change nothing about what is verified.
          """)

      @Argument(
        help: "Logs, which are one log in this order; - is standard input, which is read if there are none.",
        completion: .file())
      var file: [String] = []

      @OptionGroup var options: FileCommand.OpenOptions

      @Flag(help: "Go on when the file grows, or is rotated, until SIGINT or SIGTERM.")
      var follow = false

      @Option(
        help: ArgumentHelp(
          "Only records from a time on (RFC 3339), or from so long ago: 90s, 15m, 2h, 7d.", valueName: "time"))
      var since: String?

      @Option(
        help: ArgumentHelp(
          "Only records of a level and those above: trace, debug, info, notice, warning, error, critical.",
          valueName: "level"))
      var level: RecordLevel?

      @Option(
        help: ArgumentHelp(
          "Only records whose message, or a value of whose metadata, matches a POSIX extended regular expression.",
          valueName: "regex"))
      var grep: String?

      @Option(help: "How to write records: json or text; text on a terminal unless given.")
      var format: RecordFormat?

      func execute() async throws {
        let files = file.isEmpty ? ["-"] : file
        guard !follow || files.count == 1 && files[0] != "-" else {
          throw EnvelopeError(.usage, "--follow takes the name of one file", advice: "Give one file.")
        }
        let filter = RecordFilter(
          since: try since.map { (text) throws(EnvelopeError) in try TimeText.start(text) }, level: level,
          pattern: try grep.map { (text) throws(EnvelopeError) in try TextPattern(text) })
        let output = RecordOutput(format)
        let report = FindingReport(.init(unfinished: follow ? .all : .last, beginsAnywhere: true))
        let opening = LogOpening(output, filter, report)
        var run = try RecordsRun(
          options.settings(ofSealed: files[0]), options.anonymousSender, order: .complete, to: opening)
        if follow {
          try await run.follow(files[0])
        } else {
          try await run.read(files, showsProgress: !output.isTerminal)
        }
        try await run.finish(files)
      }
    }
  }

  extension RecordsRun {
    /// Reads a file, and what is appended to it or takes its name, until a signal comes.
    mutating func follow(_ name: String) async throws {
      let signals = SignalPause()
      defer { signals.forget() }
      var source = try LogSource(name)
      var input = LogInput()
      begin(name)
      while !signals.hasSignal {
        // Looked at first: what was written to the old file before it was rotated is read below.
        let isReplaced = source.isReplaced
        while try source.read(into: &input) {
          try await readAndFlush(&input)
          if signals.hasSignal { break }
        }
        let isCut = try !isReplaced && source.restartIfCut()
        if isReplaced || isCut {
          input.finish()
          try await readAndFlush(&input)
          input = LogInput()
          begin(name)
          if isReplaced { source = try LogSource(name) }
          continue
        }
        guard LogWait.pause() else { break }
      }
      input.finish()
      try await readAndFlush(&input)
    }
  }
#endif
