// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct AcceptCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "accept",
      abstract: "Makes a merge of two branches' edits whole again.",
      discussion: """
        After two branches changed different variables and git merged their lines, each variable still verifies, but
        not all together. This lists them and, if you agree, stamps them as one environment. Where git could not
        merge the line of ENVELOPE_HEADER, keep either side of it.

        EXAMPLE
          envelope accept checkout.env --function checkout
        """)

    @Argument(help: "The merged file.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @Flag(name: .shortAndLong, help: "Agree without being asked.")
    var yes = false

    func execute() async throws {
      let settings = try options.settings(file: file, keys: keys)
      // What a user agrees to is what they were shown.
      try await Document.rewrite(file, retries: yes) { document in
        let sealed = try document.requireSealed(in: file)
        let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
        do {
          _ = try await sealed.open(context: settings.context, using: keyring)
          Console.say("\(file.shown) is whole: there is nothing to accept.")
          return nil
        } catch let error as EnvelopeError
          where [.variablePutBack, .variablesAdded, .variablesMissing].contains(error.code)
        {
          Console.say("\(error.message).")
        }
        let accepted = try await sealed.acceptingMerge(context: settings.context, using: keyring)
        Console.say("Each of these was sealed by somebody who held the key, though it may be an earlier value:")
        for name in sealed.names { Console.say("  \(name)") }
        guard try yes || Console.confirm("Accept them together?") else {
          throw EnvelopeError(.usage, "Nothing was changed")
        }
        return Document(layout: document.layout, sealed: accepted.environment, plain: document.plain)
      }
    }
  }
#endif
