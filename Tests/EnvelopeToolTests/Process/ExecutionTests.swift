// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import TestSupport
  import Testing

  @testable import EnvelopeTool

  /// `exec` reads plain calls itself: where it does, it must read what the parser of all commands reads.
  @Suite(.timeLimit(.minutes(20))) struct ExecutionTests {
    private func parsed(_ arguments: [String]) throws -> Execution {
      let command = try #require(EnvelopeCommand.parsed(arguments) as? ExecCommand)
      return Execution(
        files: command.file, function: command.options.function, context: command.options.context,
        keys: command.keys.key, keyService: command.keys.keyService, isPristine: command.pristine,
        isRedacting: command.redact, acceptsAnonymousSender: command.trust.acceptAnonymousSender,
        changeablePlain: command.trust.change.allowChanged, command: command.command)
    }

    @Test(arguments: seeds)
    func whatIsReadHereIsReadAlikeThere(seed: UInt64) throws {
      let words = [
        "--", "--pristine", "--redact", "--function", "--context", "checkout", "a=b", "team=payments", "checkout.env",
        "-", "-f",
        "--function=checkout", "--context=a=b", "--help", "-h", "--version", "--json", "", "exec", "x y", "--prist",
        "--key", "--region", "--profile", "--endpoint-url", "--ca-bundle", "--key=alias/a", "alias/a",
        "--accept-anonymous-sender", "--allow-changed", "LOG_LEVEL",
      ]
      var random = SplitMix64(seed: seed)
      var taken = 0
      for _ in 0..<600 {
        var arguments =
          ["exec"] + (0..<Int.random(in: 0...5, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
        if Bool.random(using: &random) { arguments += ["--", "./server", "--port", "8080"] }
        guard let execution = Execution(arguments: arguments) else { continue }
        taken += 1
        #expect(try parsed(arguments) == execution, "seed \(seed): \(arguments)")
      }
      #expect(taken > 10, "seed \(seed): the words hardly ever make a plain call")
    }

    @Test func aPlainCallIsTaken() {
      let execution = Execution(arguments: [
        "exec", "checkout.env", "--function", "checkout", "--context", "a=b", "--pristine", "--redact", "--key",
        "alias/a",
        "--region", "r", "--accept-anonymous-sender", "--allow-changed", "A", "--allow-changed", "B",
        "--profile", "p", "--endpoint-url", "https://h", "--ca-bundle", "ca.pem", "--", "./server", "--", "-x",
      ])
      #expect(
        execution
          == Execution(
            files: ["checkout.env"], function: "checkout", context: ["a=b"], keys: ["alias/a"],
            keyService: KeyServiceSettings(region: "r", profile: "p", endpointURL: "https://h", caBundle: "ca.pem"),
            isPristine: true, isRedacting: true, acceptsAnonymousSender: true, changeablePlain: ["A", "B"],
            command: ["./server", "--", "-x"]))
      #expect(Execution(arguments: ["exec", "--", "true"])?.command == ["true"])
      #expect(Execution(arguments: ["exec", "a", "-", "--function", "f", "b", "--", "c"])?.files == ["a", "-", "b"])
    }

    @Test(arguments: [
      [], ["seal", "--", "true"], ["exec"], ["exec", "--"],
      ["exec", "-h", "--", "true"],
      ["exec", "--function", "--", "true"], ["exec", "--function", "a", "--function", "b", "--", "true"],
      ["exec", "--region", "a", "--region", "b", "--", "true"], ["exec", "--key", "--", "true"],
      ["exec", "--functions", "a", "--", "true"], ["exec", "", "--", "true"], ["exec", "--pristine=1", "--", "true"],
    ])
    func anyOtherIsLeftToTheParser(arguments: [String]) {
      #expect(Execution(arguments: arguments) == nil)
    }
  }
#endif
