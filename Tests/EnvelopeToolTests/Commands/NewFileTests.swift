// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `set` and `edit` make a file that is not there.
@Suite(.timeLimit(.minutes(20))) struct NewFileTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  @Test func setMakesTheFileAsSealDoes() throws {
    let result = try sandbox.envelope("set", "app.env", "TOKEN", "--function", "app", input: "abc\n").succeeded()
    #expect(result.messages.contains("Created app.env for function app, sealed under default ("))
    #expect(result.messages.contains(sandbox.keyStore), "the first key is made, and that is said")
    #expect(try sandbox.opened() == ["TOKEN": "abc"])
    try sandbox.envelope("seal", "-", "--function", "app", "-o", "other.env", input: "A=1\n").succeeded()
    #expect(try sandbox.mode(of: "app.env") == sandbox.mode(of: "other.env"))
    let again = try sandbox.envelope("set", "app.env", "MORE", "--function", "app", input: "1").succeeded()
    #expect(!again.messages.contains("Made"))
    #expect(try sandbox.opened() == ["TOKEN": "abc", "MORE": "1"])
  }

  @Test func setTakesTheFunctionAndPlainFromTheConfiguration() throws {
    try sandbox.write(
      "functions:\n  app:\n    file: app.env\n    plain: [LEVEL]\n  other:\n    file: other.env\n", to: "envelope.yaml")
    try sandbox.envelope("set", "app.env", "LEVEL", input: "debug").succeeded()
    #expect(try sandbox.read("app.env").hasSuffix("\nLEVEL=debug\n"))
    try sandbox.envelope("set", "app.env", "TOKEN", input: "abc").succeeded()
    #expect(try sandbox.opened() == ["LEVEL": "debug", "TOKEN": "abc"])
    try sandbox.envelope("set", "none.env", "TOKEN", input: "abc").failed(64)
    #expect(!sandbox.exists("none.env"))
  }

  @Test func aNameOfJSONIsWrittenAsJSON() throws {
    try sandbox.envelope("set", "app.json", "TOKEN", "--function", "app", input: "abc").succeeded()
    #expect(try sandbox.read("app.json").hasPrefix("{\n  \"ENVELOPE_HEADER\": "))
    try sandbox.writeScript("echo '{\"A\": \"1\"}' > \"$1\"", to: "editor")
    try sandbox.envelope("edit", "new.json", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    #expect(try sandbox.opened("new.json") == ["A": "1"])
  }

  @Test(arguments: [
    (["set", "none/app.env", "A"], "no such folder"), (["set", "app.env", "1A"], "'1A' cannot be the name"),
    (["set", "app.env", "ENVELOPE_HEADER"], "reserved"), (["set", "app.env", "A", "--key", "none"], "none"),
    (["unset", "app.env", "A"], "No such file: app.env"), (["get", "app.env", "A"], "No such file"),
    (["edit", "none/app.env"], "no such folder"),
  ]) func whatCannotBeMadeIsRefused(arguments: [String], message: String) throws {
    try sandbox.envelope("keys", "create").succeeded()
    try sandbox.writeScript("echo A=1 > \"$1\"", to: "editor")
    let result = try sandbox.start(
      arguments + ["--function", "app"], input: Data("x".utf8), with: ["EDITOR": "sh editor"]
    ).wait()
    #expect(result.code != 0 && result.messages.contains(message), "\(result.messages)")
    #expect(!sandbox.exists("app.env"))
  }

  @Test(arguments: [("", "empty"), ("a\0b", "NUL"), ("\u{0}", "NUL")]) func whatSealRefusesIsRefused(
    input: String, message: String
  ) throws {
    try sandbox.envelope("set", "app.env", "A", "--function", "app", input: input).failed(
      input.isEmpty ? 66 : 65, saying: message)
    #expect(!sandbox.exists("app.env"))
  }

  /// A new file would take the link's place.
  @Test(arguments: [["set", "app.env", "A"], ["edit", "app.env"], ["seal", "-", "-o", "app.env"]])
  func linkToNothingIsNotReplaced(arguments: [String]) throws {
    try sandbox.shell("ln -s none.env app.env").succeeded()
    try sandbox.writeScript("touch edited; echo A=1 > \"$1\"", to: "editor")
    let result = try sandbox.start(
      arguments + ["--function", "app"], input: Data("A=1".utf8), with: ["EDITOR": "sh editor"]
    ).wait()
    result.failed(73, saying: "app.env: it is a symbolic link to a file that does not exist. Remove the link")
    #expect(!sandbox.exists("edited") && !sandbox.exists("none.env"))
    try sandbox.shell("[ -L app.env ]").succeeded()
  }

  @Test(arguments: [["none/app.env"], ["app.env", "--key", "none"], ["app.env", "--key", "er1:x"]])
  func whatCannotBeSavedIsRefusedBeforeTheEditorOpens(arguments: [String]) throws {
    try sandbox.writeScript("touch edited; echo A=1 > \"$1\"", to: "editor")
    let edit = ["edit"] + arguments + ["--function", "app"]
    let result = try sandbox.start(edit, with: ["EDITOR": "sh editor"]).wait()
    #expect(result.code != 0 && !sandbox.exists("edited"), "\(result.messages)")
  }

  @Test func editMakesTheFile() throws {
    try sandbox.write("functions:\n  app:\n    plain: [LEVEL]\n", to: "envelope.yaml")
    try sandbox.writeScript("cat \"$1\" > seen; printf 'LEVEL=info\\nTOKEN=\"a b\"\\n' >> \"$1\"", to: "editor")
    let edit = ["edit", "app.env", "--function", "app"]
    try sandbox.start(edit, with: ["EDITOR": "sh editor"]).wait().succeeded()
    #expect(try sandbox.read("seen").hasPrefix("#: Variables of app.env."))
    #expect(try sandbox.read("app.env").contains("\nLEVEL=info\nTOKEN=ev1:"))
    #expect(try sandbox.opened() == ["LEVEL": "info", "TOKEN": "a b"])
  }

  @Test(arguments: ["true", "touch \"$1\""]) func editThatWritesNothingMakesNothing(script: String) throws {
    try sandbox.writeScript(script, to: "editor")
    let edit = ["edit", "app.env", "--function", "app"]
    let result = try sandbox.start(edit, with: ["EDITOR": "sh editor"]).wait().succeeded()
    #expect(result.messages.contains("Nothing was created."))
    #expect(!sandbox.exists("app.env"))
  }

  @Test(arguments: ["echo broken >> \"$1\"", "echo '# c' > \"$1\"", "exit 3"]) func editThatIsRefusedMakesNothing(
    script: String
  ) throws {
    try sandbox.writeScript(script, to: "editor")
    let edit = ["edit", "app.env", "--function", "app"]
    let result = try sandbox.start(edit, with: ["EDITOR": "sh editor"]).wait()
    #expect(result.code != 0 && !result.messages.contains("was not changed"))
    #expect(!sandbox.exists("app.env"))
    #expect(try sandbox.names(in: sandbox.privatePlace) == [])
  }

  @Test func changesToANewFileAtTheSameTimeAllSucceed() throws {
    try sandbox.envelope("keys", "create").succeeded()
    let running = try (0..<6).map { number in
      try sandbox.start(["set", "app.env", "N\(number)", "--function", "app"], input: Data("\(number)".utf8))
    }
    for process in running { try process.wait().succeeded() }
    #expect(try sandbox.opened() == Dictionary(uniqueKeysWithValues: (0..<6).map { ("N\($0)", "\($0)") }))
  }

  /// What another command wrote meanwhile is not written over.
  @Test func editLeavesAFileThatWasMadeMeanwhile() throws {
    let tool = try #require(Tool.path)
    try sandbox.writeScript("echo 1 | '\(tool)' set app.env A --function app; echo B=2 > \"$1\"", to: "editor")
    let edit = ["edit", "app.env", "--function", "app"]
    try sandbox.start(edit, with: ["EDITOR": "sh editor"]).wait().failed(74, saying: "made by another command")
    #expect(try sandbox.opened() == ["A": "1"])
  }
}
