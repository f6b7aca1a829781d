// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct RewrapCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "rewrap",
      abstract:
        "Rewrap sealed files under other keys, or the newest versions of theirs; what is sealed stays as it is.",
      discussion: """
        EXAMPLES
          envelope keys rotate checkout && envelope rewrap .
          envelope rewrap . --dry-run
          envelope rewrap checkout.env --function checkout --add er1:…
          envelope rewrap . --remove alice
          envelope rewrap . --configured

        In folders it finds every file that is a sealed environment, a sealed value, a sealed file or a sealed log, but for .git, folders that .gitignore names, and what 'rewrap: {exclude: […]}' in envelope.yaml names. It finds the context of each among those of envelope.yaml, or by the function's name in the file's comment, its FunctionName member or the name of the file itself, if the header proves it. Each file is verified, and nothing is dropped from it before what is new has been read back. It can be interrupted and run again.

        A file that does not verify, whose keys are not in this key store or refuse, that cannot be read, or whose function is not known is listed with the reason and left alone. Then the exit code is 65 if one was altered or is of another context, else 77 if a key is missing or refuses, else that of the first failure.

        A removed reader knows the data key, and could forge what the others accept: a file is resealed under those that remain, unless --keep-data-key says that former readers may forge. Copies, backups and git's history stay readable in any case: change the secrets themselves if that matters.

        Of a log, the headers of its segments are rewrapped. It cannot be resealed, because the keys of its records were destroyed. Rewrap it when no process writes to it any more.
        """)

    @Argument(help: "Files and folders.", completion: .file())
    var file: [String]

    @OptionGroup var options: SearchOptions

    @OptionGroup var tree: TreeOptions

    @OptionGroup var keys: KeyOptions

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("A key to open with from now on, too. Repeatable.", valueName: "key"))
    var add: [String] = []

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "A key not to open with any more: an alias, or an id as inspect shows it. Repeatable.", valueName: "key"))
    var remove: [String] = []

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("Open with these keys and no others. Repeatable.", valueName: "key"))
    var to: [String] = []

    @Flag(help: "Open with the keys that envelope.yaml names for each function and no others.")
    var configured = false

    @Flag(help: "Change nothing, and write what would be changed.")
    var dryRun = false

    @Flag(help: "Keep the data key though a key is removed: former readers can read values set later, and forge.")
    var keepDataKey = false

    @Option(help: "What values were authenticated with when they were sealed.")
    var associatedData: String?

    @OptionGroup var change: ChangeOptions

    @Flag(help: "Accept what was sealed to a recipient's public key, which anyone can do.")
    var acceptAnonymousSender = false

    func validate() throws {
      let ways = (add.isEmpty && remove.isEmpty ? 0 : 1) + (to.isEmpty ? 0 : 1) + (configured ? 1 : 0)
      guard ways < 2 else { throw ValidationError("--add and --remove, --to and --configured exclude each other.") }
    }

    func execute() async throws {
      let wish: KeyWish =
        configured ? .configured : to.isEmpty ? .change(adding: add, removing: remove) : .only(to)
      try await Rewrapper.run(
        Rewrapper.Options(
          isDryRun: dryRun, keepsDataKey: keepDataKey, acceptsAnonymousSender: acceptAnonymousSender,
          changeablePlain: Set(change.allowChanged), associatedData: Array((associatedData ?? "").utf8)),
        on: file, wish, options, keys, tree)
    }
  }

  /// Says which contexts files may be of.
  struct SearchOptions: ParsableArguments {
    @Option(
      name: .long,
      help: ArgumentHelp(
        "The function's name or ARN; else those of envelope.yaml are tried, and those that the file gives.",
        valueName: "name"))
    var function: String?

    @Flag(help: "What is sealed for no function.")
    var noFunction = false

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp("A further pair of the encryption context. Repeatable.", valueName: "key=value"))
    var context: [String] = []

    /// The function's name, of an ARN too.
    var functionName: String? {
      get throws(EnvelopeError) {
        guard let function else { return nil }
        return try FunctionName.name(in: function)
      }
    }

    func search(_ keys: KeyOptions, _ configuration: Configuration) throws(EnvelopeError) -> ContextSearch {
      try ContextSearch(
        function: functionName, isForNoFunction: noFunction, context: context, keyService: keys.keyService,
        configuration: configuration)
    }
  }

  /// Says where to search.
  struct TreeOptions: ParsableArguments {
    @Flag(help: "Search the files and folders, too, that .gitignore or envelope.yaml leaves out.")
    var ignored = false

    /// `envelope.yaml` says only what is left out of folders.
    func tree(_ paths: [String]) throws(EnvelopeError) -> FileTree {
      let kinds = try paths.map { (path) throws(EnvelopeError) in try Path(path).kind }
      guard !ignored, kinds.contains(.other) else { return try FileTree(paths) }
      let configuration = try Configuration.load()
      return try FileTree(paths) { IgnoreRules(in: $0, configuration) }
    }
  }

  extension Rewrapper {
    /// Does all files that are named or lie in folders that are named, with a line of progress, and tells the outcome.
    static func run(
      _ options: Options, on paths: [String], _ wish: KeyWish, _ searchOptions: SearchOptions, _ keys: KeyOptions,
      _ treeOptions: TreeOptions
    ) async throws {
      let tree = try treeOptions.tree(paths)
      let files = tree.entries
      let given = searchOptions.function ?? (searchOptions.noFunction ? "" : nil)
      let configuration = try wish.choosesKeys ? Configuration.load() : .load(toOpenFor: given)
      // A locked store is opened only if a key of it is named, or a file is under one.
      let isLeft = try ToolStore.isLocked && !wish.namesLocalKeys && !keys.key.contains(where: ToolKeys.isLocal)
      var rewrapper = Rewrapper(
        options,
        try await RewrapKeys(
          wish, opening: keys.key, search: searchOptions.search(keys, configuration),
          store: isLeft ? nil : ToolStore.load() ?? KeyStore()))
      for (path, error) in tree.failures { rewrapper.addFailure(path, error) }
      rewrapper.addLeftOut(tree.leftOut)
      var progress = Progress(total: files.count)
      for (index, file) in files.enumerated() {
        do {
          try await rewrapper.rewrap(file)
        } catch {
          progress.clear()
          Console.say("Stopped at \(file.path.shown).")
          rewrapper.report.say()
          throw error
        }
        progress.show(index + 1)
      }
      if options.isDryRun {
        try Console.write(rewrapper.report.changes.map { "\($0.path.shown)\t\($0.change)\n" }.joined())
      }
      rewrapper.report.say()
      guard let failure = rewrapper.report.failure else { return }
      Configuration.reportRefusal()
      throw ExitCode(ExitStatus(failure).rawValue)
    }
  }
#endif
