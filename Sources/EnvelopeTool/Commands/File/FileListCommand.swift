// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitArchives

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  extension FileCommand {
    struct List: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the files in a sealed zip archive, such as a layer or a deployment package.",
        discussion: """
          Only the end of the file is opened, which has the archive's directory.

          EXAMPLES
            envelope file list layer.zip.sealed --context layer=models --context layer-version=7
            envelope file list package.zip.sealed --function checkout --json | jq -r '.[].name'
          """)

      @Argument(help: "The sealed zip archive.", completion: .file())
      var file: String

      @OptionGroup var options: ArchiveOptions

      @Flag(help: "Write JSON.")
      var json = false

      func execute() async throws {
        let entries = try await options.archive(file).entries
        try Console.write(json ? Self.json(entries) : Self.text(entries))
      }

      /// A line for each entry: its length, and its name as messages show it.
      static func text(_ entries: [SealedArchive.Entry]) -> String {
        let lengths = entries.map { $0.kind == .file ? $0.byteCount.grouped : "" }
        let width = lengths.map(\.count).max() ?? 0
        return zip(lengths, entries).map { length, entry in
          let padding = String(repeating: " ", count: width - length.count)
          let remark =
            switch entry.kind {
            case .file, .folder: ""
            case .symbolicLink: " (symbolic link, not extracted)"
            case .special: " (special file, not extracted)"
            }
          return "\(padding)\(length)  \(entry.name.shown)\(remark)\n"
        }.joined()
      }

      private struct Line: Encodable {
        let name: String
        let kind: String
        let byteCount: Int
        let compressedByteCount: Int
        let isExecutable: Bool
      }

      /// An array of objects, in which what a terminal obeys or does not show is escaped.
      static func json(_ entries: [SealedArchive.Entry]) throws -> String {
        let lines = entries.map { entry in
          Line(
            name: entry.name, kind: "\(entry.kind)", byteCount: entry.byteCount,
            compressedByteCount: entry.compressedByteCount, isExecutable: entry.isExecutable)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(lines), as: UTF8.self)
        return text.unicodeScalars.map { scalar in
          guard !scalar.isPrintable, scalar != "\n" else { return String(scalar) }
          return String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
          }.joined()
        }.joined() + "\n"
      }
    }
  }
#endif
