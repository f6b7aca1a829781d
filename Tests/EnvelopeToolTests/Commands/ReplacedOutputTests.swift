// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Output files that hold something", .timeLimit(.minutes(20))) struct ReplacedOutputTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=abc\nLEVEL=debug\n", "--plain", "LEVEL")
    try sandbox.write("TOKEN=def\nLEVEL=info\n", to: "new.env")
  }

  private static let seal = ["seal", "new.env", "--function", "app", "--plain", "LEVEL", "-o"]
  private static let open = ["open", "app.env", "--function", "app", "-o"]
  private static let export = ["keys", "export", "default", "--function", "app", "-o"]

  private func refuses(
    _ arguments: [String], _ name: String, input: String = "", saying part: String, code: Int32 = 73,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let before = try? sandbox.readBytes(name)
    let result = try sandbox.start(arguments, input: Data(input.utf8)).wait()
    result.failed(code, saying: part, location)
    #expect((try? sandbox.readBytes(name)) == before, sourceLocation: location)
  }

  @Test(arguments: ["", "\n", "# nothing\n", "{}", #"{"Variables": {}}"#])
  func sealRefusesInputWithoutVariables(input: String) throws {
    let seal = ["seal", "-", "--function", "app"]
    for name in ["app.env", "none.env"] {
      try refuses(seal + ["-o", name], name, input: input, saying: "--allow-empty", code: 66)
    }
    try refuses(seal, "app.env", input: input, saying: "There are no variables in standard input", code: 66)
    try sandbox.start(seal + ["-o", "app.env", "--allow-empty"], input: Data(input.utf8)).wait().succeeded()
    #expect(try sandbox.opened() == [:])
  }

  @Test func failedPipeIsRefused() throws {
    let before = try sandbox.readBytes("app.env")
    for line in [
      "false | \"$ENVELOPE\" seal - --function app -o app.env",
      "false | \"$ENVELOPE\" set app.env TOKEN --function app",
    ] {
      try sandbox.shell(line).failed(66, saying: "--allow-empty")
    }
    #expect(try sandbox.readBytes("app.env") == before)
  }

  @Test(arguments: [["--format", "dotenv"], ["--packed"], ["--format", "lambda"]])
  func sealRefusesFileOfAnotherFunction(format: [String]) throws {
    let seal = ["seal", "new.env", "--plain", "LEVEL", "-o", "app.env", "--function", "other"] + format
    try refuses(seal, "app.env", saying: "another function or context than 'other'")
    try refuses(Self.seal + ["app.env", "--context", "a=b"], "app.env", saying: "another function or context")
    try sandbox.write("functions:\n  app: {}\n  other: {}\n", to: "envelope.yaml")
    try refuses(seal, "app.env", saying: "sealed for the function 'app', not for 'other'")
    try refuses(seal + ["--allow-empty", "--allow-removal"], "app.env", saying: "--force")
    try sandbox.start(seal + ["--force"]).wait().succeeded()
    try sandbox.envelope("get", "app.env", "TOKEN", "--function", "other").succeeded()
  }

  @Test(arguments: [["--format", "dotenv"], ["--packed"], ["--format", "json"]])
  func sealRefusesToLoseVariables(format: [String]) throws {
    let seal = ["seal", "-", "--function", "app", "-o", "app.env"] + format
    func run(_ text: String, _ more: String...) throws -> Outcome {
      try sandbox.start(seal + more, input: Data(text.utf8)).wait()
    }
    try run("TOKEN=abc\nEXTRA=1\nLEVEL=debug\n", "--plain", "LEVEL").succeeded()
    let before = try sandbox.readBytes("app.env")
    let result = try run("TOKEN=def\n").failed(73, saying: "would be lost: EXTRA, LEVEL")
    #expect(result.messages.contains("--allow-removal"))
    #expect(try sandbox.readBytes("app.env") == before)
    try run("TOKEN=def\n", "--allow-removal").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "def"])
    // What remains can be changed, and more can come.
    try run("TOKEN=ghi\nMORE=1\n").succeeded()
  }

  @Test func sealRefusesPackedFileThatItCannotOpen() throws {
    try sandbox.seal("TOKEN=abc\nLEVEL=debug\n", "--packed")
    try FileManager.default.removeItem(atPath: sandbox.keyStore)
    try sandbox.envelope("keys", "create").succeeded()
    let seal = ["seal", "new.env", "--function", "app", "--packed", "-o", "app.env"]
    try refuses(seal, "app.env", saying: "--allow-removal")
    try refuses(seal + ["--allow-removal"], "app.env", saying: "--allow-removed-readers")
    try sandbox.start(seal + ["--allow-removal", "--allow-removed-readers"]).wait().succeeded()
  }

  /// Everything that no command would write there itself.
  private func makeOthers() throws -> [(name: String, word: String)] {
    try sandbox.start(Self.export + ["exported", "--force"]).wait().succeeded()
    try sandbox.write("ek1:AAAA\n", to: "value")
    try sandbox.write("EK\u{1}\u{1}", to: "bytes")
    try sandbox.write("some notes, and more\n", to: "notes")
    try sandbox.write(String(decoding: sandbox.readBytes(sandbox.keyStore), as: UTF8.self), to: "copied")
    return [
      ("exported", "key store"), ("copied", "key store"), ("value", "sealed"), ("bytes", "sealed"),
      ("notes", "something else"),
    ]
  }

  @Test func sealAndOpenRefuseOtherFiles() throws {
    for (name, word) in try makeOthers() {
      for command in [Self.seal, Self.open] { try refuses(command + [name], name, saying: word) }
    }
    for (name, _) in try makeOthers() { try sandbox.start(Self.seal + [name, "--force"]).wait().succeeded() }
    for (name, _) in try makeOthers() { try sandbox.start(Self.open + [name, "--force"]).wait().succeeded() }
  }

  @Test func sealRefusesPlainVariablesThatItDidNotRead() throws {
    try sandbox.write("TOKEN=precious\nLEVEL=x\n", to: "other.env")
    try refuses(Self.seal + ["other.env"], "other.env", saying: "not sealed")
    try sandbox.write("# a note\n", to: "note.env")
    try refuses(Self.seal + ["note.env"], "note.env", saying: "not sealed")
    // In place, and into an empty file, nothing is lost.
    try sandbox.start(Self.seal + ["new.env"]).wait().succeeded()
    try sandbox.write("TOKEN=1\nLEVEL=2\n", to: "new.env")
    try sandbox.write("", to: "empty.env")
    try sandbox.start(Self.seal + ["empty.env"]).wait().succeeded()
  }

  @Test func openRefusesSealedFileAndOtherVariables() throws {
    for name in ["app.env", "./app.env"] { try refuses(Self.open + [name], name, saying: "sealed variables") }
    try sandbox.write("TOKEN=1\nLOCAL=only here\n", to: "out.env")
    try refuses(Self.open + ["out.env"], "out.env", saying: "would be lost: LOCAL")
    try sandbox.write("TOKEN=1\n", to: "out.env")
    try sandbox.start(Self.open + ["out.env"]).wait().succeeded()
    #expect(try sandbox.read("out.env") == "LEVEL=debug\nTOKEN=abc\n")
    try sandbox.start(Self.open + ["app.env", "--force"]).wait().succeeded()
    #expect(try sandbox.read("app.env") == "LEVEL=debug\nTOKEN=abc\n")
  }

  /// What is beside the variables would be lost.
  @Test(arguments: [
    ("# notes, not variables\n", "comments"), ("TOKEN=1\n  # why\n", "comments"), ("TOKEN=1 # why\n", "comments"),
    ("TOKEN='1' # why\n", "comments"),
    (#"{"FunctionName": "app", "FunctionArn": "arn:aws:lambda:r:1:function:app", "Role": "x"}"#, "an answer of AWS"),
    (#"{"FunctionName": "app", "Environment": {"Variables": {"TOKEN": "1"}}, "Timeout": 3}"#, "an answer of AWS"),
  ])
  func openRefusesFileWithMoreThanVariables(text: String, words: String) throws {
    try sandbox.write(text, to: "out.env")
    try refuses(Self.open + ["out.env"], "out.env", saying: words)
    try sandbox.start(Self.open + ["out.env", "--force"]).wait().succeeded()
  }

  /// A text that only looks as if it had a comment, and documents of no variables.
  @Test(arguments: ["TOKEN='# no comment'\n", "TOKEN=a#b\n", "\n", "{}", #"{"Variables": {}}"#])
  func openReplacesVariablesAlone(text: String) throws {
    try sandbox.write(text, to: "out.env")
    try sandbox.start(Self.open + ["out.env"]).wait().succeeded()
  }

  @Test func sealInPlaceRefusesAnswerOfAWS() throws {
    let text = #"{"FunctionName": "app", "Environment": {"Variables": {"TOKEN": "1"}}, "Timeout": 3}"#
    try sandbox.write(text, to: "answer.json")
    let seal = ["seal", "answer.json", "--function", "app", "-o", "answer.json"]
    try refuses(seal, "answer.json", saying: "an answer of AWS")
    try sandbox.start(seal + ["--force"]).wait().succeeded()
  }

  @Test func exportReplacesOnlyItsOwnEarlierVersion() throws {
    let out = Self.export + ["out.keys"]
    try sandbox.start(out).wait().succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.start(out).wait().succeeded()
    try sandbox.start(out + ["--function", "more"]).wait().succeeded()
    try refuses(out, "out.keys", saying: "for other functions")
    try sandbox.envelope("keys", "create", "second").succeeded()
    let second = ["keys", "export", "second", "--function", "app", "--function", "more", "-o", "out.keys"]
    try refuses(second, "out.keys", saying: "another key")
    for name in ["app.env", "new.env"] { try refuses(Self.export + [name], name, saying: "holds variables") }
    for (name, word) in [("copied", "another key"), ("value", "sealed"), ("notes", "something else")] {
      _ = try makeOthers()
      try refuses(Self.export + [name], name, saying: word)
    }
    try sandbox.start(second + ["--force"]).wait().succeeded()
  }

  @Test func exportOfFewerVersionsIsRefused() throws {
    let store = try sandbox.readBytes(sandbox.keyStore)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.start(Self.export + ["out.keys"]).wait().succeeded()
    try store.write(to: URL(fileURLWithPath: sandbox.keyStore))
    try refuses(Self.export + ["out.keys"], "out.keys", saying: "other versions")
  }

  @Test func keyStoreInUseIsNeverReplaced() throws {
    for command in [Self.seal, Self.open, Self.export] {
      for more in [[], ["--force"]] {
        try refuses(command + [sandbox.keyStore] + more, sandbox.keyStore, saying: "key store")
      }
    }
    try sandbox.shell("ln -s '\(sandbox.keyStore)' link").succeeded()
    try refuses(Self.open + ["link", "--force"], sandbox.keyStore, saying: "key store")
  }

  @Test func filesThatCannotBeReadAreReplacedOnlyByForce() throws {
    try sandbox.shell("head -c 17000000 /dev/zero > large").succeeded()
    try refuses(Self.seal + ["large"], "large", saying: "large is longer", code: 74)
    try sandbox.start(Self.seal + ["large", "--force"]).wait().succeeded()
    try sandbox.envelope("get", "large", "TOKEN", "--function", "app").succeeded()
  }

  /// No command reads more than 16 MiB: what would be longer is refused while the old file is there.
  @Test func changesThatNoCommandReadsAgainAreRefused() throws {
    let value = Data(repeating: UInt8(ascii: "a"), count: 13_000_000)
    let before = try sandbox.readBytes("app.env")
    try sandbox.envelope(["set", "app.env", "LARGE", "--function", "app"], bytes: value).failed(
      65, saying: "16,777,216")
    try sandbox.write("LARGE=" + String(decoding: value, as: UTF8.self) + "\n", to: "large.env")
    let seal = ["seal", "large.env", "--function", "app", "--allow-removal"]
    for arguments in [seal, seal + ["-o", "app.env"], seal + ["-o", "none.env"]] {
      try sandbox.start(arguments).wait().failed(65, saying: "16,777,216")
    }
    try sandbox.write("cat large.env > \"$1\"", to: "editor")
    let edit = try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"])
    edit.failed(65, saying: "16,777,216")
    #expect(try sandbox.readBytes("app.env") == before)
    #expect(!sandbox.exists("none.env"))
  }

  @Test(arguments: ["", "\n"]) func setRefusesEmptyValue(input: String) throws {
    let set = ["set", "app.env", "TOKEN", "--function", "app"]
    try refuses(set, "app.env", input: input, saying: "--allow-empty", code: 66)
    try sandbox.start(set + ["--allow-empty"], input: Data(input.utf8)).wait().succeeded()
    #expect(try sandbox.opened()["TOKEN"] == "")
  }

  @Test func setOnTerminalRefusesEmptyValue() throws {
    let before = try sandbox.readBytes("app.env")
    let set = ["set", "app.env", "TOKEN", "--function", "app"]
    #expect(try sandbox.terminal(set, steps: [("Value of TOKEN: ", "\n")]).code == 66)
    #expect(try sandbox.readBytes("app.env") == before)
  }
}
