// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  extension KeysCommand {
    struct Rotate: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Rotate a key: a new version seals from now on, and the older ones still open.",
        discussion: """
          A recipient's new version has a new public string. What is sealed already stays as it is: envelope rewrap brings it to the new version.

          EXAMPLE
            envelope keys rotate checkout && envelope rewrap .
          """)

      @OptionGroup var key: KeyArgument

      func execute() async throws {
        let (version, keyset) = try await ToolStore.change(key.key, "rotate") { (store, keyset) throws(EnvelopeError) in
          try store.rotate(keyset.id.string)
        }
        Console.say("Version \(version) of \(key.key.shown) seals from now on; the older ones still open.")
        Console.say("Bring what is sealed to it: envelope rewrap FILE…")
        try Console.write(keyset.kind != .symmetric ? "\(try keyset.recipient())\n" : "\(keyset.id).\(version)\n")
      }
    }

    struct Rotation: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "rotation",
        abstract: "Set how often a key should be rotated; seal and list report when that is due.",
        discussion: """
          EXAMPLES
            envelope keys rotation checkout 365
            envelope keys rotation checkout none
          """)

      @OptionGroup var key: KeyArgument

      @Argument(help: "Days, 1 to 2560, or none.")
      var days: String

      func execute() async throws {
        let period = Int(days)
        guard period != nil || days == "none" else {
          throw EnvelopeError(
            .usage, "A rotation period is a number of days, or none",
            advice: "For example: envelope keys rotation NAME 90")
        }
        _ = try await ToolStore.change(key.key, "set-rotation") { (store, keyset) throws(EnvelopeError) in
          try store.setRotationPeriod(days: period, of: keyset.id.string)
        }
        Console.say(
          period.map { "The key \(key.key.shown) should be rotated every \($0.counted("day"))." }
            ?? "The key \(key.key.shown) need not be rotated.")
      }
    }

    struct Minimum: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "minimum",
        abstract: "Set the lowest version of a key that opens.",
        discussion: """
          The versions stay in the store, and open again once the number is lowered.

          EXAMPLE
            envelope keys minimum checkout 2
          """)

      @OptionGroup var key: KeyArgument

      @Argument(help: "The lowest version that opens.")
      var version: UInt32

      func execute() async throws {
        _ = try await ToolStore.change(key.key, "set-minimum") { (store, keyset) throws(EnvelopeError) in
          try store.setMinimumVersion(version, of: keyset.id.string)
        }
        Console.say(
          version == 1
            ? "All versions of the key \(key.key.shown) open."
            : "Versions of the key \(key.key.shown) below \(version) no longer open.")
      }
    }

    struct Enable: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Enable a key that was disabled.",
        discussion: """
          EXAMPLE
            envelope keys enable checkout
          """)

      @OptionGroup var key: KeyArgument

      func execute() async throws {
        _ = try await ToolStore.change(key.key, "enable") { (store, keyset) throws(EnvelopeError) in
          try store.enable(keyset.id.string)
        }
        Console.say("Enabled the key \(key.key.shown).")
      }
    }

    struct Disable: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Disable a key until it is enabled again.",
        discussion: """
          This is kept by this store alone: a copy of it, or an exported key, goes on.

          EXAMPLE
            envelope keys disable checkout
          """)

      @OptionGroup var key: KeyArgument

      func execute() async throws {
        _ = try await ToolStore.change(key.key, "disable") { (store, keyset) throws(EnvelopeError) in
          try store.disable(keyset.id.string)
        }
        Console.say(
          "Disabled the key \(key.key.shown). Until it is enabled it neither seals nor opens: "
            + "envelope keys enable \(key.key.shown)")
      }
    }

    struct Delete: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Schedule the deletion of a key, which refuses every use until then.",
        discussion: """
          Until then cancel-deletion keeps it. Afterwards what is sealed under it alone opens no more, but with a copy of the store from before.

          EXAMPLE
            envelope keys delete checkout --days 7
          """)

      @OptionGroup var key: KeyArgument

      @Option(help: "After how many days, 7 to 30.")
      var days = 30

      func execute() async throws {
        let (end, _) = try await ToolStore.change(key.key, "schedule-deletion") {
          (store, keyset) throws(EnvelopeError) -> UInt64? in
          // A key whose deletion was due has just been destroyed.
          if case .pendingDeletion = keyset.state, case .destroyed = store[keyset.id.string]?.state { return nil }
          return try store.scheduleDeletion(of: keyset.id.string, afterDays: days)
        }
        guard let end else { return }
        Console.say("The key \(key.key.shown) will be destroyed at \(KeysCommand.date(end)).")
        Console.say("Keep it after all: envelope keys cancel-deletion \(key.key.shown)")
      }
    }

    struct CancelDeletion: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "cancel-deletion",
        abstract: "Cancel the deletion of a key, which stays disabled.",
        discussion: """
          EXAMPLE
            envelope keys cancel-deletion checkout && envelope keys enable checkout
          """)

      @OptionGroup var key: KeyArgument

      func execute() async throws {
        _ = try await ToolStore.change(key.key, "cancel-deletion") { (store, keyset) throws(EnvelopeError) in
          try store.cancelDeletion(of: keyset.id.string)
        }
        Console.say("The key \(key.key.shown) is kept, and disabled: envelope keys enable \(key.key.shown)")
      }
    }

    struct Alias: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "alias",
        abstract: "Add an alias for a key, move it to another key, or remove it.",
        discussion: """
          EXAMPLES
            envelope keys alias payments checkout
            envelope keys alias payments orders --move
            envelope keys alias payments --remove
          """)

      @Argument(help: "The name.")
      var alias: String

      @Argument(help: "The alias or id of the key that it stands for from now on.")
      var key: String?

      @Flag(help: "Move a name that stands for another key.")
      var move = false

      @Flag(help: "Take the name away; the key stays.")
      var remove = false

      func execute() async throws {
        if remove {
          guard key == nil, !move else { throw EnvelopeError(.usage, "--remove takes an alias and nothing else") }
          _ = try await ToolStore.change(alias, "remove-alias") { (store, _) throws(EnvelopeError) in
            try store.removeAlias(alias)
          }
          Console.say("Removed the alias \(alias.shown); the key stays.")
        } else {
          guard let key else {
            throw EnvelopeError(
              .usage, "No key for the alias", advice: "Give its alias or id: envelope keys alias \(alias.shown) KEY")
          }
          _ = try await ToolStore.change(key, move ? "move-alias" : "add-alias") {
            (store, keyset) throws(EnvelopeError) in
            try move ? store.moveAlias(alias, to: keyset.id.string) : store.addAlias(alias, for: keyset.id.string)
          }
          Console.say("\(alias.shown) now stands for the key \(key.shown).")
        }
      }
    }

    struct Default: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "default",
        abstract: "Choose the key that seals if none is named.",
        discussion: """
          EXAMPLE
            envelope keys default checkout
          """)

      @OptionGroup var key: KeyArgument

      func execute() async throws {
        _ = try await ToolStore.change(key.key, "set-default") { (store, keyset) throws(EnvelopeError) in
          try store.setDefault(keyset.id.string)
        }
        Console.say("The key \(key.key.shown) is the default now.")
      }
    }
  }
#endif
