// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Each exit code that the help lists, by commands that end with it.
@Suite(.timeLimit(.minutes(20))) struct ExitCodeTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("AA=1\n")
  }

  private func expect(_ code: Int32, _ calls: [[String]], _ place: SourceLocation = #_sourceLocation) throws {
    for arguments in calls {
      let result = try sandbox.start(arguments).wait()
      #expect(result.code == code, "\(arguments) \(result.messages)", sourceLocation: place)
      if code != 0 { #expect(!result.messages.isEmpty || arguments[0] == "explain", sourceLocation: place) }
    }
  }

  private let app = ["--function", "app"]

  @Test func wrongCallsEndWith64() throws {
    let long = String(repeating: "x", count: 9_000)
    try expect(
      64,
      [
        ["foo"], ["help", "nope"], ["open", "app.env"], ["open", "app.env", "--function", ""],
        ["open", "app.env", "--function", long], ["open", "app.env", "--context", "envelope-kind=x"] + app,
        ["open", "app.env", "--context", "a"] + app, ["open", "app.env", "--context", "a=" + long] + app,
        ["set", "app.env", "A B"] + app, ["set", "app.env", "AA", "value"] + app, ["exec", "app.env"] + app,
        ["seal", "-", "--plain", "AA"] + app, ["seal", "-", "--key", "er1:abc", "--allow-empty"] + app,
        ["keys", "create", ".a"], ["keys", "rotation", "default", "0"], ["keys", "minimum", "default", "9"],
        ["keys", "delete", "default", "--days", "1"], ["keys", "policy", "default", "--function", long],
        ["keys", "export", "default"], ["keys", "alias", "a"], ["audit", "verify", "--checkpoint", "x"],
        ["rewrap", ".", "--to", "er1:abc"] + app,
      ])
  }

  @Test func dataAtFaultEndsWith65() throws {
    try sandbox.write(sandbox.read("app.env").replacing("AA=", with: "AB="), to: "altered.env")
    try sandbox.write("no line of variables\n", to: "bad.env")
    try sandbox.write("{\"AA\": 1,}", to: "bad.json")
    try expect(
      65,
      [
        ["open", "altered.env"] + app, ["open", "app.env", "--function", "other"], ["open", "bad.env"] + app,
        ["open", "bad.json"] + app, ["explain", "altered.env"] + app, ["seal", "app.env"] + app,
      ])
  }

  @Test func nothingToReadEndsWith66() throws {
    try sandbox.write("AA=1\n", to: "plain.env")
    try expect(
      66,
      [
        ["open", "none.env"] + app, ["open", "plain.env"] + app, ["get", "app.env", "NONE"] + app, ["budget", "none"],
        ["seal", "-"] + app, ["exec"] + app + ["--", "true"], ["rewrap", "none"] + app, ["audit", "verify"],
        ["keys", "import", "none.keys"], ["inspect", "none"], ["explain", "none"], ["migrate", "none"],
      ])
  }

  #if AWS
    @Test func serviceThatIsNotReachedEndsWith69() throws {
      let kms = try KMSSandbox()
      let result = try kms.sandbox.envelope(
        "seal", "-", "--function", "app", "--key", "alias/app", "--allow-empty",
        with: ["AWS_ENDPOINT_URL": "https://127.0.0.1:1"])
      result.failed(69)
    }

    @Test func settingOfAWSThatIsMissingEndsWith78() throws {
      try sandbox.envelope("seal", "-", "--function", "app", "--key", "alias/app", "--allow-empty")
        .failed(78, saying: "Region")
    }
  #endif

  @Test func outputThatIsThereEndsWith73() throws {
    try sandbox.write("notes that are no variables\n", to: "notes")
    try expect(73, [["keys", "create", "default"], ["open", "app.env", "-o", "notes"] + app])
  }

  @Test func fileThatCannotBeReadOrWrittenEndsWith74() throws {
    try sandbox.makeFolder("folder")
    try expect(
      74,
      [
        ["open", "folder"] + app, ["inspect", "folder"], ["budget", "folder"], ["explain", "folder"] + app,
        ["seal", "folder"] + app, ["open", "app.env", "-o", "none/app.env"] + app,
      ])
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can act as another user")) func unreadableFileEndsWith74() throws {
    try #require(unsafe chmod((sandbox.root as NSString).deletingLastPathComponent, 0o755) == 0)
    try sandbox.shell("chown -R 65534:65534 '\(sandbox.root)' && chown root app.env && chmod 600 app.env").succeeded()
    for command in ["open app.env --function app", "inspect app.env", "budget app.env", "seal app.env --function app"] {
      let result = try sandbox.shell(
        "exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '\"$ENVELOPE\" \(command)'")
      result.failed(74, saying: "Cannot open app.env: Permission denied")
    }
  }

  @Test func missingKeyEndsWith77() throws {
    try sandbox.keys("disable", "default").succeeded()
    try expect(77, [["open", "app.env"] + app, ["keys", "show", "none"], ["seal", "-", "--allow-empty"] + app])
  }

  @Test func configurationThatCannotBeFollowedEndsWith78() throws {
    try sandbox.write("defualt: {}\n", to: "envelope.yaml")
    try expect(78, [["seal", "-", "--allow-empty"] + app, ["open", "app.env"]])
  }

  @Test func execHasTheCodeOfItsCommand() throws {
    try sandbox.write("no program\n", to: "file")
    let exec = ["exec", "app.env"] + app + ["--"]
    for code in [0, 1, 3, 64, 126, 127, 255] as [Int32] {
      #expect(try sandbox.start(exec + ["sh", "-c", "exit \(code)"]).wait().code == code)
    }
    try expect(126, [exec + ["./file"]])
    try expect(127, [exec + ["no-such-program"]])
  }
}
