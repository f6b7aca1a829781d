// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct InitCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "init",
      abstract: "Write a commented envelope.yaml in this folder.",
      discussion: """
        It names the functions that NAME.env files here are sealed for, suggests those of other NAME.env files in comments, and never replaces a file.

        EXAMPLE
          envelope init
        """)

    func execute() async throws {
      let above = Configuration.find(from: Path("."), home: ProcessEnvironment.value(of: "HOME").map { Path($0) })
      let template = ConfigurationTemplate(try Self.suggestions())
      let text = Array(template.text.utf8)
      try await Document.write(to: Configuration.fileName, revealing: false, force: false) { _ in
        // Also one that is empty.
        guard try !Path(".").names().contains(Configuration.fileName) else {
          throw EnvelopeError(
            .outputExists, "There is an \(Configuration.fileName) in this folder already",
            advice: "Edit it; see: envelope help seal")
        }
        return unsafe SecretBytes(copying: text.span.bytes)
      }
      let functions = template.suggestions.filter(\.isProven).map(\.function)
      Console.say(
        "Wrote \(Configuration.fileName)"
          + (functions.isEmpty
            ? "." : " with the functions that are sealed here: \(functions.joined(separator: ", "))."))
      if let above, above.folder.absolute != Path(".").absolute {
        Console.say("\(above) no longer applies in this folder and below.")
      }
    }

    private static let fileLimit = 100

    /// What the files of this folder are named for, and what of them is proven.
    private static func suggestions() throws(EnvelopeError) -> [ConfigurationTemplate.Suggestion] {
      let names = try Path(".").names().filter { $0.hasSuffix(".env") && Path($0).isRegularFile }
      var suggestions: [ConfigurationTemplate.Suggestion] = []
      for file in names.sorted().prefix(fileLimit) {
        guard let suggestion = try? suggestion(for: file) else { continue }
        suggestions.append(suggestion)
      }
      return suggestions
    }

    private static func suggestion(for file: String) throws(EnvelopeError) -> ConfigurationTemplate.Suggestion? {
      let bytes = try Document.readText(file)
      let names = bytes.withBytes { FunctionNames.candidates(in: $0, of: file) }
      guard let name = names.first else { return nil }
      guard let sealed = try SealedContent(bytes, of: file) else {
        return ConfigurationTemplate.Suggestion(function: name, file: file, isProven: false)
      }
      var search = try ContextSearch(
        function: nil, isForNoFunction: false, context: [], keyService: KeyServiceSettings(),
        configuration: Configuration())
      let index = try search.index(for: sealed.header(), in: file, naming: names)
      let proven = index.flatMap { search.candidates[$0].function }
      // Without a key nothing is verified, and `open` will follow the line: the name of the file must say the same.
      let isProven = proven.map { FunctionNames.candidates(ofPath: file).contains($0) } ?? false
      return ConfigurationTemplate.Suggestion(function: proven ?? name, file: file, isProven: isProven)
    }
  }
#endif
