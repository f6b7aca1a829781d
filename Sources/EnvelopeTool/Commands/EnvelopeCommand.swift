// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit

  /// The command `envelope`.
  struct EnvelopeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "envelope",
      abstract: "Seal the environment variables of functions, and files, and open them where they are needed.",
      discussion: """
        EXAMPLES
          envelope seal .env --function checkout -o checkout.env
          envelope exec checkout.env --function checkout -- ./server
          envelope set checkout.env API_KEY --function checkout
          envelope keys rotate default && envelope rewrap .
          envelope explain checkout.env
          envelope file seal dump.sql -o dump.sql.sealed
          envelope logs open shop.log --context service=shop
          envelope seal .env --function checkout --format lambda > variables.json
          aws lambda update-function-configuration --function-name checkout --environment file://variables.json

        EXIT CODES
          0   done
          64  the command was called wrongly
          65  the data is altered, malformed, stale or of another context
          66  there is nothing to read: no such file, variable or header
          69  the key service cannot be reached, or refuses; or a suite is not supported
          70  a failure inside the command
          71  a failure of the system: no memory, no randomness
          73  the output cannot be created, or holds what would be lost
          74  a file cannot be read or written
          77  no key, or not permitted
          78  envelope.yaml cannot be followed

        exec ends with the exit code of the command that it runs, with 126 if that cannot be run, and with 127 if it is not found.

        Data goes to standard output, everything else to standard error. Secrets are never taken from arguments.
        """,
      version: "envelope \(EnvelopeKitVersion.current) (format 1)",
      subcommands: [
        InitCommand.self, SealCommand.self, OpenCommand.self, GetCommand.self, SetCommand.self, UnsetCommand.self,
        EditCommand.self,
        ExecCommand.self, AcceptCommand.self, MigrateCommand.self, InspectCommand.self, BudgetCommand.self,
        KeysCommand.self, RewrapCommand.self, ResealCommand.self, ExplainCommand.self,
        FileCommand.self, LogsCommand.self, TracesCommand.self, AuditCommand.self,
      ])

    /// Runs what the arguments ask for, tells of failures on standard error, and returns the exit code.
    static func status(of arguments: [String]) async -> Int32 {
      do {
        if let execution = Execution(arguments: arguments) { return try await execution.run() }
        _ = try CommandEntry.named(by: arguments)
        var command = try parsed(arguments)
        if let command = command as? any EnvelopeSubcommand {
          try await command.execute()
        } else {
          try command.run()
        }
        return 0
      } catch let error as EnvelopeError {
        Console.say("envelope: \(error.sentences)")
        Configuration.reportRefusal()
        return ExitStatus(error.code).rawValue
      } catch {
        return status(of: error, arguments)
      }
    }

    /// Reads the arguments; what follows `--` in a call of `exec` is a command.
    static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
      guard arguments.first == "exec", let end = arguments.firstIndex(of: "--") else {
        return try parseAsRoot(arguments)
      }
      let command = try parseAsRoot(Array(arguments[..<end]))
      guard var execution = command as? ExecCommand else { return command }
      execution.command = Array(arguments[(end + 1)...])
      return execution
    }

    /// Writes help, version, completions, or what is wrong with the arguments, and returns the exit code.
    private static func status(of error: any Error, _ arguments: [String]) -> Int32 {
      // First of all: the parser itself ends the process if it lays out help for a few columns. At this width, which no
      // paragraph has, each is one line.
      let text = fullMessage(for: error, columns: 1 << 20)
      if text.hasPrefix("OVERVIEW: ") { return show(text) }
      guard exitCode(for: error) != .success else { exit(withError: error) }
      // The parser quotes arguments, which may be names of files, as they are: it is given them escaped.
      var error = error
      let escaped = arguments.map(EnvelopeError.escaped)
      if escaped != arguments { do { _ = try parsed(escaped) } catch let other { error = other } }
      let code = exitCode(for: error)
      let sentences = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
      // The command that was run has said what there is to say.
      guard let last = sentences.last else { return code.rawValue }
      let path = (try? CommandEntry.named(by: arguments).path) ?? []
      Console.say(
        "envelope: \(sentences)\(".?!".contains(last) ? "" : ".") See: \((["envelope help"] + path).joined(separator: " "))"
      )
      return code == .failure ? ExitStatus.software.rawValue : code.rawValue
    }

    /// Writes help, laid out for the width there is.
    private static func show(_ help: String) -> Int32 {
      do throws(EnvelopeError) {
        try Console.write(HelpText.wrapped(help, to: Console.columns) + "\n")
        return 0
      } catch {
        Console.say("envelope: \(error.sentences)")
        return ExitStatus(error.code).rawValue
      }
    }
  }

  /// A command that may wait for a key service.
  ///
  /// ArgumentParser's own protocol for that would start it on another thread, which costs more than most commands.
  protocol EnvelopeSubcommand: ParsableCommand {
    /// Does what is asked.
    func execute() async throws
  }

  extension Configuration {
    /// Says on standard error why `envelope.yaml` was left out, if it was.
    static func reportRefusal() {
      guard let error = reasonForLeavingOut else { return }
      Console.say("envelope: envelope.yaml was not followed: \(error.sentences)")
    }
  }
#endif
