// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension KeysCommand {
    struct Import: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import keys from another key store, such as an exported key or a colleague's store.",
        discussion: """
          A key that is here already gets the versions that only the copy has, and a narrowed copy the functions. A key that is the same, or newer here, stays as it is. A copy that contradicts the key here, such as one with another secret for the same version, is refused; the other keys are imported all the same. State, policy and default stay as they are here.

          Nothing but its id shows which key a narrowed copy is of: import only from users who may choose the key.

          EXAMPLES
            envelope keys import checkout.keys
            envelope keys import /media/colleague/keys
          """)

      @Argument(help: "The key store; - is standard input.", completion: .file())
      var file: String

      func execute() async throws {
        let other =
          file == "-"
          ? try Console.readInput(limit: KeyStore.textByteLimit).withBytes { (text) throws(EnvelopeError) in
            try KeyStore(text: text)
          }
          : try ToolStore.otherStore(at: file)
        let (merged, store) = try await ToolStore.updateKeys { (store) throws(EnvelopeError) in
          let merged = try store.merge(other)
          for key in merged {
            guard let failure = key.failure else { continue }
            try store.report(KeyUse(KeyUse.Operation(rawValue: "import"), of: key.keyset.id, failure: failure))
          }
          return (merged, store)
        }
        if merged.isEmpty { Console.say("\(file.shownInputAtStart) holds no keys.") }
        for (heading, outcome) in Self.headings {
          let keys = merged.filter { $0.outcome == outcome }.map { Self.describe($0, other, in: store) }
          if !keys.isEmpty { Console.say("\(heading): \(keys.joined(separator: "; ")).") }
        }
        try Self.failIfRefused(merged, in: store)
      }

      private static let headings: [(String, MergedKey.Outcome)] = [
        ("Added", .added), ("Updated", .updated), ("Unchanged", .unchanged), ("Kept as it is here", .kept),
      ]

      /// A key in words, with what its outcome does not say.
      private static func describe(_ key: MergedKey, _ other: KeyStore, in store: KeyStore) -> String {
        let name = ToolKeys.describe(key.keyset, in: store)
        switch key.outcome {
        case .added:
          let taken = other.aliases(of: key.keyset).filter { store[$0]?.id != key.keyset.id }
          return taken.isEmpty
            ? name : "\(name), without its alias \(EnvelopeError.listed(taken)), which is another key's here"
        case .updated:
          let scopes = key.keyset.scopes.map { ", for \(KeysCommand.list($0))" } ?? ""
          return "\(name), version \(key.keyset.primary)\(scopes)"
        case .kept where key.keyset.versions.isEmpty: return "\(name), which was destroyed here"
        case .kept where other[key.keyset.id.string]?.versions.isEmpty == true:
          return "\(name), which was destroyed in the other key store"
        case .kept: return "\(name), of which the copy has less"
        default: return name
        }
      }

      /// Reports the keys that were refused; the rest has been imported.
      private static func failIfRefused(_ merged: [MergedKey], in store: KeyStore) throws {
        var code: EnvelopeError.Code?
        for key in merged {
          guard case .refused(let error) = key.outcome else { continue }
          Console.say("Not imported: \(ToolKeys.describe(key.keyset, in: store)): \(error)")
          code = code ?? error.code
        }
        if let code { throw ExitCode(ExitStatus(code).rawValue) }
      }
    }
  }

  extension MergedKey {
    /// The failure to log for an import, `.some(nil)` for a key that was changed; nil for one that stayed.
    fileprivate var failure: EnvelopeError.Code?? {
      switch outcome {
      case .added, .updated: .some(nil)
      case .refused(let error): .some(error.code)
      case .unchanged, .kept: nil
      }
    }
  }
#endif
