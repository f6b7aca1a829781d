// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect",
      abstract: "Show what a sealed file contains, without a key.",
      discussion: """
        It takes files of variables, sealed values, sealed files of any length, and sealed logs. Nothing that it shows is verified: to verify a file, open it. With --function, or --context for a sealed file, it shows whether the file was sealed for that, as far as four bytes can prove.

        EXAMPLES
          envelope inspect checkout.env
          envelope inspect checkout.env --function checkout --json
          envelope inspect dump.sql.sealed
          envelope inspect shop.log
        """)

    @Argument(
      help: "A file with sealed variables, a sealed value or a sealed file; - is standard input.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
      var (report, header): (Report, Header)
      var context: EncryptionContext?
      if LogFile.isLog(at: file) { return try write(Report(LogFile(at: file))) }
      switch try SealedInput.read(file) {
      case .text(let bytes):
        let sealed = try SealedContent.require(bytes, of: file)
        header = try sealed.header()
        report = Report(sealed, header)
        if options.function != nil { context = try options.settings(file: file, opens: true).context }
      case .file(let stream):
        header = stream.header
        report = Report(header, byteCount: try stream.plaintextByteCount())
        if options.function != nil || !options.context.isEmpty {
          context = try options.fileSettings(ofSealed: file, opens: true).context
        }
      }
      if let context {
        report.contextMatches = try header.matches(canonicalContext: context.canonicalBytes())
        if report.contextMatches == false { Configuration.reportRefusal() }
      }
      try write(report)
    }

    private func write(_ report: Report) throws {
      guard json else { return try Console.write(report.text) }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Console.write(String(decoding: encoder.encode(report), as: UTF8.self) + "\n")
    }
  }

  /// What a header, and what follows it, show without a key.
  private struct Report: Encodable {
    struct Key: Encodable {
      let scheme: String
      let id: String

      static func all(of entries: [WrappedDataKey]) -> [Key] {
        entries.map { Key(scheme: "\($0.scheme)", id: "\($0.keyID)") }
      }
    }

    let format = 1
    let form: String
    let suite: String
    let generation: UInt32?
    let sealedAt: String?
    let keys: [Key]
    let keysVerified = false
    let variables: [String]?
    let plain: [String]?
    let byteCount: Int?
    let chunkSize: Int?
    let segments: Int?
    var contextMatches: Bool?

    init(_ file: SealedContent, _ header: Header) {
      suite = "\(header.suite)"
      keys = Key.all(of: header.wrappedKeys)
      (chunkSize, segments) = (nil, nil)
      switch file {
      case .environment(let document, let sealed):
        form = sealed.form == .packed ? "packed" : "separate"
        generation = sealed.generation
        sealedAt = Date(timeIntervalSince1970: TimeInterval(sealed.generation)).formatted(.iso8601)
        variables = sealed.names
        plain = document.plain.names
        byteCount = nil
      case .value(let envelope, _):
        form = "value"
        (generation, sealedAt, variables, plain) = (nil, nil, nil, nil)
        byteCount = max(0, envelope.count - header.bytes.count - header.suite.aead.overheadByteCount)
      }
    }

    /// Of a sealed file; its length is nil if it was cut.
    init(_ header: Header, byteCount: Int?) {
      form = "file"
      suite = "\(header.suite)"
      keys = Key.all(of: header.wrappedKeys)
      (generation, sealedAt, variables, plain, segments) = (nil, nil, nil, nil, nil)
      self.byteCount = byteCount
      chunkSize = header.form.chunkSize?.byteCount
    }

    /// Of a log: the keys of all segments.
    init(_ log: borrowing LogFile) {
      form = "log"
      let headers = log.segments.flatMap(\.headers)
      var suites: [String] = []
      for header in headers where !suites.contains("\(header.suite)") { suites.append("\(header.suite)") }
      suite = suites.joined(separator: ", ")
      var entries: [WrappedDataKey] = []
      var seen: Set<KeyID> = []
      for entry in headers.flatMap(\.wrappedKeys) where seen.insert(entry.keyID).inserted { entries.append(entry) }
      keys = Key.all(of: entries)
      (generation, sealedAt, variables, plain, byteCount, chunkSize) = (nil, nil, nil, nil, nil, nil)
      segments = log.segments.count
    }

    var text: String {
      var text =
        switch form {
        case "value": "A sealed value, format \(format)\n"
        case "file": "A sealed file, format \(format)\n"
        case "log": "A sealed log, format \(format)\n"
        default: "A sealed environment, format \(format), \(form)\n"
        }
      if let generation, let sealedAt { text += "generation: \(generation) (\(sealedAt))\n" }
      text += "suite: \(suite)\n"
      let any = keys.count > 1 && form != "log" ? ", any one opens" : ""
      text += "keys, not verified\(any): \(keys.map { "\($0.scheme) \($0.id)" }.joined(separator: ", "))\n"
      if let segments { text += "segments: \(segments.grouped)\n" }
      if let contextMatches { text += "context: \(contextMatches ? "matches" : "differs")\n" }
      if let byteCount { text += "sealed: \(byteCount.grouped) \(byteCount == 1 ? "byte" : "bytes")\n" }
      if form == "file", byteCount == nil { text += "sealed: no file has this length, so a part is missing\n" }
      if let chunkSize { text += "chunks: \(chunkSize.grouped) bytes each\n" }
      if let variables {
        text +=
          form == "packed"
          ? "sealed: packed, so names and lengths are hidden\n"
          : "sealed: \(variables.isEmpty ? "nothing" : variables.joined(separator: ", "))\n"
      }
      if let plain, !plain.isEmpty { text += "plain: \(plain.joined(separator: ", "))\n" }
      return text
    }
  }
#endif
