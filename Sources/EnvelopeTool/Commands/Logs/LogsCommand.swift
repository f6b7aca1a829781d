// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "logs",
      abstract: "Open and verify sealed logs, also as services export them.",
      discussion: """
        A sealed log is JSON lines: some members of a record are clear, and the others are sealed. The records of a process are a sequence, so that altered, missing, doubled and reordered ones are found. The files of a call are one log: give those that were rotated in the order of their age.

        It reads lines, the JSON that 'aws logs get-log-events', 'filter-log-events' and 'get-query-results' write, the lines of Docker and FireLens, and lines with a prefix, such as those of 'aws logs tail'.

        EXAMPLES
          envelope logs open shop.log --context service=shop
          envelope logs open shop.log.1 shop.log --context service=shop --since 2h --level warning
          aws logs filter-log-events --log-group-name shop | envelope logs open --context service=shop
          envelope logs verify shop.log --context service=shop
        """,
      subcommands: [Open.self, Verify.self])
  }

  extension RecordFormat: ExpressibleByArgument {}
  extension RecordLevel: ExpressibleByArgument {}

  extension RecordsRun {
    /// Reads files to their ends, with a line of progress on the terminal.
    mutating func read(_ files: [String], showsProgress: Bool) async throws {
      for name in files {
        var source = try LogSource(name)
        var input = LogInput()
        let progress = ByteProgress()
        defer { progress.clear() }
        begin(name)
        while try source.read(into: &input) {
          try await readAndFlush(&input)
          if showsProgress { progress.show(source.position, source.byteCount) }
        }
        input.finish()
        try await readAndFlush(&input)
      }
    }

    /// Reads what has arrived, and writes what came of it.
    mutating func readAndFlush(_ input: inout LogInput) async throws {
      try await read(&input)
      try flush()
    }
  }
#endif
