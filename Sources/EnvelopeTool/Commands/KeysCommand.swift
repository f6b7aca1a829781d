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
      abstract: "Makes and lists the keys of the key store.",
      discussion: """
        The key store is one file: $ENVELOPE_STORE, else $XDG_DATA_HOME/envelope/keys, else
        ~/.local/share/envelope/keys. Whoever has it opens what is sealed under its keys; without it nobody does.

        EXAMPLES
          envelope keys create checkout
          envelope keys list
        """,
      subcommands: [Create.self, List.self, Show.self])

    struct Create: ParsableCommand {
      static let configuration = CommandConfiguration(
        abstract: "Makes a key; the first one becomes the default.",
        discussion: """
          EXAMPLE
            envelope keys create checkout
          """)

      @Argument(help: "A name for the key.")
      var alias = "default"

      func run() throws {
        let file = try KeyStoreFile()
        let id = try file.update { (store) throws(EnvelopeError) in
          let keyset = try Keyset.generate()
          do throws(EnvelopeError) {
            try store.add(keyset, alias: alias)
          } catch {
            // The alias comes from the command line, where a wrong one is a wrong call.
            throw error.code == .invalidArgument
              ? EnvelopeError(.usage, error.message, advice: error.advice) : error
          }
          return keyset.id
        }
        Console.say("Made the key \(alias) in \(file.location). Keep a copy of that file in a safe place.")
        try Console.write("\(id)\n")
      }
    }

    struct List: ParsableCommand {
      static let configuration = CommandConfiguration(
        abstract: "Lists the keys: alias, id, and which is the default.",
        discussion: """
          EXAMPLE
            envelope keys list
          """)

      func run() throws {
        let store = try KeyStore.open()
        for keyset in store.keysets {
          let aliases = store.aliases(of: keyset).joined(separator: ",")
          let mark = keyset.id == store.defaultKeyID ? "\tdefault" : ""
          try Console.write("\(aliases.isEmpty ? "-" : aliases)\t\(keyset.id)\(mark)\n")
        }
      }
    }

    struct Show: ParsableCommand {
      static let configuration = CommandConfiguration(
        abstract: "Shows one key: its id and versions, no secret.",
        discussion: """
          EXAMPLE
            envelope keys show checkout
          """)

      @Argument(help: "The alias or id of the key; else the default key.")
      var key: String?

      func run() throws {
        let store = try KeyStore.open()
        let keyset =
          try key.map { (key) throws(EnvelopeError) in try store.keyring(for: key).keyset } ?? store.keyring().keyset
        let aliases = store.aliases(of: keyset)
        var text = "id: \(keyset.id)\n"
        if !aliases.isEmpty { text += "aliases: \(aliases.joined(separator: ", "))\n" }
        for version in keyset.versions {
          let date = Date(timeIntervalSince1970: TimeInterval(version.created)).formatted(.iso8601)
          text += "version \(version.number): made \(date)\(version.number == keyset.primary ? ", primary" : "")\n"
        }
        try Console.write(text)
      }
    }
  }
#endif
