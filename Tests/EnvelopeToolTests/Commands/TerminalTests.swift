// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

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
    let header = try #require(before.split(separator: "\n").first)
    let rest = try sandbox.read("app.env").split(separator: "\n").dropFirst()
    let merged = ([header] + rest).joined(separator: "\n") + "\n"
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

  @Test func anInterruptionAfterEditingWipesTheFile() throws {
    let before = try sandbox.read("app.env")
    try sandbox.write("echo broken line > \"$1\"", to: "editor")
    let arguments = ["edit", "app.env", "--function", "app"]
    let session = try sandbox.terminal(arguments, with: ["EDITOR": "sh editor"], steps: [("[y/N] ", "\u{3}")])
    #expect(session.signal == SIGINT)
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
    #expect(try sandbox.read("app.env") == before)
  }

  @Test func anUnreadableLineCanBeCorrected() throws {
    let script = "if [ -e again ]; then echo AA=fixed > \"$1\"; else touch again; echo broken line > \"$1\"; fi"
    try sandbox.write(script, to: "editor")
    let arguments = ["edit", "app.env", "--function", "app"]
    let variables = ["EDITOR": "sh editor"]
    let first = try sandbox.terminal(arguments, with: variables, steps: [("[y/N] ", "n\n")])
    #expect(first.code == 65)
    try FileManager.default.removeItem(atPath: sandbox.path("again"))
    #expect(try sandbox.opened() == ["AA": "1", "BB": "2"])
    let second = try sandbox.terminal(arguments, with: variables, steps: [("[y/N] ", "y\n")])
    #expect(second.code == 0)
    #expect(try sandbox.opened() == ["AA": "fixed"])
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
  }
}
