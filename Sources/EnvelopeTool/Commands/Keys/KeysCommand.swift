// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "keys",
      abstract: "Create, list and change the keys of the key store.",
      discussion: """
        The key store is one file: $ENVELOPE_STORE, else $XDG_DATA_HOME/envelope/keys, else ~/.local/share/envelope/keys. Anyone who has it can open what is sealed under its keys; without it, no one can. A locked store is opened with a passphrase, which is prompted for on the terminal or read from the open file whose number is $ENVELOPE_PASSPHRASE_FD, or with the key that $ENVELOPE_STORE_KEY names.

        EXAMPLES
          envelope keys create checkout
          envelope keys list
          envelope keys rotate checkout
          envelope keys export checkout --function checkout -o checkout.keys
        """,
      subcommands: [
        Create.self, List.self, Show.self, Rotate.self, Rotation.self, Minimum.self, Enable.self, Disable.self,
        Delete.self, CancelDeletion.self, Alias.self, Default.self, Policy.self, Recipient.self, Export.self,
        Import.self, Lock.self, Unlock.self,
      ])

    /// The key that a command is about.
    struct KeyArgument: ParsableArguments {
      @Argument(help: "The alias or id of the key.")
      var key: String
    }

    struct Create: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a key; the first one becomes the default.",
        discussion: """
          EXAMPLE
            envelope keys create checkout
          """)

      @Argument(help: "A name for the key.")
      var alias = "default"

      func execute() async throws {
        let id = try await KeysCommand.make(.symmetric, alias: alias).id
        let file = try KeyStoreFile()
        Console.say(
          "Created the key \(alias.shown) in \(file.location.shown). Keep a copy of that file in a safe place.")
        try Console.write("\(id)\n")
      }
    }

    struct Recipient: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "recipient",
        abstract: "Create an identity, and write the public string that anyone can seal to.",
        discussion: """
          The string is not secret: those who seal pass it as a --key, or write it into envelope.yaml. Only a store that has the identity opens. What is sealed to a recipient alone has no sender: commands and handlers refuse it, unless the caller passes --accept-anonymous-sender.

          A post-quantum recipient protects what is sealed today from the quantum computers of later. Its string has 1,648 characters, each file that is sealed to it is about 1,600 bytes longer, and all who seal to it or open with it need an envelope command that was built with libsodium 1.0.22 or newer.

          EXAMPLES
            ENVELOPE_STORE=/media/safe/keys envelope keys recipient break-glass
            envelope seal .env --function checkout --key checkout --key er1:…
            envelope keys recipient archive --post-quantum
          """)

      @Argument(help: "A name for the identity.")
      var alias: String

      @Flag(help: "Create a post-quantum identity, X-Wing, whose string begins with er2:.")
      var postQuantum = false

      func execute() async throws {
        let keyset = try await KeysCommand.make(postQuantum ? .postQuantumIdentity : .identity, alias: alias)
        let file = try KeyStoreFile()
        Console.say(
          "Created the identity \(alias.shown) in \(file.location.shown). Keep a copy of that file in a safe place.")
        try Console.write("\(try keyset.recipient())\n")
      }
    }

    /// Makes a key under an alias that is free.
    private static func make(_ kind: Keyset.Kind, alias: String) async throws -> Keyset {
      try await ToolStore.updateKeys { (store) throws(EnvelopeError) in
        let keyset = try Keyset.generate(kind)
        do throws(EnvelopeError) {
          try store.add(keyset, alias: alias)
        } catch {
          // The alias comes from the command line, where a wrong one is a wrong call.
          throw error.code == .invalidArgument
            ? EnvelopeError(.usage, error.message, advice: error.advice) : error
        }
        try store.report(KeyUse(KeyUse.Operation(rawValue: "create"), of: keyset.id))
        return keyset
      }
    }

    struct List: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the keys: alias, id, and which is the default.",
        discussion: """
          After the id, each line has what is special about the key: recipient or post-quantum-recipient, disabled, pending deletion, destroyed, narrowed, restricted, rotation due.

          EXAMPLE
            envelope keys list
          """)

      func execute() async throws {
        let store = try await ToolStore.open()
        for keyset in store.keysets {
          let aliases = store.aliases(of: keyset).joined(separator: ",")
          var marks = keyset.id == store.defaultKeyID ? ["default"] : []
          if let kem = keyset.kind.kem { marks.append("\(kem.scheme)") }
          switch keyset.state(at: Clock.now) {
          case .enabled: break
          case .disabled: marks.append("disabled")
          case .pendingDeletion: marks.append("pending deletion")
          case .destroyed: marks.append("destroyed")
          }
          if keyset.scopes != nil { marks.append("narrowed") }
          if keyset.policy != .unrestricted { marks.append("restricted") }
          if let due = keyset.rotationDue, due <= Clock.now { marks.append("rotation due") }
          let line =
            [aliases.isEmpty ? "-" : aliases, "\(keyset.id)"] + (marks.isEmpty ? [] : [marks.joined(separator: ", ")])
          try Console.write(line.joined(separator: "\t") + "\n")
        }
      }
    }

    struct Show: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one key: its id, state, policy and versions, no secret.",
        discussion: """
          EXAMPLE
            envelope keys show checkout
          """)

      @Argument(help: "The alias or id of the key; else the default key.")
      var key: String?

      func execute() async throws {
        let store = try await ToolStore.open()
        let keyset = try key.map { (key) throws(EnvelopeError) in try store.require(key) } ?? store.keyring().keyset
        let aliases = store.aliases(of: keyset)
        var text = "id: \(keyset.id)\n"
        if !aliases.isEmpty { text += "aliases: \(aliases.joined(separator: ", "))\n" }
        if let kem = keyset.kind.kem, !keyset.versions.isEmpty {
          do throws(EnvelopeError) {
            text += "\(kem.scheme): \(try keyset.recipient())\n"
          } catch {
            guard error.code == .unsupportedSuite else { throw error }
            text += "\(kem.scheme): \(error.message)\n"
          }
        }
        text += "state: \(KeysCommand.describe(keyset.state(at: Clock.now)))\n"
        if let scopes = keyset.scopes { text += "narrowed to: \(KeysCommand.list(scopes))\n" }
        if let functions = keyset.policy.functions { text += "serves: \(KeysCommand.list(functions))\n" }
        if keyset.policy.operations.count == 1, let operation = keyset.policy.operations.first {
          text += "serves to: \(operation.rawValue)\n"
        }
        if let days = keyset.rotationPeriod, let due = keyset.rotationDue {
          text +=
            "rotation: every \(days.counted("day")), \(due <= Clock.now ? "due since" : "next by") \(KeysCommand.date(due))\n"
        }
        if keyset.minimumVersion > 1 { text += "minimum version: \(keyset.minimumVersion)\n" }
        for version in keyset.versions {
          text += "version \(version.number): created \(KeysCommand.date(version.created))"
          text += version.number == keyset.primary ? ", primary" : ""
          if let scopes = keyset.scopes(of: version), scopes != keyset.scopes {
            text += ", for \(KeysCommand.list(scopes)) only"
          }
          text += version.number < keyset.minimumVersion ? ", no longer unwraps\n" : "\n"
        }
        try Console.write(text)
      }
    }

    /// A time in seconds since 1970, as people and programs read it.
    static func date(_ seconds: UInt64) -> String {
      Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }

    static func describe(_ state: Keyset.State) -> String {
      switch state {
      case .enabled: "enabled"
      case .disabled: "disabled"
      case .pendingDeletion(let time): "pending deletion, destroyed at \(date(time))"
      case .destroyed(let time): "destroyed at \(date(time))"
      }
    }

    static func list(_ scopes: [FunctionScope]) -> String { scopes.map(\.description).joined(separator: ", ") }
  }
#endif
