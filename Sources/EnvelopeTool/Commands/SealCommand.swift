// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct SealCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "seal",
      abstract: "Seal variables for a function.",
      discussion: """
        EXAMPLES
          envelope seal .env --function checkout -o checkout.env
          envelope seal .env --function checkout --plain LOG_LEVEL --format packed
          printf 'TOKEN=abc\\n' | envelope seal - --function checkout --format lambda

        The first seal on a machine creates a key store with a key 'default'.

        A file envelope.yaml, here or in a folder above within the repository, can hold all this:
          default:
            key: default
          functions:
            checkout:
              key: [checkout, backup]
              context: {team: payments}
              plain: [LOG_LEVEL]
              file: checkout.env
            orders:
              key: alias/orders
              region: eu-central-1
          rewrap:
            exclude: [Tests/Fixtures]

        Flags override it: --key and --plain replace its lists, --context a pair of the same key. A folder that all users share, such as /tmp, is searched only if it is the working folder. The file must belong to you or root, and no one else may be able to write it; ENVELOPE_TRUST=/FOLDER follows that of a folder all the same. Commands that choose no key to seal under do without the file if --function is given.
        """)

    @Argument(help: "A dotenv or JSON file; - is standard input.", completion: .file())
    var file = ".env"

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keyOptions: KeyOptions

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("A variable to leave as it is. Repeatable.", valueName: "name"))
    var plain: [String] = []

    @OptionGroup var replacing: ReplaceOptions

    @Option(help: "How to write: \(SealedFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = SealedFormat.dotenv

    @Flag(help: "Seal all variables into one, whatever the format: the smallest form, which hides the names.")
    var packed = false

    @Flag(help: "Write a Lambda document even where it is longer than the platform takes.")
    var allowOversize = false

    @Flag(
      help:
        "Refuse what sh, python-dotenv from 1.0 on and Node's --env-file do not read alike, in the file and in what is written."
    )
    var portable = false

    @Flag(help: "Keep comments that set variables, such as # TOKEN=old, too. No comment is sealed.")
    var keepAllComments = false

    @Option(
      name: .shortAndLong, help: ArgumentHelp("The file to write; else standard output.", valueName: "file"),
      completion: .file())
    var output: String?

    func execute() async throws {
      let settings = try options.settings(file: output ?? file, keys: keyOptions, plain: plain)
      if format == .lambda { try FunctionName.checkIsLambda(settings.function) }
      let text = try Document.readText(file)
      let input = try Document(text: text, of: file)
      guard input.sealed == nil else {
        throw EnvelopeError(
          .invalidArgument, "The variables in \(file.shownInput) are sealed already",
          advice: "Change them with 'envelope set' or 'edit', or open them first with 'envelope open'.")
      }
      for name in plain where input.plain[name] == nil {
        throw EnvelopeError(
          .usage, "There is no variable \(EnvelopeError.quoted(name)) in \(file.shownInput) to leave plain",
          advice: "Correct the name after --plain.")
      }
      try replacing.checkHolds(input.plain.names, file)
      try Document.announceDisagreements(in: text, of: file.shownInput, portable: portable)
      let secrets = input.plain.secrets.filter { !settings.plain.contains($0.name) }
      let plain = input.plain.secrets.filter { settings.plain.contains($0.name) }

      var keys: [String] = []
      try await Document.write(to: output, revealing: false, force: replacing.force) { replaced in
        let predecessor = try await replacing.check(replaced, holds: input.plain.names, from: file, settings)
        try replacing.checkStaysSealed(plain.map(\.name), predecessor)
        let keyring: MultiKeyring
        (keyring, keys) = try await ToolKeys.sealing(settings)
        let isPacked = packed || format == .packed
        let plainVariables = try OpenedEnvironment(merging: plain)
        let document = try await Document.seal(
          OpenedEnvironment(merging: secrets), beside: plainVariables, as: isPacked ? .packed : .separate,
          layout: format.layout, settings, using: keyring, replacing: predecessor)
        try replacing.checkReaders(of: document, predecessor, replaced)
        if format == .lambda { try document.checkFitsLambda(allowingOversize: allowOversize) }
        // A packed file hides its names, which comments show.
        return try Document.sealedText(
          of: document.variables(), layout: document.layout, portable: portable, following: text,
          comments: isPacked ? .none : DotenvComments(keepsAll: keepAllComments, names: input.plain.names),
          function: settings.function)
      }
      Console.say(
        "Sealed \(secrets.count.counted("variable")) for function \(settings.function.shown) under "
          + "\(keys.joined(separator: " and ")).")
      if !plain.isEmpty { Console.say("Left plain: \(plain.map(\.name).joined(separator: ", ")).") }
    }
  }
#endif
