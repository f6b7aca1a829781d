// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "audit",
      abstract: "Keep and verify a log of every use of the key store's keys.",
      discussion: """
        The log lies beside the key store, named like it with .audit after: a line of JSON for each use and each change of a key, with time, key, version, operation, function and outcome. Each entry is chained to the one before by a hash whose key is in the store. A use that cannot be logged is refused.

        EXAMPLES
          envelope audit start
          envelope audit verify
          envelope audit verify --checkpoint 1042:kx9V…
        """,
      subcommands: [Start.self, Verify.self, End.self])

    struct Start: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the audit log: every use of a key is logged from now on.",
        discussion: """
          EXAMPLE
            envelope audit start
          """)

      func execute() async throws {
        let file = try KeyStoreFile()
        let store = try await ToolStore.open()
        guard store.keepsAuditLog || !Path(file.auditLogLocation).exists else {
          throw EnvelopeError(
            .keyExists, "There is an earlier log at \(file.auditLogLocation.shown), which is chained with another key",
            advice: "Move it away.")
        }
        try await ToolStore.update { (store) throws(EnvelopeError) in try store.startAuditLog() }
        Console.say("Uses of keys are logged to \(file.auditLogLocation.shown) from now on.")
      }
    }

    struct Verify: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify the audit log, and write a checkpoint to keep elsewhere.",
        discussion: """
          An entry that was removed, altered, added or moved is reported with its place. What was cut off at the end is found with an earlier checkpoint: keep each checkpoint where no one who can change the log can change it.

          EXAMPLES
            envelope audit verify >> /media/elsewhere/checkpoints
            envelope audit verify --checkpoint "$(tail -n 1 /media/elsewhere/checkpoints)"
          """)

      @Option(help: ArgumentHelp("The checkpoint that an earlier call wrote.", valueName: "count:head"))
      var checkpoint: String?

      func execute() async throws {
        var wanted: AuditLog.Checkpoint?
        if let checkpoint {
          do throws(EnvelopeError) {
            wanted = try AuditLog.Checkpoint(checkpoint)
          } catch {
            throw EnvelopeError(.usage, error.message, advice: error.advice)
          }
        }
        let checkpoint = try await AuditCommand.log().verify(against: wanted)
        Console.say("\(checkpoint.count == 1 ? "1 entry verifies" : "\(checkpoint.count) entries verify").")
        try Console.write("\(checkpoint)\n")
      }
    }

    struct End: EnvelopeSubcommand {
      static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End the audit log, and destroy the key that verifies it.",
        discussion: """
          EXAMPLE
            envelope audit verify && envelope audit end
          """)

      func execute() async throws {
        let log = try await AuditCommand.log()
        try await ToolStore.update { (store) throws(EnvelopeError) in store.endAuditLog() }
        Console.say("Uses of keys are no longer logged. \(log.location.shown) stays, and can no longer be verified.")
      }
    }

    /// The log of the store in its usual place.
    private static func log() async throws -> AuditLog {
      let store = try await ToolStore.open()
      guard let log = try ToolStore.file().auditLog(of: store) else {
        throw EnvelopeError(.noInput, "The key store keeps no log of uses", advice: "Start one: envelope audit start")
      }
      return log
    }
  }
#endif
