// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension FileCommand {
    struct Seal: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Seal a file of any length.",
        discussion: """
          EXAMPLES
            envelope file seal dump.sql -o dump.sql.sealed
            envelope file seal model.bin --function checkout --context version=7 -o model.bin.sealed
            tar c photos | envelope file seal - --key backup --key er1:… > photos.tar.sealed

          The output appears under its name when it is complete; an interrupted run leaves what was there before. A file that is there is replaced only if it is a sealed file of the same context. An input that changes its length while it is read is refused.

          The suite aegis-256 is several times as fast on processors with instructions for AES, and needs libsodium 1.0.19 or newer to seal and to open.
          """)

      @Argument(help: "The file to seal; - is standard input.", completion: .file())
      var file: String

      @OptionGroup var options: Options

      @Option(help: "The cipher.")
      var suite = Suite.chaCha20Poly1305

      @Option(
        help: ArgumentHelp(
          "The length of a chunk, a power of two from 4096 to 1048576. Small chunks suit short reads at many offsets.",
          valueName: "bytes"))
      var chunkSize = ChunkSize.standard.byteCount

      @Flag(help: "Give the output the permissions and times of the input.")
      var keepAttributes = false

      @Option(
        name: .shortAndLong, help: ArgumentHelp("The file to write; else standard output.", valueName: "file"),
        completion: .file())
      var output: String?

      @Flag(help: "Write over the output file whatever it holds, and seal what is a sealed file already.")
      var force = false

      func execute() async throws {
        guard let chunkSize = ChunkSize(byteCount: chunkSize) else {
          throw EnvelopeError(
            .usage, "--chunk-size is not a power of two from 4096 to 1048576", advice: "Leave it out, or give 65536.")
        }
        let source = try FilePlace.source(file)
        let destination = try FilePlace.destination(output)
        let settings = try options.settings(ofSealed: output ?? file, opens: false)
        let lock = try destination.lock()
        if !force {
          guard file == "-" || !Path(file).beginsAsSealedFile else {
            throw EnvelopeError(
              .invalidArgument, "\(file.shown) is a sealed file already",
              advice: "Open it first; or add --force to seal it once more.")
          }
          try destination.checkMayBeReplaced(bySealed: settings.context)
        }
        let (keyring, keys) = try await settings.sealing()
        let progress = ByteProgress()
        defer { progress.clear() }
        var fileOptions = FileOptions(progress, keepsAttributes: keepAttributes)
        fileOptions.isLockedByCaller = true
        let byteCount = try await SealedFile.seal(
          source, to: destination, context: settings.context, suite: suite.suite, chunkSize: chunkSize,
          options: fileOptions, using: keyring)
        _ = consume lock
        progress.clear()
        Console.say(
          "Sealed \(file.shownInput) (\(byteCount.byteText))"
            + (settings.function.map { " for function \($0.shown)" } ?? "")
            + " under \(keys.joined(separator: " and ")).")
      }
    }

    /// The ciphers by the names that the command gives them.
    enum Suite: String, ExpressibleByArgument, CaseIterable {
      case chaCha20Poly1305 = "chacha20-poly1305"
      case aegis256 = "aegis-256"

      var suite: AlgorithmSuite { self == .aegis256 ? .aegis256 : .chaCha20Poly1305 }
    }
  }
#endif
