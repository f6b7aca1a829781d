// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitArchives

  extension FileCommand {
    struct Cat: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Write one file of a sealed zip archive to standard output.",
        discussion: """
          EXAMPLES
            envelope file cat layer.zip.sealed certificates/ca.pem --context layer=models --context layer-version=7

          Only the part of the sealed file that holds it is opened, and each chunk is written when it is verified. If a later one is altered, or the length or the checksum in the archive does not match, the command ends with exit code 65, and what was written before is not the whole file.
          """)

      @Argument(help: "The sealed zip archive.", completion: .file())
      var file: String

      @Argument(help: "The name of the file in the archive, as 'list' shows it.")
      var name: String

      @OptionGroup var options: ArchiveOptions

      func execute() async throws {
        let archive = try await options.archive(file)
        try await EnvelopeError.advisingOptions {
          guard Console.outputIsTerminal else {
            return try archive.read(name) { (piece) throws(EnvelopeError) in try Console.write(piece) }
          }
          // A piece may end inside a character, so a terminal gets all or nothing.
          try archive.read(name).withBytes { (bytes) throws(EnvelopeError) in try Console.write(bytes) }
        }
      }
    }
  }
#endif
