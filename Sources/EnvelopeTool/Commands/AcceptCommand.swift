// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct AcceptCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "accept",
      abstract: "Accept a merge of two branches' edits, or changed plain variables.",
      discussion: """
        After two branches changed different variables and git merged their lines, each variable still verifies, but not all together. This lists them, shows the plain variables and how they differ from those that were sealed with the file, and authenticates all of them as one environment if you agree. If git could not merge the line of ENVELOPE_HEADER, keep either side of it.

        EXAMPLE
          envelope accept checkout.env --function checkout
        """)

    @Argument(help: "The merged file.", completion: .file())
    var file: String

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @Flag(name: .shortAndLong, help: "Agree without being asked. Needs --function, or the file in envelope.yaml.")
    var yes = false

    func execute() async throws {
      // Who agrees unseen says the function: else the writer of the file would choose what is authenticated, and for which.
      let settings =
        try yes ? options.settings(file: file, keys: keys, opens: true) : options.settings(ofSealed: file, keys: keys)
      // What a user agrees to is what they were shown.
      try await Document.rewrite(file, retries: yes) { document in
        let sealed = try document.requireSealed(in: file)
        let keyring = try await ToolKeys.opening(sealed.wrappedKeys, settings)
        let accepted: AcceptedMerge
        do {
          _ = try await EnvelopeError.advisingOptions(opening: sealed.wrappedKeys) {
            try await sealed.open(context: settings.context, using: keyring)
          }
          Console.say("\(file.shown) verifies as it is: there is nothing to accept.")
          return nil
        } catch let error as EnvelopeError where error.code == .plainVariablesAltered {
          accepted = try await sealed.acceptingPlainVariables(context: settings.context, using: keyring)
        } catch let error as EnvelopeError
          where [.variablePutBack, .variablesAdded, .variablesMissing].contains(error.code)
        {
          Console.say("\(error.message).")
          accepted = try await sealed.acceptingMerge(context: settings.context, using: keyring)
          Console.say("Each of these was sealed by a holder of the key, though it may be an earlier value:")
          for name in sealed.names { Console.say("  \(name)") }
        }
        try show(accepted, of: sealed, document.plain)
        guard try yes || Console.confirm("Accept them together for function \(settings.function.shown)?") else {
          throw EnvelopeError(.usage, "Nothing was changed")
        }
        return Document(layout: document.layout, sealed: accepted.environment, plain: document.plain)
      }
    }

    /// Shows the plain variables with their values, what differs, and the generations.
    private func show(
      _ accepted: AcceptedMerge, of sealed: SealedEnvironment, _ plain: OpenedEnvironment
    ) throws(EnvelopeError) {
      let difference = accepted.plainDifference
      if !plain.names.isEmpty { Console.say("These are plain; anyone who can write the file can change them:") }
      for secret in plain.secrets {
        let mark =
          difference.added.contains(secret.name)
          ? " (added)" : difference.changed.contains(secret.name) ? " (changed)" : ""
        // All of it: what is not shown would be authenticated unseen.
        let value = secret.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
        Console.say("  \(secret.name)=\(EnvelopeError.escaped(value))\(mark)")
      }
      let missing = difference.missingCount
      if missing > 0 {
        Console.say("\(missing.counted("plain variable")) \(missing == 1 ? "is" : "are") missing.")
      }
      Console.say("Generation: \(sealed.generation) in the file, \(accepted.environment.generation) if you accept.")
      if accepted.isGenerationReset {
        Console.say(
          "The generation in the file is more than a day ahead of the clock and cannot be verified; the new one is the "
            + "present time. A handler that demands a higher generation will refuse the file.")
      }
    }
  }
#endif
