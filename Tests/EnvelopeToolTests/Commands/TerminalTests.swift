// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@Suite("On a terminal", .timeLimit(.minutes(20))) struct TerminalTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("AA=1\nBB=2\n")
  }

  private let set = ["set", "app.env", "NEW", "--function", "app"]

  @Test func aSecretIsAskedForAndNotShown() throws {
    let session = try sandbox.terminal(set, steps: [("Value of NEW: ", "marker-secret\n")])
    #expect(session.code == 0)
    #expect(session.echoed == [false, true])
    #expect(!session.shown.contains("marker"))
    #expect(try sandbox.opened()["NEW"] == "marker-secret")
  }

  @Test func aStoppingCharacterDoesNotStop() throws {
    let session = try sandbox.terminal(set, steps: [("Value of NEW: ", "\u{1a}x\n")])
    #expect(session.code == 0 && session.echoed == [false, true])
    #expect(try sandbox.opened()["NEW"] == "\u{1a}x")
  }

  @Test(arguments: [("\u{3}", SIGINT), ("typed\u{3}", SIGINT), ("signal 15", SIGTERM), ("signal 1", SIGHUP)])
  func anInterruptionBringsTheEchoBack(typed: String, signal: Int32) throws {
    let before = try sandbox.read("app.env")
    let session = try sandbox.terminal(set, steps: [("Value of NEW: ", typed)])
    #expect(session.signal == signal)
    #expect(session.echoed == [false, true])
    #expect(try sandbox.read("app.env") == before)
  }

  @Test func theEndOfInputIsNoEmptySecret() throws {
    let before = try sandbox.read("app.env")
    let session = try sandbox.terminal(set, steps: [("Value of NEW: ", "\u{4}")])
    #expect(session.code == 64 && session.echoed == [false, true])
    #expect(try sandbox.read("app.env") == before)
  }

  @Test func aValueIsShownWithALineFeed() throws {
    let session = try sandbox.terminal(["get", "app.env", "BB", "--function", "app"], steps: [])
    #expect(session.code == 0 && session.shown == "2\r\n")
  }

  private func merge() throws -> String {
    let before = try sandbox.read("app.env")
    try sandbox.envelope("set", "app.env", "AA", "--function", "app", input: "other").succeeded()
    let header = try #require(before.split(separator: "\n").first { $0.hasPrefix("ENVELOPE_HEADER=") })
    let lines = try sandbox.read("app.env").split(separator: "\n")
    let merged = lines.map { ($0.hasPrefix("ENVELOPE_HEADER=") ? header : $0) + "\n" }.joined()
    try sandbox.write(merged, to: "app.env")
    return merged
  }

  @Test(arguments: ["y\n", "yes\n", "YES\n"]) func consentAcceptsAMerge(answer: String) throws {
    _ = try merge()
    let session = try sandbox.terminal(["accept", "app.env", "--function", "app"], steps: [("[y/N] ", answer)])
    #expect(session.code == 0 && session.echoed == [true, true])
    #expect(try sandbox.opened() == ["AA": "other", "BB": "2"])
  }

  @Test(arguments: ["n\n", "\n", "yess\n", "\u{4}", "\u{3}"]) func anythingElseChangesNothing(answer: String) throws {
    let merged = try merge()
    let session = try sandbox.terminal(["accept", "app.env", "--function", "app"], steps: [("[y/N] ", answer)])
    #expect(answer == "\u{3}" ? session.signal == SIGINT : session.code == 64)
    #expect(try sandbox.read("app.env") == merged)
  }

  /// The first text is refused, and the editor opens again: there the user interrupts.
  @Test func interruptionAfterRefusalWipesTheFile() throws {
    let before = try sandbox.read("app.env")
    try sandbox.write(
      "if [ -e again ]; then echo ready; read line; fi; touch again; echo broken line > \"$1\"", to: "editor")
    let arguments = ["edit", "app.env", "--function", "app"]
    let session = try sandbox.terminal(arguments, with: ["EDITOR": "sh editor"], steps: [("ready", "\u{3}")])
    #expect(session.signal == SIGINT)
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
    #expect(try sandbox.read("app.env") == before)
  }

  @Test func unreadableLineCanBeCorrected() throws {
    let script =
      "if [ -e again ]; then cat \"$1\"; sed -i s/broken.line/AA=fixed/ \"$1\"; else touch again; echo broken line > \"$1\"; fi"
    try sandbox.write(script, to: "editor")
    let session = try sandbox.terminal(
      ["edit", "app.env", "--function", "app"], with: ["EDITOR": "sh editor"], steps: [])
    #expect(session.code == 0 && session.shown.contains("NOT SAVED: Line 3"))
    #expect(try sandbox.opened() == ["AA": "fixed"])
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
  }

  // A terminal obeys these, does not show them, or shows what follows in another order.
  static let steering = [
    "\u{1b}]0;title\u{7}", "a\rb", "a\u{8}b", "\u{7f}", "\u{9b}2J", "\u{202e}fdp.exe", "\u{2066}x", "\u{200b}x",
    "\u{2028}x",
    "\u{feff}x", "\u{ad}x", "\u{e0041}x",
  ]

  @Test(arguments: steering) func valueThatSteersTerminalIsNotShown(value: String) throws {
    try sandbox.envelope(["set", "app.env", "BB", "--function", "app", "--raw"], bytes: Data(value.utf8)).succeeded()
    for command in [["get", "app.env", "BB"], ["open", "app.env"], ["open", "app.env", "-o", "/dev/tty"]] {
      let session = try sandbox.terminal(command + ["--function", "app"], steps: [])
      #expect(session.code == 64 && session.shown.contains("not shown on a terminal"))
      #expect(!session.shown.unicodeScalars.contains { value.unicodeScalars.contains($0) && !$0.isASCII })
      #expect(!session.shown.contains("\u{1b}") && !session.shown.contains("\u{7}") && !session.shown.contains("\u{8}"))
    }
    // To a pipe or file the bytes are exact.
    #expect(try sandbox.envelope("get", "app.env", "BB", "--function", "app").succeeded().text == value)
    #expect(try sandbox.opened()["BB"] == value)
  }

  /// The library seals any bytes.
  @Test func bytesThatAreNotUTF8AreNotShown() async throws {
    let bytes: [UInt8] = [0x61, 0x9b, 0x32, 0x4a]
    let secrets = try OpenedEnvironment(capacity: bytes.count) { (output, index) throws(EnvelopeError) in
      unsafe output.append(bytes.span.bytes)
      try index.add("BB", endingAt: output.byteCount)
    }
    let sealed = try await SealedEnvironment.seal(secrets, context: ["function": "app"], using: sandbox.keyring())
    try sandbox.write(sealed.variables.map { "\($0.key)=\($0.value)\n" }.joined(), to: "app.env")
    let session = try sandbox.terminal(["get", "app.env", "BB", "--function", "app"], steps: [])
    #expect(session.code == 64 && session.shown.contains("not shown on a terminal"))
  }

  @Test func linesTabsAndLettersAreShown() throws {
    let value = "-----BEGIN\nzwölf\t十二 🔑 -----END"
    try sandbox.envelope(["set", "app.env", "BB", "--function", "app"], bytes: Data(value.utf8)).succeeded()
    let session = try sandbox.terminal(["get", "app.env", "BB", "--function", "app"], steps: [])
    #expect(session.code == 0 && session.shown.hasPrefix("-----BEGIN\r\nzwölf") && session.shown.contains("十二 🔑"))
  }

  @Test func plainValueThatSteersTerminalIsNotShownBySeal() throws {
    try sandbox.write("PLAIN='\u{1b}[2J'\nTOKEN=1\n", to: ".env")
    let seal = ["seal", ".env", "--function", "app", "--plain", "PLAIN"]
    let session = try sandbox.terminal(seal, steps: [])
    #expect(session.code == 64 && !session.shown.contains("\u{1b}"))
    let open = try sandbox.terminal(["open", "app.env", "--function", "app", "--format", "json"], steps: [])
    #expect(open.code == 0)
  }
}
