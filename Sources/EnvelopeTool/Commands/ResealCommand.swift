// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit

  struct ResealCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "reseal",
      abstract: "Reseal files under a new data key and the newest versions of their keys.",
      discussion: """
        EXAMPLES
          envelope reseal checkout.env --function checkout
          envelope reseal . --to checkout --to er1:…

        A reader who knew the old data key learns nothing of what is set from then on. Copies, backups and git's history stay readable to them: change the secrets themselves where that matters.
        """)

    @Argument(help: "Files and folders.", completion: .file())
    var file: [String]

    @OptionGroup var options: SearchOptions

    @OptionGroup var tree: TreeOptions

    @OptionGroup var keys: KeyOptions

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("Seal under these keys and no others. Repeatable.", valueName: "key"))
    var to: [String] = []

    @Flag(help: "Seal under the keys that envelope.yaml names for each function and no others.")
    var configured = false

    @Option(help: "What a value was authenticated with when it was sealed, and will be again: it is not secret.")
    var associatedData: String?

    @OptionGroup var change: ChangeOptions

    @Flag(help: "Change nothing, and write what would be changed.")
    var dryRun = false

    @Flag(help: "Accept what was sealed to a recipient's public key, which anyone can do.")
    var acceptAnonymousSender = false

    func validate() throws {
      guard !configured || to.isEmpty else { throw ValidationError("--to and --configured exclude each other.") }
    }

    func execute() async throws {
      let wish: KeyWish = configured ? .configured : to.isEmpty ? .change(adding: [], removing: []) : .only(to)
      try await Rewrapper.run(
        Rewrapper.Options(
          isDryRun: dryRun, reseals: true, acceptsAnonymousSender: acceptAnonymousSender,
          changeablePlain: Set(change.allowChanged), associatedData: Array((associatedData ?? "").utf8)),
        on: file, wish, options, keys, tree)
    }
  }
#endif
