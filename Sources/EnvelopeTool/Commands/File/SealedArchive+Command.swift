// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitArchives
  import EnvelopeKitFiles

  extension FileCommand {
    /// The options of commands that read a sealed zip archive.
    struct ArchiveOptions: ParsableArguments {
      @OptionGroup var open: OpenOptions

      @Option(
        help: ArgumentHelp(
          "The maximum number of entries: \(SealedArchive.Limits().entryCount) unless given.", valueName: "number"))
      var maxEntries: Int?

      @Option(
        help: ArgumentHelp(
          "The maximum number of bytes to extract: \(SealedArchive.Limits().extractedByteCount) unless given.",
          valueName: "number"))
      var maxBytes: Int?

      @Option(
        help: ArgumentHelp(
          "How many times longer a file may be than it is compressed: \(SealedArchive.Limits().compressionRatio) unless given.",
          valueName: "number"))
      var maxRatio: Int?

      func validate() throws {
        guard [maxEntries, maxBytes, maxRatio].allSatisfy({ $0 ?? 0 >= 0 }) else {
          throw ValidationError("A maximum cannot be negative")
        }
      }
    }
  }

  extension FileCommand.ArchiveOptions {
    private var limits: SealedArchive.Limits {
      var limits = SealedArchive.Limits()
      if let maxEntries {
        limits.entryCount = maxEntries
        // As many bytes for each entry as by default.
        limits.directoryByteCount = max(limits.directoryByteCount, min(maxEntries, 1 << 40) * 256)
      }
      if let maxBytes { limits.extractedByteCount = maxBytes }
      if let maxRatio { limits.compressionRatio = maxRatio }
      return limits
    }

    /// Opens the zip archive in a sealed file.
    ///
    /// - Throws: `usage` if it is standard input; `noInput` if there is no such file; what opening an archive throws.
    func archive(_ file: String) async throws -> SealedArchive {
      guard file != "-" else {
        throw EnvelopeError(
          .usage, "An archive is not read from standard input, because its directory is at its end",
          advice: "Give the name of a file.")
      }
      let source = try FilePlace.source(file)
      let settings = try open.settings(ofSealed: file)
      let entries = try source.entries
      let keyring = try await settings.opening(entries)
      return try await EnvelopeError.advisingOptions(opening: entries) {
        try await SealedArchive(
          at: file, context: settings.context, limits: limits, using: keyring, anonymousSender: open.anonymousSender)
      }
    }
  }
#endif
