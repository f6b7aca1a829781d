// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  /// Names functions, or the envelopes that are for none.
  struct ScopeOptions: ParsableArguments {
    @Option(
      name: .long, parsing: .singleValue, help: ArgumentHelp("A function. Repeatable.", valueName: "name"))
    var function: [String] = []

    @Flag(help: "Also what is sealed for no function.")
    var noFunction = false

    /// The scopes; none where nothing was named.
    func scopes() throws(EnvelopeError) -> [FunctionScope] {
      var scopes = noFunction ? [FunctionScope.noFunction] : []
      for name in function {
        do throws(EnvelopeError) {
          let scope = try FunctionScope(function: FunctionName.name(in: name))
          if !scopes.contains(scope) { scopes.append(scope) }
        } catch {
          throw EnvelopeError(.usage, error.message, advice: error.advice)
        }
      }
      return scopes
    }
  }

  extension KeysCommand {
    struct Policy: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Restrict which functions a key serves, and for what; without options, show it.",
        discussion: """
          The options replace the policy. This store enforces it: it is a rule, not cryptography. To give someone a key that works for some functions alone, export it.

          EXAMPLES
            envelope keys policy checkout --function checkout --function checkout-canary
            envelope keys policy archive --operation unwrap
            envelope keys policy checkout --unrestricted
          """)

      enum Operation: String, ExpressibleByArgument, CaseIterable {
        case wrap
        case unwrap
      }

      @OptionGroup var key: KeyArgument

      @OptionGroup var scopes: ScopeOptions

      @Option(name: .long, parsing: .singleValue, help: "What it serves for: wrap (seal) or unwrap (open). Repeatable.")
      var operation: [Operation] = []

      @Flag(help: "Let it serve every function for everything.")
      var unrestricted = false

      func execute() async throws {
        let functions = try scopes.scopes()
        let isStated = !functions.isEmpty || !operation.isEmpty
        guard !(unrestricted && isStated) else {
          throw EnvelopeError(
            .usage, "--unrestricted excludes --function, --no-function and --operation",
            advice: "Leave one or the other out.")
        }
        guard isStated || unrestricted else {
          let keyset = try await ToolStore.open().require(key.key)
          let functions = keyset.policy.functions.map { KeysCommand.list($0) } ?? "any"
          let operations = KeyPolicy.Operation.allCases.filter(keyset.policy.operations.contains).map(\.rawValue)
          return try Console.write("functions: \(functions)\noperations: \(operations.joined(separator: ", "))\n")
        }
        let operations =
          operation.isEmpty ? KeyPolicy.Operation.allCases : operation.map { $0 == .wrap ? .wrap : .unwrap }
        _ = try await ToolStore.change(key.key, "set-policy") { (store, keyset) throws(EnvelopeError) in
          try store.setPolicy(
            KeyPolicy(functions: functions.isEmpty ? nil : functions, operations: Set(operations)),
            of: keyset.id.string)
        }
        Console.say(
          "The key \(key.key.shown) serves \(functions.isEmpty ? "every function" : KeysCommand.list(functions)) "
            + "for: \(operations.map(\.rawValue).joined(separator: ", ")).")
      }
    }

    struct Export: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Export one key, narrowed so that it works for some functions and no others.",
        discussion: """
          The exported key opens and seals what is for those functions, by cryptography: it cannot be turned into the whole key. Deploy the file with the function (with mode 644 in an AWS Lambda package) and set ENVELOPE_STORE to its path; or have a colleague import it. After a rotation, export again.

          EXAMPLE
            envelope keys export checkout --function checkout -o checkout.keys
          """)

      @OptionGroup var key: KeyArgument

      @OptionGroup var scopes: ScopeOptions

      @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The file to write, for its owner alone; else standard output.", valueName: "file"),
        completion: .file())
      var output: String?

      @Flag(help: "Write over the output file even if it holds something else than an earlier export of the key.")
      var force = false

      func execute() async throws {
        let scopes = try scopes.scopes()
        guard !scopes.isEmpty else {
          throw EnvelopeError(
            .usage, "No functions to narrow the key to", advice: "Give --function NAME, or --no-function, or both.")
        }
        guard output != nil || !Console.outputIsTerminal else {
          throw EnvelopeError(.usage, "A key is not shown on a terminal", advice: "Give a file to write: -o FILE")
        }
        let store = try await ToolStore.open()
        let exported: KeyStore
        do throws(EnvelopeError) {
          exported = try store.exporting(key.key, narrowedTo: scopes)
        } catch {
          throw error.code == .invalidArgument ? EnvelopeError(.usage, error.message, advice: error.advice) : error
        }
        try await Document.write(to: output, revealing: true, force: force) { replaced in
          if !force { try replaced.checkMayHold(exported: exported) }
          return try exported.text()
        }
        Console.say(
          "Exported \(key.key.shown) for \(KeysCommand.list(scopes.sorted())). Its holder can seal and open for \(scopes.count == 1 ? "it" : "them")."
        )
      }
    }

    struct Lock: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Lock the key store with a passphrase, or with keys that are kept elsewhere.",
        discussion: """
          Without --key it prompts for a passphrase twice, or reads it from the open file whose number is $ENVELOPE_PASSPHRASE_FD (if the store is locked already, first the old passphrase). With --key any one of the keys opens the store; $ENVELOPE_STORE_KEY must name them from then on, separated by commas.

          EXAMPLES
            envelope keys lock
            envelope keys lock --key alias/keys --key er1:…
            export ENVELOPE_STORE_KEY=alias/keys,er1:…
          """)

      @Option(
        name: .long, parsing: .singleValue,
        help:
          "An ARN or alias/NAME of AWS KMS, a recipient (er1:… or er2:…), or the path of another key store. Repeatable."
      )
      var key: [String] = []

      func execute() async throws {
        let file = try ToolStore.file()
        guard let before = try await ToolStore.unlock(file) else { throw ToolStore.missing(file) }
        let sealing: any Keyring
        if key.isEmpty {
          let passphrase = try Passphrase.read("New passphrase of \(file.location.shown): ")
          if !Passphrase.isFromDescriptor {
            let again = try Passphrase.read("Once more: ")
            guard passphrase.withBytes({ a in again.withBytes { a.equalsInConstantTime($0) } }) else {
              throw EnvelopeError(.usage, "The two passphrases differ", advice: "Run the command again.")
            }
          }
          sealing = try PassphraseKeyring(passphrase)
        } else {
          try checkOpensFromOutside(before.store, in: file)
          sealing = try await ToolStore.keyring(named: key)
        }
        let opening = try MultiKeyring([before.keyring?.keyring ?? sealing])
        try await file.update(unlockingWith: opening, lockingWith: sealing) { (_) throws(EnvelopeError) in }
        Console.say(
          "Locked \(file.location.shown). Copies from before are not: remove them, or keep them as safe as before.")
      }

      /// Refuses to put the key into the box that it locks.
      private func checkOpensFromOutside(_ store: KeyStore, in file: KeyStoreFile) throws(EnvelopeError) {
        for name in key where !ToolKeys.isKMS(name) {
          let isInside =
            if EnvelopeKit.Recipient.isNamed(by: name) {
              try Recipients.named(in: [name]).contains { recipient in
                store.keysets.contains { recipient.keyID.string.hasPrefix("\($0.id).") }
              }
            } else {
              Path(name).resolved == Path(file.location).resolved
            }
          guard !isInside else {
            throw EnvelopeError(
              .usage,
              "What \(EnvelopeError.quoted(name)) stands for is in the key store itself, so no one could open it",
              advice: "Lock it with a key that is kept elsewhere.")
          }
        }
      }
    }

    struct Unlock: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Unlock the key store for good: any reader of the file has the keys then.",
        discussion: """
          EXAMPLE
            envelope keys unlock
          """)

      func execute() async throws {
        let file = try ToolStore.file()
        guard let before = try await ToolStore.unlock(file) else { throw ToolStore.missing(file) }
        guard let opening = before.keyring else { return Console.say("\(file.location.shown) is not locked.") }
        try await file.update(unlockingWith: MultiKeyring([opening.keyring]), lockingWith: nil) {
          (_) throws(EnvelopeError) in
        }
        Console.say("Unlocked \(file.location.shown) for good: any reader of the file has the keys.")
      }
    }
  }
#endif
