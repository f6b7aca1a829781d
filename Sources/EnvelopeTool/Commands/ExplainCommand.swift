// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit

  struct ExplainCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "explain",
      abstract: "Explain why a file does not open, and what to do, without showing a secret.",
      discussion: """
        EXAMPLES
          envelope explain checkout.env --function checkout
          envelope explain checkout.env

        Without --function it tries every function of envelope.yaml. It looks at the form, the context, each key that the file is under, and everything that is sealed, and ends with the exit code that opening it ends with.
        """)

    @Argument(help: "The file; - is standard input.", completion: .file())
    var file: String

    @OptionGroup var options: SearchOptions

    @OptionGroup var keys: KeyOptions

    @Option(help: "The lowest generation that a handler accepts.")
    var minimumGeneration: UInt32 = 0

    @Option(help: "What a value was authenticated with when it was sealed.")
    var associatedData: String?

    @Flag(help: "Accept what was sealed to a recipient's public key, which anyone can do.")
    var acceptAnonymousSender = false

    func execute() async throws {
      // For no function, the file is no more needed than for a given one.
      let configuration = try Configuration.load(toOpenFor: options.function ?? (options.noFunction ? "" : nil))
      let explanation = try await Explanation(
        Explanation.Question(
          file: file, search: options.search(keys, configuration), guesses: options.guesses(keys, configuration),
          named: keys.key,
          minimumGeneration: minimumGeneration, associatedData: Array((associatedData ?? "").utf8),
          acceptsAnonymousSender: acceptAnonymousSender))
      try Console.write(explanation.text)
      if let failure = explanation.failure {
        Configuration.reportRefusal()
        throw ExitCode(ExitStatus(failure.code).rawValue)
      }
    }
  }

  extension SearchOptions {
    /// The contexts that the file may have been sealed for though others are given: every function of `envelope.yaml` as
    /// it stands there, and those and the one that is given without further pairs.
    fileprivate func guesses(
      _ keys: KeyOptions, _ configuration: Configuration
    ) throws(EnvelopeError) -> ContextSearch {
      var bare = Configuration()
      for name in Array(configuration.functions.keys) + (try functionName.map { [$0] } ?? []) {
        bare.functions[name] = Configuration.Entry()
      }
      let searches = try [
        ContextSearch(
          function: nil, isForNoFunction: false, context: [], keyService: keys.keyService, configuration: configuration),
        ContextSearch(
          function: nil, isForNoFunction: false, context: [], keyService: keys.keyService, configuration: bare),
        ContextSearch(
          function: nil, isForNoFunction: true, context: context, keyService: keys.keyService, configuration: bare),
      ]
      return ContextSearch(candidates: searches.flatMap(\.candidates))
    }
  }
#endif
