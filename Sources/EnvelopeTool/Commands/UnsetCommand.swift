// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct UnsetCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "unset",
      abstract: "Remove one variable from a sealed file.",
      discussion: """
        EXAMPLE
          envelope unset checkout.env API_KEY --function checkout
        """)

    @Argument(help: "The file with the sealed variables.", completion: .file())
    var file: String

    @Argument(help: "The variable's name.")
    var name: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @OptionGroup var change: ChangeOptions

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys, opens: true).changing(change)
      try await Document.update(file, settings: settings) { (opened) throws(EnvelopeError) in
        let (sealed, plain) = (opened.secrets, opened.document.plain)
        guard sealed[name] != nil || plain[name] != nil else {
          throw EnvelopeError(
            .variableMissing, "\(file.shown) has no variable \(EnvelopeError.quoted(name))", advice: "Check the name.")
        }
        return (
          try OpenedEnvironment(merging: sealed.secrets.filter { $0.name != name }),
          try OpenedEnvironment(merging: plain.secrets.filter { $0.name != name })
        )
      }
    }
  }
#endif
