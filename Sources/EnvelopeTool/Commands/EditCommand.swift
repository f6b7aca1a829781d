// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct EditCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "edit",
      abstract: "Opens a sealed file in an editor, and seals what was changed.",
      discussion: """
        The editor is $VISUAL, else $EDITOR, else vi. It works on a private file, dotenv or JSON like the sealed one, in
        memory where the system has a place for that, which is wiped afterwards. Variables that were plain stay
        plain; new ones are sealed; unchanged ones keep their sealed bytes.

        EXAMPLE
          EDITOR=nano envelope edit checkout.env --function checkout
        """)

    @Argument(help: "The file with the sealed variables.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys)
      try await Document.update(file, settings: settings) { (document, sealed) throws(EnvelopeError) in
        let plain = document.plain
        let all = try OpenedEnvironment(merging: sealed.secrets + plain.secrets)
        // Only the editor and this command read the text, so nothing is announced.
        let isDotenv = document.layout == .dotenv
        let before = try isDotenv ? Dotenv.write(all).takeText() : VariablesJSON.write(all)
        guard let edited = try PrivateEdit.edit(before, as: isDotenv ? "variables.env" : "variables.json") else {
          Console.say("Nothing was changed.")
          return nil
        }
        return (
          try OpenedEnvironment(merging: edited.secrets.filter { plain[$0.name] == nil }),
          try OpenedEnvironment(merging: edited.secrets.filter { plain[$0.name] != nil })
        )
      }
    }
  }
#endif
