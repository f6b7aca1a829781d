// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

/// Messages that name the file, the key and the remedy.
@Suite(.timeLimit(.minutes(20))) struct MessageTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private let app = ["--function", "app"]

  @Test func missingKeyIsNamedWithTheStoreAndTheRemedy() throws {
    try sandbox.seal("AA=1\n")
    let id = try sandbox.store().require("default").id
    let other = ["ENVELOPE_STORE": sandbox.path("other.keys")]
    try sandbox.envelope("keys", "create", with: other).succeeded()
    for arguments in [
      ["open", "app.env"], ["get", "app.env", "AA"], ["accept", "app.env", "--yes"], ["exec", "app.env"],
    ] {
      let rest = arguments[0] == "exec" ? ["--", "true"] : []
      let result = try sandbox.start(arguments + app + rest, with: other).wait()
      result.failed(77, saying: "keyset \(id).1, is not in the key store \(sandbox.path("other.keys")). Import it: ")
      #expect(result.messages.contains("envelope keys import FILE; or set ENVELOPE_STORE"))
    }
    let explained = try sandbox.start(["explain", "app.env"] + app, with: other).wait()
    #expect(explained.text.contains("is not in the key store \(sandbox.path("other.keys"))"))
  }

  /// Sentences end, also where there is nothing to advise.
  @Test(arguments: [
    ["keys", "rotation", "default", "0"], ["keys", "delete", "default", "--days", "3"], ["rewrap"],
    ["keys", "policy", "default", "--unrestricted", "--function", "app"],
  ]) func messagesAreSentences(arguments: [String]) throws {
    try sandbox.keys("create").succeeded()
    let result = try sandbox.start(arguments).wait()
    #expect(result.code == 64, "\(result.messages)")
    for line in result.messages.split(separator: "\n") where !line.contains(". See: envelope help") {
      #expect(line.hasSuffix("."), "\(line)")
    }
  }

  @Test func severalMissingKeysAreNamed() throws {
    for alias in ["a", "b"] { try sandbox.keys("create", alias).succeeded() }
    try sandbox.seal("AA=1\n", "--key", "a", "--key", "b")
    let other = ["ENVELOPE_STORE": sandbox.path("other.keys")]
    try sandbox.envelope("keys", "create", with: other).succeeded()
    let result = try sandbox.start(["open", "app.env"] + app, with: other).wait()
    result.failed(77, saying: "None of the keys that this is sealed under (keyset ")
  }

  @Test func alteredVariablesAreCounted() throws {
    try sandbox.seal("AA=1\nBB=2\nCC=3\n")
    let text = try sandbox.read("app.env")
    func line(_ name: String) throws -> Substring {
      try #require(text.split(separator: "\n").first { $0.hasPrefix(name) })
    }
    let (a, b) = (try line("AA="), try line("BB="))
    try sandbox.write(text.replacing(a, with: "AA=\(b.dropFirst(3))"), to: "one.env")
    let one = try sandbox.envelope("open", "one.env", "--function", "app").failed(65)
    #expect(one.messages.contains("The variable AA was altered, swapped or renamed. Restore it from where"))
    try sandbox.write(
      text.replacing(a, with: "AA=\(b.dropFirst(3))").replacing(b, with: "BB=\(a.dropFirst(3))"), to: "two.env")
    let two = try sandbox.envelope("open", "two.env", "--function", "app").failed(65)
    #expect(two.messages.contains("Variables were altered, swapped or renamed: AA, BB. Restore them from where"))
  }

  @Test func verifiedVariablesAreCounted() throws {
    try sandbox.seal("AA=1\nBB=2\nLEVEL=info\n", "--plain", "LEVEL")
    let text = try sandbox.envelope("explain", "app.env", "--function", "app").succeeded().text
    #expect(text.contains("variables: 2 verified\n") && text.contains("plain variables: 1 verified: LEVEL\n"))
  }

  @Test(arguments: ["seal", "migrate"]) func standardInputIsNamed(command: String) throws {
    let missing = try sandbox.envelope(command, "-", "--function", "app", "--plain", "A", input: "B=1\n").failed(64)
    #expect(missing.messages.contains("There is no variable 'A' in standard input to leave plain"))
    try sandbox.seal("AA=1\n")
    let sealed = try sandbox.envelope(command, "-", "--function", "app", input: sandbox.read("app.env")).failed(65)
    #expect(sealed.messages.contains("The variables in standard input are sealed already"))
  }

  static let marks = ["<<<<<<< HEAD", "=======", ">>>>>>> branch", "||||||| base"]

  @Test(arguments: ["json", "lambda"], marks) func conflictInJSONIsNamed(format: String, mark: String) throws {
    try sandbox.seal("AA=1\nBB=2\n", "--format", format)
    let lines = try sandbox.read("app.env").split(separator: "\n", omittingEmptySubsequences: false)
    let conflict = lines.prefix(2) + [Substring(mark)] + lines.dropFirst(2)
    try sandbox.write(conflict.joined(separator: "\n"), to: "app.env")
    for command in ["open", "accept", "inspect", "edit"] {
      let result = try sandbox.envelope(command, "app.env", "--function", "app").failed(65)
      #expect(result.messages.contains("In app.env: Line 3 is where git could not merge two edits. Keep one side"))
    }
  }

  /// A value cannot begin a line, so that no mark in it is one.
  @Test func markWithinValueIsNoConflict() throws {
    try sandbox.write("{\"AA\": \"<<<<<<< HEAD\\n=======\", \"BB\":\n\"=======\"}", to: "app.json")
    try sandbox.start(["seal", "app.json"] + app).wait().succeeded()
  }

  @Test func pathIsNamedOnce() throws {
    try sandbox.seal("AA=1\n")
    try sandbox.write(sandbox.read("app.env") + "<<<<<<< HEAD\n", to: "app.env")
    for command in ["open", "rewrap", "reseal", "inspect", "explain"] {
      let result = try sandbox.start([command, "app.env"] + app).wait()
      let lines = (result.text + result.messages).split(separator: "\n").filter { $0.contains("could not merge") }
      #expect(lines.count == 1 && lines[0].ranges(of: "app.env").count == 1, "\(command): \(lines)")
    }
  }

  // MARK: What platforms do to variables

  /// Kubernetes keeps the line feed at the end of a file that a variable comes from.
  @Test func lineFeedAfterHeaderAndValuesIsLeftOut() throws {
    try sandbox.seal("AA=1\nBB=2\n")
    var variables: [String: String] = [:]
    for line in try sandbox.read("app.env").split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "=", maxSplits: 1)
      variables[String(parts[0])] = parts[1] + "\n"
    }
    let exec = ["exec"] + app + ["--", "sh", "-c", "echo $AA$BB"]
    #expect(try sandbox.start(exec, with: variables).wait().succeeded().text == "12\n")
    for name in variables.keys {
      var twice = variables
      twice[name]?.append("\n")
      try sandbox.start(exec, with: twice).wait().failed(65, saying: "\(name) is damaged or cut off")
    }
  }

  @Test func damagedHeaderIsNamed() throws {
    try sandbox.seal("AA=1\n")
    let lines = try sandbox.read("app.env").split(separator: "\n")
    let header = try #require(lines.first { $0.hasPrefix("ENVELOPE_HEADER=") }).dropFirst("ENVELOPE_HEADER=".count)
    let value = try #require(lines.first { $0.hasPrefix("AA=") }).dropFirst(3)
    let rest = ["AA": String(value)]
    let damaged: [Substring] = [
      "", "ek1:", header.dropLast(1), header.dropLast(2), header.prefix(20), header.dropFirst(4), header + "==",
    ]
    for text in damaged {
      let variables = rest.merging(["ENVELOPE_HEADER": String(text)]) { $1 }
      let process = try sandbox.start(["exec"] + app + ["--", "true"], with: variables).wait()
      process.failed(65, saying: "envelope: ENVELOPE_HEADER is damaged or cut off: ")
      try sandbox.write(variables.map { "\($0.key)='\($0.value)'\n" }.joined(), to: "cut.env")
      try sandbox.envelope("open", "cut.env", "--function", "app").failed(
        65, saying: "ENVELOPE_HEADER is damaged or cut off")
    }
  }
}
