// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension FileCommand {
    struct Verify: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a sealed file to its last byte, and write nothing.",
        discussion: """
          EXAMPLES
            envelope file verify dump.sql.sealed
            ssh server cat photos.tar.sealed | envelope file verify -

          To find out why a file does not open: envelope explain FILE
          """)

      @Argument(help: "The sealed file; - is standard input.", completion: .file())
      var file: String

      @OptionGroup var options: OpenOptions

      func execute() async throws {
        let source = try FilePlace.source(file)
        let settings = try options.settings(ofSealed: file)
        let entries = try source.entries
        let keyring = try await settings.opening(entries)
        let progress = ByteProgress()
        defer { progress.clear() }
        let byteCount = try await EnvelopeError.advisingOptions(opening: entries) {
          try await SealedFile.verify(
            source, context: settings.context, options: FileOptions(progress), using: keyring,
            anonymousSender: options.anonymousSender)
        }
        progress.clear()
        Console.say("\(file.shownInputAtStart) verifies: \(byteCount.byteText).")
      }
    }
  }
#endif
