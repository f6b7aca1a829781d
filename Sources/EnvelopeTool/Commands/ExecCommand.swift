// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser

  struct ExecCommand: EnvelopeSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "exec",
      abstract: "Run a command with the opened variables in its environment.",
      usage: "envelope exec [<file> ...] [<options>] -- <command> ...",
      discussion: """
        EXAMPLES
          envelope exec checkout.env --function checkout -- ./server --port 8080
          envelope exec common.env checkout.env --function checkout -- ./server
          envelope exec --function checkout -- ./server

        If several files have a variable, the value of the last file counts, and that is reported. Each file is verified by itself: whoever can write all of them can exchange files of one function.

        Without a file it opens the environment that it was started with, and in AWS Lambda takes the function's name from AWS_LAMBDA_FUNCTION_NAME unless --function is given. Unless --redact is given, it replaces itself by the command, which sees no sealed variable and no header, and whose exit code is the command's own: 126 if it cannot be run, 127 if it is not found.
        """)

    @Argument(help: "The files with the sealed variables; - is standard input.", completion: .file())
    var file: [String] = []

    @OptionGroup var options: FunctionOptions

    @OptionGroup var keys: KeyOptions

    @Flag(help: "Give the command the file's variables and nothing of this environment.")
    var pristine = false

    @Flag(
      help:
        "Mask the opened secrets in the command's standard output and standard error, also if they are written in base64, hexadecimal or escaped. The command writes to pipes, even if the output is a terminal, and envelope stays its parent until all its output is written. If a signal ends the command, the exit code is 128 and the signal's number."
    )
    var redact = false

    @OptionGroup var trust: TrustOptions

    /// The command and its arguments, after `--`, which the parser is not given: it takes one list of words only.
    var command: [String] = []

    private enum CodingKeys: CodingKey {
      case file, options, keys, pristine, redact, trust
    }

    func execute() async throws {
      let execution = Execution(
        files: file, function: options.function, context: options.context, keys: keys.key, keyService: keys.keyService,
        isPristine: pristine, isRedacting: redact, acceptsAnonymousSender: trust.acceptAnonymousSender,
        changeablePlain: trust.change.allowChanged, command: command)
      throw ExitCode(try await execution.run())
    }
  }
#endif
