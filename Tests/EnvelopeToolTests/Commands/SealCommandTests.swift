// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct SealCommandTests {
  /// What cannot be read may be anything: it is not written over.
  @Test func anOutputThatHoldsSomethingElseIsLeftAlone() throws {
    let sandbox = try Sandbox()
    try sandbox.write("not variables\n", to: "out.txt")
    try sandbox.start(["seal", "-", "--function", "app", "-o", "out.txt"], input: Data("A=1\n".utf8)).wait()
      .failed(73, saying: "--force")
    #expect(try sandbox.read("out.txt") == "not variables\n")
  }

  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  @Test func firstSealMakesTheKeyStoreAndSaysSo() throws {
    try sandbox.write("TOKEN=abc\n", to: ".env")
    let result = try sandbox.envelope("seal", "--function", "app", "-o", "app.env").succeeded()
    #expect(result.output.isEmpty)
    #expect(result.messages.contains(sandbox.keyStore))
    #expect(result.messages.contains("Sealed 1 variable for function app under default ("))
    #expect(try sandbox.mode(of: sandbox.keyStore) == 0o600)
    #expect(try sandbox.mode(of: sandbox.root + "/home/.local/share/envelope") == 0o700)
    #expect(try sandbox.opened() == ["TOKEN": "abc"])
    let second = try sandbox.envelope("seal", "--function", "app", "-o", "app.env").succeeded()
    #expect(!second.messages.contains(sandbox.keyStore))
  }

  static let formats = [
    ["--format", "dotenv"], ["--format", "json"], ["--format", "lambda"], ["--format", "packed"],
    ["--format", "json", "--packed"], ["--format", "lambda", "--packed"],
  ]

  @Test(arguments: formats) func everyFormatIsReadByEveryCommand(format: [String]) throws {
    try sandbox.write("ONE=first\nTWO='second value'\nPLAIN=seen\n", to: ".env")
    let seal = ["seal", ".env", "--function", "app", "--plain", "PLAIN"] + format
    let sealed = try sandbox.start(seal).wait().succeeded()
    #expect(!sealed.text.contains("first"))
    try sandbox.write(sealed.text, to: "app.env")

    #expect(try sandbox.opened() == ["ONE": "first", "TWO": "second value", "PLAIN": "seen"])
    #expect(try sandbox.envelope("get", "app.env", "TWO", "--function", "app").succeeded().text == "second value")
    #expect(try sandbox.envelope("get", "app.env", "PLAIN", "--function", "app").succeeded().text == "seen")
    try sandbox.envelope("set", "app.env", "THREE", "--function", "app", input: "third\n").succeeded()
    try sandbox.envelope("unset", "app.env", "ONE", "--function", "app").succeeded()
    try sandbox.writeScript("sed -i 's/third/3/' \"$1\"", to: "editor")
    try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    let values = ["TWO": "second value", "THREE": "3", "PLAIN": "seen"]
    #expect(try sandbox.opened() == values)
    let run = try sandbox.envelope(
      "exec", "app.env", "--function", "app", "--", "sh", "-c", "echo \"$TWO,$THREE,$PLAIN,${ONE-none}\"")
    #expect(run.succeeded().text == "second value,3,seen,none\n")
    try sandbox.envelope("inspect", "app.env").succeeded()
    try sandbox.envelope("budget", "app.env").succeeded()
    #expect(
      try sandbox.envelope("accept", "app.env", "--function", "app").succeeded().messages.contains("verifies as it is"))
    // The form stays what it was.
    #expect(try sandbox.read("app.env").contains("ENVELOPE_SEALED") == sealed.text.contains("ENVELOPE_SEALED"))
    #expect(try sandbox.read("app.env").hasPrefix(String(sealed.text.prefix(8))))
  }

  @Test func aWholeAnswerOfThePlatformIsRead() throws {
    let document = try sandbox.envelope("seal", "-", "--function", "app", "--format", "lambda", input: "AA=1\nBB=2\n")
    let answer = """
      {"FunctionName": "app", "FunctionArn": "arn:aws:lambda:eu-central-1:111122223333:function:app",
       "Layers": [{"Arn": "x", "CodeSize": 1}], "VpcConfig": null,
       "Environment": \(document.succeeded().text), "Timeout": 3}
      """
    try sandbox.write(answer, to: "answer.json")
    #expect(try sandbox.opened("answer.json") == ["AA": "1", "BB": "2"])
    try sandbox.envelope("set", "answer.json", "CC", "--function", "app", input: "3").succeeded()
    #expect(try sandbox.opened("answer.json") == ["AA": "1", "BB": "2", "CC": "3"])
  }

  @Test(arguments: [["--format", "dotenv"], ["--format", "packed"]])
  func aSealedVariableTurnsPlainOnlyWhereAllowed(format: [String]) throws {
    try sandbox.write("LEVEL=debug\nTOKEN=abc\n", to: ".env")
    let seal = ["seal", ".env", "--function", "app", "-o", "app.env"] + format
    try sandbox.start(seal).wait().succeeded()
    let before = try sandbox.readBytes("app.env")
    try sandbox.start(seal + ["--plain", "LEVEL"]).wait().failed(64, saying: "LEVEL")
    #expect(try sandbox.readBytes("app.env") == before)
    try sandbox.start(seal + ["--plain", "LEVEL", "--allow-plain", "LEVEL"]).wait().succeeded()
    #expect(try sandbox.read("app.env").contains("LEVEL=debug\n"))
    // Once plain, it may stay so; and it may be sealed again.
    try sandbox.start(seal + ["--plain", "LEVEL"]).wait().succeeded()
    try sandbox.start(seal).wait().succeeded()
    #expect(try !sandbox.read("app.env").contains("debug"))
  }

  @Test func plainMustNameAVariable() throws {
    try sandbox.write("TOKEN=abc\n", to: ".env")
    try sandbox.envelope("seal", "--function", "app", "--plain", "LEVEL").failed(64, saying: "LEVEL")
  }

  @Test func theGenerationRisesOverThePreviousFile() throws {
    struct Report: Decodable { let generation: UInt32 }
    var last: UInt32 = 0
    for _ in 0..<4 {
      try sandbox.seal("A=1\n")
      let report = try sandbox.envelope("inspect", "app.env", "--json").succeeded()
      let generation = try JSONDecoder().decode(Report.self, from: report.output).generation
      #expect(generation > last)
      last = generation
    }
  }

  @Test(arguments: [
    "AWS_REGION", "_HANDLER", "AWS_LAMBDA_FUNCTION_NAME", "AWS_SESSION_TOKEN", "X", "_A", "LAMBDA_TASK_ROOT",
  ])
  func namesThatThePlatformDoesNotTakeAreNamed(name: String) throws {
    try sandbox.write("\(name)=marker-value\nGOOD=1\n", to: ".env")
    let result = try sandbox.envelope("seal", "--function", "app", "--format", "lambda").failed(65, saying: name)
    #expect(!result.messages.contains("marker-value"))
    #expect(!result.messages.contains("GOOD"))
    try sandbox.envelope("seal", "--function", "app", "--format", "lambda", "--plain", name).failed(65, saying: name)
  }

  @Test func theWrapperOfThePlatformIsTheOwnersToSet() throws {
    try sandbox.envelope(
      "seal", "-", "--function", "app", "--format", "lambda", input: "AWS_LAMBDA_EXEC_WRAPPER=/opt/x\n"
    ).succeeded()
  }

  @Test(arguments: ["ENVELOPE_HEADER=x\n", "ENVELOPE_SEALED=x\n", "A=ev1:abcd\n", "1A=x\n", "A-B=x\n"])
  func whatCannotBeSealedIsRefused(text: String) throws {
    let result = try sandbox.envelope("seal", "-", "--function", "app", input: text)
    #expect(result.code == 65 || result.code == 66)
    #expect(result.output.isEmpty && !result.messages.isEmpty)
  }

  @Test func whatIsSealedIsNotSealedTwice() throws {
    try sandbox.seal("A=1\n")
    try sandbox.envelope("seal", "app.env", "--function", "app").failed(65, saying: "already")
  }

  @Test func moreThanThePlatformTakesIsRefused() throws {
    let text = (0..<60).map { "VARIABLE_\($0)=01234567890123456789\n" }.joined()
    let seal = ["seal", "-", "--function", "app", "--format", "lambda"]
    try sandbox.start(seal, input: Data(text.utf8)).wait().failed(65, saying: "--packed")
    try sandbox.start(seal + ["--packed"], input: Data(text.utf8)).wait().succeeded()
    let large = try sandbox.start(seal + ["--allow-oversize"], input: Data(text.utf8)).wait().succeeded()
    #expect(large.output.count > 4096)
    let huge = Data((0..<200).map { "VARIABLE_\($0)=01234567890123456789\n" }.joined().utf8)
    let result = try sandbox.start(seal + ["--packed"], input: huge).wait().failed(65, saying: "--allow-oversize")
    #expect(!result.messages.contains("--packed"))
  }

  @Test func sealsUnderEveryKeyNamedAndSaysWhich() throws {
    try sandbox.envelope("keys", "create", "first").succeeded()
    try sandbox.envelope("keys", "create", "second").succeeded()
    let result = try sandbox.seal("A=1\n", "--key", "first", "--key", "second")
    #expect(result.messages.contains("under first (") && result.messages.contains(" and second ("))
    let report = try sandbox.envelope("inspect", "app.env").succeeded().text
    #expect(report.components(separatedBy: "keyset ").count == 3)
    try sandbox.envelope("seal", "-", "--function", "app", "--key", "third", input: "A=1\n").failed(77, saying: "third")
  }

  @Test func theSameKeyTwiceIsTakenOnce() throws {
    try sandbox.envelope("keys", "create", "first").succeeded()
    try sandbox.seal("A=1\n", "--key", "first", "--key", "first")
    #expect(try sandbox.opened() == ["A": "1"])
  }

  @Test func twoFirstSealsAtOnceMakeOneKey() throws {
    let running = try (0..<6).map { number in
      try sandbox.start(["seal", "-", "--function", "app", "-o", "\(number).env"], input: Data("A=\(number)\n".utf8))
    }
    for process in running { try process.wait().succeeded() }
    #expect(try sandbox.envelope("keys", "list").succeeded().text.components(separatedBy: "\n").count == 2)
    for number in 0..<6 { #expect(try sandbox.opened("\(number).env") == ["A": "\(number)"]) }
  }

  @Test func anotherFunctionsContextDoesNotOpen() throws {
    try sandbox.seal("A=1\n", "--context", "team=payments")
    try sandbox.envelope("open", "app.env", "--function", "app").failed(65)
    try sandbox.envelope("open", "app.env", "--function", "other", "--context", "team=payments").failed(65)
    try sandbox.envelope("open", "app.env", "--function", "app", "--context", "team=payments").succeeded()
  }

  @Test(arguments: [["--context", "team"], ["--context", "=x"], ["--context", "x="], ["--context", "function=x"]])
  func aContextIsAPair(arguments: [String]) throws {
    try sandbox.start(["seal", "-", "--function", "app"] + arguments).wait().failed(64, saying: "KEY=VALUE")
  }

  @Test func portableRefusesWhatReadersDisagreeAbout() throws {
    try sandbox.write("A=\"it's \\$5\"\n", to: ".env")
    try sandbox.envelope("seal", "--function", "app", "--plain", "A", "--portable").failed(65, saying: "A")
    #expect(try sandbox.envelope("seal", "--function", "app", "--plain", "A").succeeded().messages.contains(": A.\n"))
  }
}
