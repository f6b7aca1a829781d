// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `exec` with several files, and with variables that the system does not take.
@Suite(.timeLimit(.minutes(20))) struct ExecFilesTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("A=1\nBOTH=first\nPLAIN=1\n", "--plain", "PLAIN", to: "a.env")
    try sandbox.seal("B=2\nBOTH=second\nPLAIN=2\n", "--plain", "PLAIN", to: "b.env")
  }

  private let show = ["--", "sh", "-c", "echo \"$A,$B,$BOTH,$PLAIN\""]

  @Test(arguments: [
    (["a.env", "b.env"], "1,2,second,2\n", "b.env"), (["b.env", "a.env"], "1,2,first,1\n", "a.env"),
    (["a.env", "b.env", "a.env"], "1,2,first,1\n", "a.env"),
  ]) func laterFilesWinAndThatIsSaid(files: [String], text: String, last: String) throws {
    let result = try sandbox.start(["exec"] + files + ["--function", "app"] + show).wait().succeeded()
    #expect(result.text == text)
    #expect(result.messages.contains("\(last) replaces variables of an earlier file: "))
    #expect(result.messages.contains("BOTH, PLAIN"))
    #expect(!result.messages.contains("second"))
  }

  /// Options that only the parser of all commands understands lead to the same.
  @Test func theParserOfAllCommandsDoesTheSame() throws {
    let result = try sandbox.start(["exec", "a.env", "b.env", "--function=app"] + show).wait().succeeded()
    #expect(result.text == "1,2,second,2\n" && result.messages.contains("BOTH, PLAIN"))
  }

  @Test func ofFilesThatShareNothingNothingIsSaid() throws {
    try sandbox.seal("C=3\n", to: "c.env")
    let result = try sandbox.start(["exec", "a.env", "c.env", "--function", "app", "--", "printenv", "C"]).wait()
    #expect(result.succeeded().text == "3\n" && result.messages.isEmpty)
  }

  @Test func eachFileHasItsFunction() throws {
    try sandbox.seal("C=3\n", to: "c.env")
    try sandbox.write("functions:\n  app:\n    file: a.env\n  other:\n    file: other.env\n", to: "envelope.yaml")
    try sandbox.start(["seal", "-", "-o", "other.env"], input: Data("O=4\n".utf8)).wait().succeeded()
    let result = try sandbox.start(["exec", "a.env", "other.env", "--", "sh", "-c", "echo $A,$O"]).wait()
    #expect(result.succeeded().text == "1,4\n")
  }

  @Test(arguments: [["a.env", "none.env"], ["none.env", "a.env"], ["a.env", "plain.env"], ["a.env", "altered.env"]])
  func whereOneDoesNotOpenNothingRuns(files: [String]) throws {
    try sandbox.write("X=1\n", to: "plain.env")
    try sandbox.write(sandbox.read("b.env").replacingOccurrences(of: "PLAIN=2", with: "PLAIN=3"), to: "altered.env")
    let result = try sandbox.start(["exec"] + files + ["--function", "app", "--", "touch", "ran"]).wait()
    #expect(
      [65, 66].contains(result.code) && result.messages.contains(files.first { $0 != "a.env" } ?? "")
        || result.messages.contains("PLAIN"))
    #expect(!sandbox.exists("ran"))
  }

  #if os(Linux)
    private func set(_ name: String, _ byteCount: Int) throws {
      try sandbox.envelope(
        ["set", "a.env", name, "--function", "app"], bytes: Data(repeating: 0x78, count: byteCount)
      ).succeeded()
    }

    @Test func aVariableThatIsTooLongIsNamed() throws {
      let limit = 32 * Int(sysconf(Int32(_SC_PAGESIZE)))
      // Name, `=` and NUL count.
      try set("BIG", limit - 5)
      let run = ["exec", "a.env", "--function", "app", "--"]
      #expect(try sandbox.start(run + ["sh", "-c", "echo ${#BIG}"]).wait().succeeded().text == "\(limit - 5)\n")
      try set("BIG", limit - 4)
      for command in ["true", "/bin/true", "./script"] {
        try sandbox.writeProgram("true\n", to: "script")
        let result = try sandbox.start(run + [command]).wait()
        #expect(result.ending == .exit(126))
        #expect(result.messages.contains("BIG (\(limit == 131_072 ? "131,073" : "")"), "\(result.messages)")
        #expect(!result.messages.contains("xxxx") && !result.messages.contains(" A ("))
      }
      // A command that is not there is the first to be said.
      #expect(try sandbox.start(run + ["no-such-command-here"]).wait().ending == .exit(127))
    }

    @Test func allTogetherAreTooLong() throws {
      for number in 0..<10 { try set("BIG\(number)", 100_000 + number) }
      let result = try sandbox.shell("ulimit -s 2048; \"$ENVELOPE\" exec a.env --function app -- true")
      #expect(result.ending == .exit(126))
      #expect(
        result.messages.contains("variables and arguments together") && result.messages.contains("BIG9 (100,015)"))
    }
  #endif
}
