// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct AcceptCommandTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("AA=1\nBB=2\nCC=3\nDD=4\nEE=5\n")
  }

  private func set(_ name: String, _ value: String) throws {
    try sandbox.envelope("set", "app.env", name, "--function", "app", input: value).succeeded()
  }

  private func git(_ line: String) throws -> Outcome {
    let identity = "git -c user.name=test -c user.email=test@example.org -c init.defaultBranch=main"
    return try sandbox.shell("git() { command \(identity) \"$@\"; }; \(line)")
  }

  @Test(arguments: ["ours", "theirs"]) func aMergeOfTwoBranchesIsAccepted(side: String) throws {
    try git("git init -q && git add app.env && git commit -qm base && git checkout -qb left").succeeded()
    try set("AA", "left")
    try git("git commit -qam left && git checkout -q main && git checkout -qb right").succeeded()
    try set("EE", "right")
    try git("git commit -qam right").succeeded()
    // The header differs on both sides; git merges the variables and leaves the header to a person.
    let merge = try git("git merge left")
    #expect(merge.ending == .exit(1))
    let conflict = try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: "ine 2")
    #expect(!conflict.messages.contains("ev1:"))
    try git(
      "git show :1:app.env > base; git show :2:app.env > ours; git show :3:app.env > theirs; "
        + "git merge-file -p --\(side) ours base theirs > app.env"
    ).succeeded()

    try sandbox.envelope("open", "app.env", "--function", "app").failed(65)
    let merged = try sandbox.read("app.env")
    // Without a terminal to ask on and without consent, nothing changes.
    try sandbox.envelope("accept", "app.env", "--function", "app").failed(64, saying: "--yes")
    #expect(try sandbox.read("app.env") == merged)
    let accepted = try sandbox.envelope("accept", "app.env", "--function", "app", "--yes").succeeded()
    for name in ["AA", "BB", "CC", "DD", "EE"] { #expect(accepted.messages.contains("  \(name)\n")) }
    #expect(try sandbox.opened() == ["AA": "left", "BB": "2", "CC": "3", "DD": "4", "EE": "right"])
  }

  @Test func addedAndRemovedVariablesAreAccepted() throws {
    let base = try sandbox.read("app.env")
    try set("FF", "6")
    let line = try #require(try sandbox.read("app.env").split(separator: "\n").first { $0.hasPrefix("FF=") })
    try sandbox.write(base + line + "\n", to: "app.env")
    try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: "added")
    try sandbox.envelope("accept", "app.env", "--function", "app", "--yes").succeeded()
    #expect(try sandbox.opened()["FF"] == "6")
    let rest = try sandbox.read("app.env").split(separator: "\n").filter { !$0.hasPrefix("BB=") }
    try sandbox.write(rest.joined(separator: "\n"), to: "app.env")
    try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: "removed")
    try sandbox.envelope("accept", "app.env", "--function", "app", "--yes").succeeded()
    #expect(try sandbox.opened() == ["AA": "1", "CC": "3", "DD": "4", "EE": "5", "FF": "6"])
  }

  @Test func whatDoesNotVerifyIsRefusedByName() throws {
    let text = try sandbox.read("app.env").replacingOccurrences(of: "AA=", with: "ZZ=")
      .replacingOccurrences(of: "BB=", with: "YY=")
    try sandbox.write(text, to: "app.env")
    let result = try sandbox.envelope("accept", "app.env", "--function", "app", "--yes").failed(65, saying: "YY, ZZ")
    #expect(!result.messages.contains("CC"))
    #expect(try sandbox.read("app.env") == text)
  }

  @Test func anotherFunctionsFileIsRefused() throws {
    try sandbox.envelope("accept", "app.env", "--function", "other", "--yes").failed(65)
  }

  @Test func aPackedFileCannotBeMerged() throws {
    try sandbox.seal("AA=1\n", "--format", "packed", to: "packed.env")
    let text = try sandbox.read("packed.env")
    try sandbox.write(text.replacingOccurrences(of: "=ek1:RUsBAw", with: "=ek1:RUsBAg"), to: "packed.env")
    try sandbox.envelope("accept", "packed.env", "--function", "app", "--yes").failed(65)
  }
}
