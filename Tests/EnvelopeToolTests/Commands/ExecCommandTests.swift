// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct ExecCommandTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=opened secret\nLEVEL=debug\n", "--plain", "LEVEL")
  }

  private func exec(_ command: String..., with variables: [String: String] = [:]) throws -> Outcome {
    try sandbox.start(["exec", "app.env", "--function", "app", "--"] + command, with: variables).wait()
  }

  @Test func theCommandSeesTheVariables() throws {
    let variables = ["OTHER": "inherited", "TOKEN": "not this"]
    let result = try exec("sh", "-c", "echo \"$TOKEN,$LEVEL,$OTHER\"", with: variables)
    #expect(result.succeeded().text == "opened secret,debug,inherited\n")
  }

  @Test(arguments: [0, 1, 42, 64, 255] as [Int32]) func theExitCodeIsTheCommands(code: Int32) throws {
    #expect(try exec("sh", "-c", "exit \(code)").ending == .exit(code))
  }

  @Test(arguments: [SIGTERM, SIGKILL, SIGINT, SIGSEGV]) func theSignalIsTheCommands(signal: Int32) throws {
    #expect(try exec("sh", "-c", "kill -\(signal) $$").ending == .signal(signal))
  }

  @Test func theCommandTakesTheProcesssPlace() throws {
    let running = try sandbox.start(["exec", "app.env", "--function", "app", "--", "sh", "-c", "echo $$"])
    #expect(try running.wait().text == "\(running.process)\n")
  }

  @Test func signalsReachTheCommand() throws {
    try sandbox.makePipe("ready")
    let running = try sandbox.start([
      "exec", "app.env", "--function", "app", "--", "sh", "-c",
      "trap 'echo caught; exit 7' TERM; echo > ready; while :; do sleep 0.05; done",
    ])
    try sandbox.waitForPipe("ready")
    running.send(SIGTERM)
    let result = try running.wait()
    #expect(result.ending == .exit(7))
    #expect(result.text == "caught\n")
  }

  @Test(arguments: [["exec", "app.env"], ["exec", "app.env", "--pristine"]])
  func noSignalIsHeldBackOrIgnored(arguments: [String]) throws {
    let program = "import signal; print(signal.pthread_sigmask(0, []))"
    let command = ["--function", "app", "--", try Tool.python, "-c", program]
    #expect(try sandbox.start(arguments + command).wait().succeeded().text == "set()\n")
  }

  @Test func pristineGivesTheFilesVariablesAlone() throws {
    let result = try sandbox.envelope("exec", "app.env", "--function", "app", "--pristine", "--", "env")
    #expect(result.succeeded().text.split(separator: "\n").sorted() == ["LEVEL=debug", "TOKEN=opened secret"])
  }

  @Test(arguments: ["dotenv", "packed"]) func withoutAFileItOpensItsOwnEnvironment(format: String) throws {
    try sandbox.seal("TOKEN=opened secret\n", "--format", format, to: "own.env")
    let lambda = "AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 AWS_LAMBDA_RUNTIME_API=localhost:1"
    let named = "AWS_LAMBDA_FUNCTION_NAME=app \"$ENVELOPE\" exec"
    // Outside AWS Lambda the name proves nothing: whoever sets the variables sets it, too.
    try sandbox.shell("set -a; . ./own.env; \(named) -- env").failed(64, saying: "--function")
    for function in ["\(lambda) \(named)", "\"$ENVELOPE\" exec --function app"] {
      let result = try sandbox.shell("set -a; . ./own.env; \(function) -- env")
      #expect(result.succeeded().text.contains("TOKEN=opened secret\n"))
      #expect(!result.text.contains("ENVELOPE_") && !result.text.contains("=ev1:"))
      #expect(result.text.contains("HOME="))
    }
  }

  @Test func withoutAFileOrAnEnvironmentItFails() throws {
    try sandbox.envelope("exec", "--function", "app", "--", "true").failed(66)
    try sandbox.envelope("exec", "--", "true").failed(64)
    try sandbox.envelope("exec", "app.env", "--function", "app").failed(64, saying: "--")
    try sandbox.envelope("exec", "app.env", "--function", "app", "--", "").failed(64)
  }

  @Test func theCommandSeesNothingSealed() throws {
    let leftovers = ["ENVELOPE_HEADER": "ek1:x", "ENVELOPE_SEALED": "ek1:x", "OTHER": "ev1:x", "MARK": "ev1:\u{301}"]
    let text = try exec("env", with: leftovers).succeeded().text
    #expect(!text.contains("ENVELOPE_HEADER") && !text.contains("ENVELOPE_SEALED") && !text.contains("ev1:"))
  }

  @Test func aCombiningCharacterHidesNothing() throws {
    let text = try exec("env", with: ["TOKEN": "\u{301}not this", "ENVELOPE_SEALED": "\u{301}"]).succeeded().text
    #expect(text.contains("TOKEN=opened secret\n"))
    #expect(!text.contains("not this") && !text.contains("ENVELOPE_SEALED"))
  }

  @Test func variablesThatAreNotUTF8ArePassedOn() throws {
    let result = try sandbox.shell(
      "OTHER=$(printf 'a\\377b') \"$ENVELOPE\" exec app.env --function app -- sh -c 'printf %s \"$OTHER\"'")
    #expect(result.succeeded().output == Data([97, 255, 98]))
  }

  @Test func argumentsArePassedOnAsTheyAre() throws {
    let result = try exec("printf", "[%s]", "two words", "", "$TOKEN", "--function", "-x", "é", "a\nb")
    #expect(result.succeeded().text == "[two words][][$TOKEN][--function][-x][é][a\nb]")
  }

  @Test func theCommandIsLookedForInPath() throws {
    try sandbox.makeFolder("bin")
    try sandbox.makeFolder("other")
    try sandbox.writeScript("echo \"found $1\"", to: "bin/look")
    try sandbox.write("not executable", to: "other/look", mode: 0o644)
    let path = sandbox.path("none") + ":" + sandbox.path("other") + ":" + sandbox.path("bin")
    #expect(try exec("look", "me", with: ["PATH": path + ":/usr/bin:/bin"]).succeeded().text == "found me\n")
    #expect(try exec("bin/look", "me").succeeded().text == "found me\n")
  }

  @Test func aScriptWithoutAFirstLineRunsInTheShell() throws {
    try sandbox.writeProgram("echo \"$TOKEN $0 $1\"\n", to: "script")
    #expect(try exec("./script", "me").succeeded().text == "opened secret ./script me\n")
  }

  @Test func whatCannotBeRunIsTold() throws {
    let missing = try exec("no-such-command-here")
    #expect(missing.ending == .exit(127))
    #expect(missing.messages.contains("no-such-command-here"))
    try sandbox.write("x", to: "data", mode: 0o600)
    #expect(try exec("./data").ending == .exit(126))
    #expect(try exec("./none/data").ending == .exit(127))
    #expect(try exec(sandbox.folder).ending == .exit(126))
  }

  @Test func whatWasAlteredRunsNothing() throws {
    let text = try sandbox.read("app.env")
    try sandbox.write(text.replacingOccurrences(of: "TOKEN=", with: "OTHER="), to: "app.env")
    try exec("echo", "run").failed(65, saying: "OTHER")
  }
}
