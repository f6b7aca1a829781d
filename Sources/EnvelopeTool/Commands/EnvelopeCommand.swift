// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit

  /// The command `envelope`.
  struct EnvelopeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "envelope",
      abstract: "Seals the environment variables of functions, and opens them where they run.",
      discussion: """
        EXAMPLES
          envelope seal .env --function checkout -o checkout.env
          envelope exec checkout.env --function checkout -- ./server
          envelope set checkout.env API_KEY --function checkout
          envelope keys rotate default && envelope rewrap .
          envelope explain checkout.env
          envelope seal .env --function checkout --format lambda > variables.json
          aws lambda update-function-configuration --function-name checkout \\
            --environment file://variables.json

        EXIT CODES
          64  the command was called wrongly       65  altered, malformed or of another context
          66  there is nothing to read             69  the key service cannot be reached
          70, 71  a failure inside                 73, 74  a file cannot be made, read or written
          77  no key, or not permitted             78  envelope.yaml cannot be followed

        Data goes to standard output, everything else to standard error. Secrets are never taken from arguments.
        """,
      version: "envelope 1.0.0 (format 1)",
      subcommands: [
        SealCommand.self, OpenCommand.self, GetCommand.self, SetCommand.self, UnsetCommand.self, EditCommand.self,
        ExecCommand.self, AcceptCommand.self, MigrateCommand.self, InspectCommand.self, BudgetCommand.self,
        KeysCommand.self, RewrapCommand.self, ResealCommand.self, ExplainCommand.self,
        AuditCommand.self,
      ])

    /// Runs what the arguments ask for, tells of failures on standard error, and returns the exit code.
    static func status(of arguments: [String]) async -> Int32 {
      do {
        if let execution = Execution(arguments: arguments) { return try await execution.run() }
        var command = try parseAsRoot(arguments)
        if let command = command as? any EnvelopeSubcommand {
          try await command.execute()
        } else {
          try command.run()
        }
        return 0
      } catch let error as EnvelopeError {
        Console.say("envelope: \(error)")
        Configuration.reportRefusal()
        return ExitStatus(error.code).rawValue
      } catch {
        return status(of: error, arguments)
      }
    }

    /// Writes help, version, completions, or what is wrong with the arguments, and returns the exit code.
    private static func status(of error: any Error, _ arguments: [String]) -> Int32 {
      guard exitCode(for: error) != .success else { exit(withError: error) }
      // The parser quotes arguments, which may be names of files, as they are: it is given them escaped.
      var error = error
      let escaped = arguments.map(EnvelopeError.escaped)
      if escaped != arguments { do { _ = try parseAsRoot(escaped) } catch let other { error = other } }
      let message = fullMessage(for: error)
      if !message.isEmpty {
        for line in message.split(separator: "\n", omittingEmptySubsequences: false) { Console.say(String(line)) }
      }
      return exitCode(for: error).rawValue
    }
  }

  /// A command that may wait for a key service.
  ///
  /// ArgumentParser's own protocol for that would start it on another thread, which costs more than most commands.
  protocol EnvelopeSubcommand: ParsableCommand {
    /// Does what is asked.
    func execute() async throws
  }
#endif
