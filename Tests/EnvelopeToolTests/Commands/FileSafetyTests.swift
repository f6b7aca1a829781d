// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Files that cannot be replaced as usual, or that others have a hand in.
@Suite(.timeLimit(.minutes(20))) struct FileSafetyTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=marker-secret\n")
  }

  private let set = ["set", "app.env", "BB", "--function", "app"]

  /// Runs a line of `sh` as a user who owns nothing but what the sandbox was given.
  private func shellAsNobody(_ line: String) throws -> Outcome {
    try #require(unsafe chmod((sandbox.root as NSString).deletingLastPathComponent, 0o755) == 0)
    return try sandbox.shell("exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '\(line)'")
  }

  // MARK: Locks

  @Test(arguments: ["app.env", "keys"]) func commandGivesUpWaitingForLock(file: String) throws {
    let path = file == "keys" ? sandbox.keyStore : sandbox.path(file)
    let before = try sandbox.readBytes(path)
    let lock = try Path(path).lock()
    let arguments = file == "keys" ? ["keys", "create", "more"] : set
    let result = try sandbox.start(arguments, input: Data("2".utf8), with: ["ENVELOPE_LOCK_TIMEOUT": "0"]).wait()
    result.failed(74, saying: "Another process has held the lock of")
    #expect(result.messages.contains("Waiting for another process that is changing"))
    #expect(result.messages.contains(Path(path).lockPlace.string))
    #expect(try sandbox.readBytes(path) == before)
    // What only reads does not wait.
    #expect(try sandbox.opened() == ["TOKEN": "marker-secret"])
    _ = consume lock
    try sandbox.start(arguments, input: Data("2".utf8), with: ["ENVELOPE_LOCK_TIMEOUT": "0"]).wait().succeeded()
  }

  @Test(arguments: ["-1", "x", "1.5", "86401", "99999999999999999999"]) func lockTimeoutMustBeSeconds(value: String)
    throws
  {
    try sandbox.envelope("keys", "list", with: ["ENVELOPE_LOCK_TIMEOUT": value]).failed(
      64, saying: "ENVELOPE_LOCK_TIMEOUT")
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can act as another user")) func readOnlyFoldersSufficeForReading()
    throws
  {
    let store = (sandbox.keyStore as NSString).deletingLastPathComponent
    try sandbox.shell("chown -R 65534:65534 '\(sandbox.root)' && chmod 500 '\(store)' '\(sandbox.folder)'").succeeded()
    #expect(try shellAsNobody("\"$ENVELOPE\" open app.env --function app").succeeded().text == "TOKEN=marker-secret\n")
    try shellAsNobody("\"$ENVELOPE\" exec app.env --function app -- true").succeeded()
    try shellAsNobody("\"$ENVELOPE\" keys list").succeeded()
    for command in ["keys rotate default", "unset app.env TOKEN --function app"] {
      let result = try shellAsNobody("\"$ENVELOPE\" \(command)").failed(74, saying: "Permission denied")
      #expect(result.messages.contains("its folder must be one that you can write to"))
    }
    #expect(try sandbox.names(in: store) == ["keys"] && sandbox.names(in: ".") == ["app.env"])
  }

  // MARK: Where secrets go

  @Test(.enabled(if: geteuid() == 0, "Only root can give a pipe away")) func pipeOfAnotherUserGetsNoSecret() throws {
    try sandbox.makePipe("pipe")
    try #require(unsafe chown(sandbox.path("pipe"), 65534, 65534) == 0)
    for command in ["open app.env --function app", "keys export default --function app"] {
      // There is a reader, so that opening the pipe would not wait.
      let result = try sandbox.shell(
        "cat < pipe > read & \"$ENVELOPE\" \(command) -o pipe; code=$?; : > pipe; wait; exit $code")
      result.failed(77, saying: "belongs to the user with the id 65534")
      #expect(try sandbox.read("read").isEmpty)
    }
  }

  @Test func pipeThatOthersCanReadGetsNoSecret() throws {
    try sandbox.makePipe("pipe")
    try sandbox.setMode(0o644, of: "pipe")
    for command in ["open app.env --function app", "keys export default --function app"] {
      let result = try sandbox.shell(
        "cat < pipe > read & \"$ENVELOPE\" \(command) -o pipe; code=$?; : > pipe; wait; exit $code")
      result.failed(77, saying: "chmod 600 'pipe'")
      #expect(try sandbox.read("read").isEmpty)
    }
    let text = "TOKEN=marker-secret\n"
    // The shell chose where standard output and inherited files lead.
    for place in ["/dev/stdout", "/dev/fd/3", "-"] {
      let output = place == "-" ? "" : "-o \(place)"
      let open = "\"$ENVELOPE\" open app.env --function app \(output) 3>&1"
      #expect(try sandbox.shell("\(open) | cat").succeeded().text == text, "\(place)")
    }
    try sandbox.setMode(0o600, of: "pipe")
    let read = try sandbox.shell("cat < pipe & \"$ENVELOPE\" open app.env --function app -o pipe && wait")
    #expect(read.succeeded().text == text)
  }

  @Test func killedOpenLeavesNoPlaintext() throws {
    // SIGXFSZ ends the process in the middle of writing, as SIGKILL would.
    try sandbox.envelope(set, bytes: Data(repeating: UInt8(ascii: "a"), count: 5000)).succeeded()
    let kill = "ulimit -c 0; ulimit -f 1; exec \"$ENVELOPE\" open app.env --function app -o out.env"
    #expect(try sandbox.shell(kill).ending == .signal(SIGXFSZ))
    // The lock's file is empty.
    #expect(try sandbox.names(in: ".").filter { !$0.hasSuffix(".envelope-lock") } == ["app.env"])
    // Where files without names are not to be had, the next command removes what was left.
    try sandbox.write("plaintext", to: ".out.env.AAAAAAAAAAAA.new")
    let result = try sandbox.envelope("open", "app.env", "--function", "app", "-o", "out.env").succeeded()
    #expect(result.messages.contains(".out.env.AAAAAAAAAAAA.new, which a command that was killed had left"))
    #expect(try sandbox.names(in: ".") == ["app.env", "out.env"])
  }

  // MARK: What replacing would lose

  @Test func brokenHardLinkIsReportedOrKept() throws {
    try sandbox.shell("ln app.env other.env").succeeded()
    let old = try sandbox.read("app.env")
    let kept = try sandbox.start(set, input: Data("2".utf8), with: ["ENVELOPE_IN_PLACE": "1"]).wait().succeeded()
    #expect(!kept.messages.contains("hard links"))
    #expect(try sandbox.read("app.env") == sandbox.read("other.env") && sandbox.read("app.env") != old)
    let broken = try sandbox.start(set, input: Data("3".utf8)).wait().succeeded()
    #expect(broken.messages.contains("2 names (hard links)") && broken.messages.contains("ENVELOPE_IN_PLACE=1"))
    #expect(try sandbox.opened("app.env")["BB"] == "3" && sandbox.opened("other.env")["BB"] == "2")
    #expect(try sandbox.names(in: ".") == ["app.env", "other.env"])
  }

  @Test(arguments: ["2", "yes", "true"]) func inPlaceSettingMustBeZeroOrOne(value: String) throws {
    let before = try sandbox.read("app.env")
    try sandbox.start(set, input: Data("2".utf8), with: ["ENVELOPE_IN_PLACE": value]).wait()
      .failed(64, saying: "ENVELOPE_IN_PLACE")
    #expect(try sandbox.read("app.env") == before)
  }

  // MARK: Advice

  @Test func fileThatIsNoKeyStoreIsNotAdvisedToBeChanged() throws {
    try sandbox.write("root:x:0:0:root:/root:/bin/sh\n", to: "passwd", mode: 0o666)
    for command in [["keys", "list"], ["keys", "create", "more"], ["open", "app.env", "--function", "app"]] {
      let result = try sandbox.start(command, with: ["ENVELOPE_STORE": "passwd"]).wait()
      result.failed(77, saying: "does not begin as a key store does")
      #expect(!result.messages.contains("chmod"))
    }
    #expect(try sandbox.mode(of: "passwd") == 0o666)
  }

  @Test func fileThatCannotBeReadIsNotAdvisedToBeRemoved() throws {
    try sandbox.write("not a file of variables\n", to: "notes")
    let result = try sandbox.envelope("seal", "-", "--function", "app", "-o", "notes", input: "A=1\n").failed(73)
    #expect(!result.messages.contains("remove"))
  }
}
