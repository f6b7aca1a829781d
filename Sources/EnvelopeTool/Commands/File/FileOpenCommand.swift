// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension FileCommand {
    struct Open: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open a sealed file.",
        discussion: """
          EXAMPLES
            envelope file open dump.sql.sealed -o dump.sql
            envelope file open photos.tar.sealed | tar x

          A file appears under its name when all of it has been verified. A pipe gets each chunk as soon as that chunk is verified: if a later one is altered or missing, the command ends with exit code 65, and what was written before is the beginning of what was sealed. Let the reader's result count only if the command succeeds: in a shell, set -o pipefail.
          """)

      @Argument(help: "The sealed file; - is standard input.", completion: .file())
      var file = "-"

      @OptionGroup var options: OpenOptions

      @Flag(help: "Give the output the permissions and times of the sealed file.")
      var keepAttributes = false

      @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The file to write, for its owner alone; else standard output.", valueName: "file"),
        completion: .file())
      var output: String?

      @Flag(help: "Write over the output file even if it holds something.")
      var force = false

      func execute() async throws {
        let source = try FilePlace.source(file)
        let destination = try FilePlace.destination(output)
        if !force { try destination.checkMayBeReplacedByPlaintext() }
        let settings = try options.settings(ofSealed: file)
        let entries = try source.entries
        let keyring = try await settings.opening(entries)
        let progress = ByteProgress()
        defer { progress.clear() }
        let byteCount = try await EnvelopeError.advisingOptions(opening: entries) {
          try await SealedFile.open(
            source, to: destination, context: settings.context,
            options: FileOptions(progress, keepsAttributes: keepAttributes), using: keyring,
            anonymousSender: options.anonymousSender)
        }
        progress.clear()
        Console.say("Opened \(file.shownInput) (\(byteCount.byteText)).")
      }
    }
  }
#endif
