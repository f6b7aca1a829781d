// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitArchives
  import EnvelopeKitFiles

  extension FileCommand {
    struct Extract: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Extract a sealed zip archive, or some files of it, into a new folder.",
        discussion: """
          EXAMPLES
            envelope file extract layer.zip.sealed --to /opt/models --context layer=models --context layer-version=7
            envelope file extract package.zip.sealed bin/ config.json --to unpacked --function checkout

          The folder appears when all files are verified and written. Names that lead out of it, links, entries that overlap or share a name, and archives that expand beyond all measure are refused, whoever sealed them.
          """)

      @Argument(help: "The sealed zip archive.", completion: .file())
      var file: String

      @Argument(help: "Names of files and folders in the archive; all of it, if there are none.")
      var names: [String] = []

      @Option(
        help: ArgumentHelp("The folder to create; an empty one is replaced.", valueName: "folder"),
        completion: .directory)
      var to: String

      @OptionGroup var options: ArchiveOptions

      func execute() async throws {
        let archive = try await options.archive(file)
        try await EnvelopeError.advisingOptions {
          try archive.extract(names.isEmpty ? nil : names, to: to) { Console.say("envelope: \($0)") }
        }
        Console.say("Extracted \(file.shown) to \(to.shown).")
      }
    }
  }
#endif
