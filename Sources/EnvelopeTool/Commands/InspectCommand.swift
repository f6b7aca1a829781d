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
      abstract: "Tells what a sealed file holds, without any key.",
      discussion: """
        Nothing that it tells has been verified: for that, open the file. With --function it tells whether the file
        was sealed for that function, as far as four bytes can.

        EXAMPLES
          envelope inspect checkout.env
          envelope inspect checkout.env --function checkout --json
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
      let document = try Document.read(file)
      var report = Report(try document.requireSealed(in: file), plain: document.plain.names)
      if options.function != nil {
        let context = try options.settings(file: file).context
        report.contextMatches = try document.sealed?.header.matches(canonicalContext: context.canonicalBytes())
      }
      guard json else { return try Console.write(report.text) }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Console.write(String(decoding: encoder.encode(report), as: UTF8.self) + "\n")
    }
  }

  /// What can be told of a sealed environment without a key.
  private struct Report: Encodable {
    struct Key: Encodable {
      let scheme: String
      let id: String
    }

    let format = 1
    let form: String
    let generation: UInt32
    let sealedAt: String
    let keys: [Key]
    let keysVerified = false
    let variables: [String]
    let plain: [String]
    var contextMatches: Bool?

    init(_ sealed: SealedEnvironment, plain: [String]) {
      form = sealed.form == .packed ? "packed" : "separate"
      generation = sealed.generation
      sealedAt = Date(timeIntervalSince1970: TimeInterval(sealed.generation)).formatted(.iso8601)
      keys = sealed.wrappedKeys.map { Key(scheme: "\($0.scheme)", id: "\($0.keyID)") }
      variables = sealed.names
      self.plain = plain
    }

    var text: String {
      var text = "A sealed environment, format \(format), \(form)\n"
      text += "generation: \(generation) (\(sealedAt))\n"
      text += "keys, not verified: \(keys.map { "\($0.scheme) \($0.id)" }.joined(separator: ", "))\n"
      if let contextMatches { text += "context: \(contextMatches ? "matches" : "differs")\n" }
      text +=
        form == "packed"
        ? "sealed: packed, so names and lengths are hidden\n"
        : "sealed: \(variables.isEmpty ? "nothing" : variables.joined(separator: ", "))\n"
      if !plain.isEmpty { text += "plain: \(plain.joined(separator: ", "))\n" }
      return text
    }
  }
#endif
