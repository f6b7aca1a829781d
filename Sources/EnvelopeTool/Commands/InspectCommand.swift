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
        Nothing that it shows is verified: to verify a file, open it. With --function it shows whether the file was sealed for that function, as far as four bytes can prove.

        EXAMPLES
          envelope inspect checkout.env
          envelope inspect checkout.env --function checkout --json
        """)

    @Argument(help: "The file with sealed variables, or a sealed value; - is standard input.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
      let sealed = try SealedContent.require(Document.readText(file), of: file)
      let header = try sealed.header()
      var report = Report(sealed, header)
      if options.function != nil {
        let context = try options.settings(file: file, opens: true).context
        report.contextMatches = try header.matches(canonicalContext: context.canonicalBytes())
        if report.contextMatches == false { Configuration.reportRefusal() }
      }
      guard json else { return try Console.write(report.text) }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Console.write(String(decoding: encoder.encode(report), as: UTF8.self) + "\n")
    }
  }

  /// What can be told without a key of an environment or a value that is sealed.
  private struct Report: Encodable {
    struct Key: Encodable {
      let scheme: String
      let id: String
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
    var contextMatches: Bool?

    init(_ file: SealedContent, _ header: Header) {
      suite = "\(header.suite)"
      keys = header.wrappedKeys.map { Key(scheme: "\($0.scheme)", id: "\($0.keyID)") }
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

    var text: String {
      var text =
        form == "value" ? "A sealed value, format \(format)\n" : "A sealed environment, format \(format), \(form)\n"
      if let generation, let sealedAt { text += "generation: \(generation) (\(sealedAt))\n" }
      text += "suite: \(suite)\n"
      let any = keys.count > 1 ? ", any one opens" : ""
      text += "keys, not verified\(any): \(keys.map { "\($0.scheme) \($0.id)" }.joined(separator: ", "))\n"
      if let contextMatches { text += "context: \(contextMatches ? "matches" : "differs")\n" }
      if let byteCount { text += "sealed: \(byteCount.grouped) bytes\n" }
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
