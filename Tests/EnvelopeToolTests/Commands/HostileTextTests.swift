// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Text from outside neither forges a line of a message or report nor steers the terminal that shows it.
@Suite("Hostile names and words", .timeLimit(.minutes(20))) struct HostileTextTests {
  let sandbox: Sandbox
  static let hostile = "x\nenvelope: forged\r\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{7f}'\\"
  static let name = hostile + ".env"

  init() throws { sandbox = try Sandbox() }

  /// Expects nothing that steers, and no line that the text made up; returns all that was written.
  @discardableResult
  private func check(
    _ result: Outcome, shows part: String = "x\\u{a}envelope: forged\\u{d}\\u{1b}",
    _ place: SourceLocation = #_sourceLocation
  )
    -> String
  {
    let text = result.text + result.messages
    #expect(part.isEmpty || text.contains(part), "\(text.debugDescription)", sourceLocation: place)
    let steering = text.unicodeScalars.filter { scalar in
      scalar != "\n" && scalar != "\t"
        && (scalar.value < 0x20
          || "\u{7f}\u{9b}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}".unicodeScalars.contains(scalar))
    }
    #expect(steering.isEmpty, "\(text.debugDescription)", sourceLocation: place)
    #expect(!text.split(separator: "\n").contains { $0.hasPrefix("envelope: forged") }, sourceLocation: place)
    return text
  }

  @Test(arguments: [
    ["open"], ["get", "A"], ["set", "A"], ["unset", "A"], ["edit"], ["exec"], ["accept"], ["inspect"], ["budget"],
    ["explain"], ["rewrap"], ["reseal"], ["seal"], ["migrate"],
  ])
  func filesThatAreMissingOrNotSealed(command: [String]) throws {
    for text in [nil, "plain=1\n", "broken\n", "ENVELOPE_HEADER=ek1:AAAA\n"] {
      if let text { try sandbox.write(text, to: Self.name) }
      let rest = command[0] == "exec" ? ["--", "true"] : []
      let arguments =
        [command[0], Self.name] + command.dropFirst() + (command[0] == "budget" ? [] : ["--function", "app"])
      let result = try sandbox.start(arguments + rest, with: ["EDITOR": "true"]).wait()
      // These make a file that is not there, if they are given anything.
      let isNew = text == nil && ["set", "edit"].contains(command[0])
      let isShown = result.code != 0 && !isNew && !(command[0] == "seal" && text == "plain=1\n")
      check(result, shows: isShown ? "x\\u{a}envelope: forged\\u{d}\\u{1b}" : "")
    }
  }

  @Test func filesThatAreMade() throws {
    let set = try sandbox.envelope("set", Self.name, "A", "--function", "app", input: "x").succeeded()
    check(set, shows: "envelope: forged\\u{d}")
    check(
      try sandbox.envelope("exec", Self.name, Self.name, "--function", "app", "--", "true"), shows: "envelope: forged")
  }

  @Test func filesThatAreSealed() throws {
    try sandbox.seal("A=1\nB=2\n", to: Self.name)
    for arguments in [
      ["accept", Self.name], ["seal", Self.name], ["set", Self.name, "A"], ["unset", Self.name, "C"],
      ["open", Self.name, "-o", Self.name], ["open", Self.name, "-o", Self.name + "/x"],
      ["get", Self.name, "A", "--context", "a=b"],
      ["keys", "export", "default", "-o", Self.name],
    ] {
      let result = try sandbox.start(arguments + ["--function", "app"]).wait()
      check(result, shows: ["get", "set"].contains(arguments[0]) ? "" : "envelope: forged\\u{d}")
    }
    check(try sandbox.envelope("keys", "rotate", "default"), shows: "")
    check(try sandbox.envelope("rewrap", ".", "--function", "app", "--dry-run"))
    check(try sandbox.envelope("rewrap", ".", "--function", "other"))
    check(try sandbox.envelope("keys", "import", Self.name))
  }

  @Test func namesThatAreNotUTF8() throws {
    try sandbox.seal("A=1\n")
    let result = try sandbox.shell(#"cp app.env "$(printf 'a\377\033[2J.env')" && "$ENVELOPE" rewrap . --function app"#)
    check(result, shows: "\\u{1b}")
    check(try sandbox.shell(#""$ENVELOPE" open "$(printf 'b\377\033')" --function app"#), shows: "\\u{1b}")
  }

  @Test func foldersAndKeyStores() throws {
    let folder = sandbox.path(Self.hostile)
    try sandbox.makeFolder(Self.hostile, mode: 0o777)
    let variables = ["ENVELOPE_STORE": folder + "/keys"]
    for arguments in [
      ["keys", "list"], ["keys", "create"], ["seal", "-", "--function", "app", "--allow-empty"], ["audit", "start"],
    ] { check(try sandbox.start(arguments, with: variables).wait(), shows: "envelope: forged\\u{d}") }
    try sandbox.setMode(0o700, of: Self.hostile)
    for arguments in [["keys", "create"], ["audit", "start"], ["keys", "unlock"], ["audit", "end"]] {
      check(try sandbox.start(arguments, with: variables).wait(), shows: "envelope: forged\\u{d}")
    }
  }

  @Test func wordsOfTheCommandLine() throws {
    let hostile = Self.hostile
    try sandbox.seal("A=1\n")
    for arguments in [
      ["get", "app.env", hostile, "--function", "app"], ["set", "app.env", hostile, "--function", "app"],
      ["unset", "app.env", hostile, "--function", "app"], ["open", "app.env", "--function", hostile, "-o", "app.env"],
      ["seal", "-", "--function", "app", "--key", hostile, "--allow-empty"],
      ["seal", "-", "--function", "app", "--plain", hostile],
      ["keys", "show", hostile], ["keys", "create", hostile], ["keys", "alias", hostile, "default"],
      ["keys", "rotate", hostile],
      ["keys", "policy", "default", "--function", "app", "--operation", hostile], ["open", "--format", hostile],
      [hostile], ["keys", hostile], ["open", "a", hostile], ["open", "--\(hostile)"],
      ["exec", "app.env", "--function", "app", "--", hostile],
      ["rewrap", ".", "--add", hostile, "--function", "app"],
      ["rewrap", ".", "--remove", hostile, "--function", "app"],
      ["explain", "app.env", "--function", hostile], ["keys", "lock", "--key", hostile],
    ] {
      let result = try sandbox.start(arguments).wait()
      #expect(result.code != 0, "\(arguments)")
      check(result, shows: arguments.contains("-o") ? "" : "envelope: forged")
    }
    let sealed = try sandbox.start(["seal", "-", "--function", hostile], input: Data("A=1\n".utf8)).wait().succeeded()
    check(sealed)
  }

  @Test func wordsOfTheConfiguration() throws {
    let escaped = #""x\nenvelope: forged\r\u001b]0;t\u0007\u009b2J\u202e""#
    for yaml in [
      "\(escaped): a", "default:\n  \(escaped): a", "functions: {a: {\(escaped): b}}", "default: {key: \(escaped)}",
      "functions: {\(escaped): {}, \(escaped): {}}",
    ] {
      try sandbox.write(yaml + "\n", to: "envelope.yaml")
      check(
        try sandbox.start(["seal", "-", "--function", "app", "--allow-empty"]).wait().failed(
          yaml.contains("key:") ? 77 : 78))
    }
    try sandbox.write("functions:\n  \(escaped): {file: app.env, context: {a: \(escaped)}}\n", to: "envelope.yaml")
    check(try sandbox.envelope("seal", "-", "-o", "app.env", input: "A=1\n").succeeded())
    check(try sandbox.envelope("explain", "app.env"))
    check(try sandbox.envelope("explain", "app.env", "--context", "a=b"))
    try sandbox.seal("B=1\n", "--context", "a=b", to: "b.env")
    check(try sandbox.envelope("seal", "-", "--function", "app", "-o", "app.env", input: "A=1\n").failed(73))
  }

  /// A terminal shows the prompt with the name of the store escaped.
  @Test func promptsOnTerminal() throws {
    let variables = ["ENVELOPE_STORE": sandbox.path("x\u{1b}[2J\u{9b}")]
    try sandbox.envelope("keys", "create", with: variables).succeeded()
    let session = try sandbox.terminal(["keys", "lock"], with: variables, steps: [("passphrase", "\u{4}")])
    #expect(session.shown.contains("\\u{1b}[2J\\u{9b}") && !session.shown.contains("\u{1b}"))
  }
}
