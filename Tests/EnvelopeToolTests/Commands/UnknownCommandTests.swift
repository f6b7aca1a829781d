// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import Testing

  @testable import EnvelopeTool

  @Suite("Words that are no command", .timeLimit(.minutes(20))) struct UnknownCommandTests {
    let sandbox: Sandbox
    init() throws { sandbox = try Sandbox() }

    static let near: [(words: [String], command: String)] = [
      (["sael"], "envelope seal"), (["opne"], "envelope open"), (["keyz"], "envelope keys"),
      (["rotate"], "envelope keys rotate"),
      (["keys", "rotat"], "envelope keys rotate"), (["keys", "crate"], "envelope keys create"),
      (["audit", "verfy"], "envelope audit verify"), (["mig"], "envelope migrate"),
      (["help", "sael"], "envelope seal"),
      (["help", "keys", "lst"], "envelope keys list"), (["SEAL"], ""),
    ]

    @Test(arguments: near) func commandsThatAreNearAreNamed(words: [String], command: String) throws {
      let result = try sandbox.start(words).wait().failed(64, saying: "envelope: There is no command")
      #expect(result.messages.contains(command.isEmpty ? "See: envelope help" : "Did you mean: \(command)"))
      #expect(result.messages.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
      ["foo"], ["zzzzzzzz", "--function", "app"], ["keys", "foo"], ["audit", "foo"], ["help", "nope"],
      ["help", "keys", "nope"], ["help", "seal", "nope"], ["help", "help"], [""], ["keys", ""], ["keys", "help"],
    ]) func otherWordsAreRefused(words: [String]) throws {
      let result = try sandbox.start(words).wait().failed(64, saying: "envelope: There is no command")
      #expect(result.messages.contains("See: envelope help") || result.messages.contains("Did you mean"))
    }

    @Test(arguments: [
      ["seal", "--no-such-option"], ["get", "app.env"], ["open", "--format", "xml"], ["seal", "a", "b"],
      ["keys", "create", "a", "b"], ["keys", "rotate"], ["rewrap", ".", "--configured", "--to", "a"], ["--nothing"],
      ["budget"], ["get", "a", "--function"],
    ]) func parsersErrorsHaveTheSameVoice(words: [String]) throws {
      let result = try sandbox.start(words).wait().failed(64, saying: "envelope: ")
      let lines = result.messages.split(separator: "\n")
      #expect(lines.count == 1 && lines[0].hasPrefix("envelope: ") && !lines[0].contains("Error:"))
      let path = words.prefix { $0.allSatisfy { $0.isLetter } }.prefix(words[0] == "keys" ? 2 : 1)
      #expect(lines[0].hasSuffix(" See: " + (["envelope help"] + path).joined(separator: " ")), "\(lines[0])")
    }

    @Test(arguments: [
      [], ["keys"], ["audit"], ["--help"], ["seal", "--help"], ["help"], ["help", "keys", "list"], ["-h"],
    ])
    func helpIsNoFailure(words: [String]) throws {
      let result = try sandbox.start(words).wait().succeeded()
      #expect(result.text.hasPrefix("OVERVIEW: ") && result.messages.isEmpty)
    }

    @Test func helpThatCannotBeWrittenFails() throws {
      let result = try sandbox.start(["help"], outputPath: "/dev/full").wait()
      #expect(result.code == 74 && result.messages.hasPrefix("envelope: Cannot write standard output"))
    }
  }
#endif
