// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct EditCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "edit",
      abstract: "Edit a sealed file in an editor, and seal what was changed.",
      discussion: """
        The editor is $VISUAL, else $EDITOR, else vi. It works on a private file, dotenv or JSON like the sealed one, in memory if the system has a place for that, which is wiped afterwards. Plain variables are marked and stay plain; new ones are sealed; unchanged ones keep their sealed bytes.

        If the text is refused, the editor opens again with it and with the reason in the first lines. Leave the text as it is to give up. Changes that others make to other variables of the file meanwhile are kept. The file's own comments stay; those of the text are not written to it. A file that is not there is made, and sealed as 'envelope seal' does.

        EXAMPLE
          EDITOR=nano envelope edit checkout.env --function checkout
        """)

    @Argument(help: "The file with the sealed variables.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @OptionGroup var change: ChangeOptions

    @Flag(help: "Remove all variables if the text has none.")
    var allowEmpty = false

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys).changing(change)
      if try Document.isMissing(file) { return try await create(settings) }
      var opening = settings
      opening.anonymousSender = .accepted
      var base = try await OpenedDocument.read(file, opening)
      // What cannot be changed, such as what an anonymous sender sealed, is refused before anything is typed.
      _ = try await base.sealed.updated(
        to: base.secrets, beside: base.document.plain, context: settings.context, using: base.keyring)
      var format = EditText(base, of: file)
      var newest: OpenedDocument?
      var isEmptied = false
      try await edit(try format.text(of: base), isDotenv: format.isDotenv) { edited in
        (newest, isEmptied) = (nil, false)
        let variables = try format.read(edited)
        isEmptied = try !allowEmpty && variables.names.isEmpty && !base.variables().names.isEmpty
        guard !isEmptied else { throw EnvelopeError.emptied }
        try await Document.update(file, settings: settings) { (current) throws(EnvelopeError) in
          newest = current
          return try current.merging(variables, madeOf: base, leavingPlain: settings.plain, in: file)
        }
        if format.isDotenv { try Document.announceDisagreements(in: edited, of: "the text", portable: false) }
      } refused: { edited, error in
        if error.code == .changedMeanwhile, let newest {
          // The next text is about the file as it is now.
          base = newest
          format = EditText(base, of: file)
        }
        return try isEmptied
          ? format.text(refused: format.text(of: base), because: error) : format.text(refused: edited, because: error)
      }
    }

    /// Lets the user write the variables of a file that is not there yet.
    private func create(_ settings: FunctionSettings) async throws {
      let format = EditText(new: file)
      // A key that is missing is reported before the editor opens.
      try await ToolKeys.check(settings.keys)
      try await edit(try format.textOfNew(), isDotenv: format.isDotenv, outcome: "created") { edited in
        let variables = try format.read(edited)
        guard allowEmpty || !variables.names.isEmpty else {
          throw EnvelopeError(
            .noInput, "The text has no variables", advice: "If that is meant: envelope edit --allow-empty")
        }
        let isMade = try await Document.create(
          file, sealing: OpenedEnvironment(merging: variables.secrets.filter { !settings.plain.contains($0.name) }),
          beside: OpenedEnvironment(merging: variables.secrets.filter { settings.plain.contains($0.name) }), settings)
        guard isMade else {
          throw EnvelopeError(
            .changedMeanwhile, "It was made by another command meanwhile",
            advice: "Keep a copy of the text, leave it as it is, and edit the file.")
        }
        if format.isDotenv { try Document.announceDisagreements(in: edited, of: "the text", portable: false) }
      } refused: { edited, error in
        try format.text(refused: edited, because: error)
      }
    }

    /// Opens the editor until what was written is saved, or the user gives up.
    ///
    /// - Parameters:
    ///   - outcome: What becomes of the file, for messages.
    ///   - save: Takes what was written; throws an `EnvelopeError` to refuse it.
    ///   - refused: Makes the text to open the editor again with.
    /// - Throws: The last refusal if the user gave up after it.
    private func edit(
      _ text: consuming SecretBytes, isDotenv: Bool, outcome: String = "changed",
      _ save: (borrowing SecretBytes) async throws -> Void,
      refused: (borrowing SecretBytes, EnvelopeError) throws -> SecretBytes
    ) async throws {
      var refusal: EnvelopeError?
      var attempts = 0
      let isAccepted = try await PrivateEdit.edit(text, as: isDotenv ? "variables.env" : "variables.json") { edited in
        attempts += 1
        do {
          try await save(edited)
          return nil
        } catch let error as EnvelopeError {
          // A script in the editor's place could go on for ever.
          guard Console.inputIsTerminal || attempts < 10 else { throw error }
          refusal = error
          return try refused(edited, error)
        }
      }
      guard !isAccepted else { return }
      guard let refusal else { return Console.say("Nothing was \(outcome).") }
      throw EnvelopeError(
        refusal.code, "\(file.shown) was not \(outcome): \(refusal.message)", advice: refusal.advice,
        names: refusal.names)
    }
  }

  extension EnvelopeError {
    fileprivate static var emptied: EnvelopeError {
      EnvelopeError(
        .noInput, "The text has no variables, so all would be removed",
        advice: "If that is meant: envelope edit --allow-empty")
    }
  }
#endif
