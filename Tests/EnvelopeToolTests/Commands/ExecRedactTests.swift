// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct ExecRedactTests {
  private static let token = "tök/en \"with\" it's 100%"
  let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=\(Self.quoted)\nPIN=1234\nLEVEL=debug-level\nEMPTY=\n", "--plain", "LEVEL")
  }

  /// As a dotenv file has it.
  private static let quoted = "\"tök/en \\\"with\\\" it's 100%\""

  private func start(_ command: [String], outputPath: String? = nil) throws -> Running {
    try sandbox.start(
      ["exec", "app.env", "--function", "app", "--redact", "--"] + command, outputPath: outputPath)
  }

  private func shell(_ script: String) throws -> Outcome { try start(["sh", "-c", script]).wait() }

  private func python(_ script: String) throws -> Outcome {
    try start([
      Tool.python, "-c", "import os,sys,time,json,base64,urllib.parse,shlex\nt=os.environ['TOKEN']\n" + script,
    ]).wait()
  }

  @Test func masksSecretsInBothStreams() throws {
    let result = try shell("echo \"a $TOKEN b\"; echo \"c $TOKEN d\" >&2; printf '%s' \"$TOKEN\"").succeeded()
    #expect(result.text == "a [redacted:TOKEN] b\n[redacted:TOKEN]")
    #expect(result.messages.hasSuffix("c [redacted:TOKEN] d\n"))
  }

  @Test func reportsSecretsThatAreTooShort() throws {
    let result = try shell("echo $PIN $LEVEL").succeeded()
    #expect(result.text == "1234 debug-level\n")
    #expect(result.messages.contains("PIN") && !result.messages.contains("1234"))
    #expect(!result.messages.contains("TOKEN") && !result.messages.contains("EMPTY"))
    let without = try sandbox.envelope("exec", "app.env", "--function", "app", "--", "true").succeeded()
    #expect(without.messages.isEmpty)
  }

  @Test(arguments: [
    "t", "base64.b64encode(t.encode()).decode()", "base64.urlsafe_b64encode(('user:'+t).encode()).decode()",
    "t.encode().hex()",
    "t.encode().hex().upper()", "urllib.parse.quote(t)", "urllib.parse.quote(t, safe='')", "urllib.parse.quote_plus(t)",
    "json.dumps(t)", "json.dumps(t, ensure_ascii=False)", "json.dumps(t).replace('/', '\\\\/')", "shlex.quote(t)",
    "repr(t)",
    "repr(t.encode())", "ascii(t)", "''.join('%%%02X' % b for b in t.encode())", "json.dumps({'a': [t, t]})",
  ])
  func masksWrittenForms(expression: String) throws {
    let result = try python("print(\(expression)); print(\(expression), file=sys.stderr)").succeeded()
    for text in [result.text, result.messages] {
      #expect(text.contains("[redacted:TOKEN]"))
      for part in ["with", "en \"", "it's", "77697468", "d2l0aCIg", "100"] { #expect(!text.contains(part), "\(text)") }
    }
  }

  @Test func masksASecretThatIsSplitOverWrites() throws {
    let result = try python(
      "b=t.encode()\nfor i in range(len(b)):\n  for p in (b'<'+b[:i], b[i:]+b'>'): os.write(1, p); time.sleep(0.001)"
    ).succeeded()
    let count = Self.token.utf8.count
    #expect(result.text == String(repeating: "<[redacted:TOKEN]>", count: count))
  }

  @Test func otherBytesPassAsTheyAre() throws {
    let script = "b=bytes(range(256))*5000+t.encode()[:-1]\nsys.stdout.buffer.write(b)"
    let result = try python(script).succeeded()
    let expected =
      Array(repeating: Array(UInt8.min...UInt8.max), count: 5000).flatMap(\.self) + Self.token.utf8.dropLast()
    #expect(Array(result.output) == expected)
  }

  @Test func standardInputReachesTheCommand() throws {
    let result = try sandbox.start(
      ["exec", "app.env", "--function", "app", "--redact", "--", "cat"], input: Data("x \(Self.token) y".utf8)
    ).wait()
    #expect(result.succeeded().text == "x [redacted:TOKEN] y")
  }

  @Test(arguments: [0, 1, 42, 64, 255] as [Int32]) func theExitCodeIsTheCommands(code: Int32) throws {
    #expect(try shell("exit \(code)").ending == .exit(code))
  }

  @Test(arguments: [SIGTERM, SIGKILL, SIGINT, SIGSEGV, SIGPIPE]) func aSignalBecomesAnExitCode(signal: Int32) throws {
    #expect(try shell("kill -\(signal) $$").ending == .exit(128 + signal))
  }

  @Test func aCommandThatCannotBeRunHasTheShellsCodes() throws {
    #expect(try start(["nothere-at-all"]).wait().ending == .exit(127))
    #expect(try start(["/"]).wait().ending == .exit(126))
  }

  @Test func aScriptWithoutAFirstLineIsRun() throws {
    try sandbox.write("echo \"script $1 $TOKEN\"\n", to: "script")
    try sandbox.shell("chmod +x script").succeeded()
    #expect(try start(["./script", "x"]).wait().succeeded().text == "script x [redacted:TOKEN]\n")
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGQUIT]) func signalsReachTheCommand(signal: Int32) throws {
    try sandbox.makePipe("ready")
    let running = try start([
      "sh", "-c", "trap 'echo caught $TOKEN; exit 7' \(signal); echo > ready; while :; do sleep 0.05; done",
    ])
    try sandbox.waitForPipe("ready")
    running.send(signal)
    let result = try running.wait()
    #expect(result.ending == .exit(7))
    #expect(result.text.hasPrefix("caught"))
    #expect(!result.text.contains("with"))
  }

  @Test func aCommandThatASignalEndsGivesItsCode() throws {
    try sandbox.makePipe("ready")
    let running = try start(["sh", "-c", "echo > ready; while :; do sleep 0.05; done"])
    try sandbox.waitForPipe("ready")
    running.send(SIGTERM)
    #expect(try running.wait().ending == .exit(128 + SIGTERM))
  }

  @Test func aClosedPipeDownstreamEndsTheCommand() throws {
    let line = "\"$ENVELOPE\" exec app.env --function app --redact -- yes 'a b' | head -n 2; echo done"
    let result = try sandbox.shell(line).succeeded()
    #expect(result.text == "a b\na b\ndone\n")
    #expect(!result.messages.contains("cannot pass on"))
  }

  @Test func aFullDiskIsReported() throws {
    let result = try start(["sh", "-c", "echo text"], outputPath: "/dev/full").wait()
    #expect(result.ending == .exit(74))
    #expect(result.messages.contains("standard output"))
  }

  @Test func streamsThatLeadToOnePlaceKeepTheirOrder() throws {
    let script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done"
    let line = "\"$ENVELOPE\" exec app.env --function app --redact -- sh -c '\(script)' 2>&1 | grep -v PIN"
    let expected = (1...9).map { "o\($0)\ne\($0)\n" }.joined()
    #expect(try sandbox.shell(line).succeeded().text == expected)
  }

  @Test func closedStreamsStayClosed() throws {
    let line = "\"$ENVELOPE\" exec app.env --function app --redact -- sh -c 'echo out; echo err >&2' "
    #expect(try sandbox.shell(line + "2>&-").text == "out\n")
    #expect(try sandbox.shell(line + ">&-").messages.contains("err"))
  }

  @Test func withoutAFileItMasksItsOwnEnvironment() throws {
    try sandbox.seal("TOKEN=opened-secret\n", "--format", "dotenv", to: "own.env")
    let line = "set -a; . ./own.env; \"$ENVELOPE\" exec --function app --redact -- sh -c 'echo $TOKEN | rev | rev'"
    #expect(try sandbox.shell(line).succeeded().text == "[redacted:TOKEN]\n")
  }

  /// What the command finds, as without the option.
  @Test(arguments: [
    "import signal; print(signal.pthread_sigmask(0, []), [signal.getsignal(n) for n in range(1, 32)])",
    "import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd')))",
    "print([l for l in open('/proc/self/status') if l.startswith('Sig')][1:])",
    "import os; print(sorted(os.environ), os.getcwd(), os.umask(0))",
  ])
  func theCommandBeginsAsWithoutTheOption(program: String) throws {
    let arguments = ["exec", "app.env", "--function", "app", "--", try Tool.python, "-c", program]
    let plain = try sandbox.start(arguments).wait().succeeded().text
    #expect(try start([Tool.python, "-c", program]).wait().succeeded().text == plain)
  }

  @Test func helpSaysWhatChangesForTheCommand() throws {
    let help = try sandbox.envelope("exec", "--help").succeeded().text
    #expect(help.contains("--redact"))
  }
}
