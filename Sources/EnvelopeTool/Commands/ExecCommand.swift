// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  struct ExecCommand: MainThreadCommand {
    static let configuration = CommandConfiguration(
      commandName: "exec",
      abstract: "Runs a command with the opened variables in its environment.",
      discussion: """
        EXAMPLES
          envelope exec checkout.env --function checkout -- ./server --port 8080
          envelope exec --function checkout -- ./server

        Without a file it opens the environment that it was started with, and takes the function's name from
        AWS_LAMBDA_FUNCTION_NAME unless told. It replaces itself by the command, which sees no sealed variable and
        no header, and whose exit code is the command's own: 126 where it cannot be run, 127 where it is not found.
        """)

    @Argument(help: "The file with the sealed variables; - is standard input.")
    var file: String?

    @OptionGroup var options: FunctionOptions

    @Flag(help: "Give the command the file's variables and nothing of this environment.")
    var pristine = false

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    func run() async throws {
      guard !command.isEmpty else {
        throw EnvelopeError(.usage, "There is no command to run", advice: "Give it after --, as in: -- ./server")
      }
      let document = try file.map { (file) throws(EnvelopeError) in try Document.read(file) }
      let variables: [String: String]
      if let file, let document {
        variables = try document.requireSealed(in: file).variables
      } else {
        variables = ProcessEnvironment.variables
      }
      var options = options
      if file == nil { options.function = options.function ?? variables["AWS_LAMBDA_FUNCTION_NAME"] }
      let settings = try options.settings(file: file)
      let secrets = try await HandlerSecrets.open(
        using: LocalKeys.opening(), context: settings.context, variables: variables)
      let environment = try ChildEnvironment(
        (document?.plain.secrets ?? []) + secrets.secrets, inheriting: !pristine)
      throw ExitCode(try environment.run(command))
    }
  }
#endif
