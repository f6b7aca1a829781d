// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@Suite("get, set and unset", .timeLimit(.minutes(20))) struct ChangeCommandsTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private func get(_ name: String) throws -> Data {
    try sandbox.envelope("get", "app.env", name, "--function", "app").succeeded().output
  }

  @Test(arguments: [
    ("value\n", "value"), ("value\n\n", "value\n"), ("value", "value"), ("", ""), ("\n", ""), ("a\r\n", "a"),
    ("a\r\n\r\n", "a\r\n"), ("\r\n", ""), ("a\r", "a\r"), ("a\n\r\n", "a\n"),
    ("\u{feff}value\r\n", "value"), ("\u{feff}", ""), ("\u{feff}\r\n", ""), ("a\u{feff}b", "a\u{feff}b"),
    ("zwölf – 十二 🔑\n", "zwölf – 十二 🔑"), ("-----BEGIN\nline\n-----END\n", "-----BEGIN\nline\n-----END"),
  ])
  func setLeavesOutOneLineEndAndByteOrderMark(input: String, value: String) throws {
    try sandbox.seal("A=1\n")
    let set = ["set", "app.env", "B", "--function", "app", "--allow-empty"]
    try sandbox.envelope(set, bytes: Data(input.utf8)).succeeded()
    #expect(try get("B") == Data(value.utf8))
    try sandbox.envelope(set + ["--raw"], bytes: Data(input.utf8)).succeeded()
    #expect(try get("B") == Data(input.utf8))
  }

  /// No dotenv or JSON text can hold them: `open` and `edit` would fail for all variables of the file.
  @Test(arguments: [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xff, 0xfe, 0x61]] as [[UInt8]])
  func setRefusesBytesThatAreNoText(bytes: [UInt8]) throws {
    try sandbox.seal("A=1\nPLAIN=2\n", "--plain", "PLAIN")
    let before = try sandbox.readBytes("app.env")
    for (name, options) in [("B", []), ("A", ["--raw"]), ("B", ["--plain"]), ("PLAIN", ["--plain"])] {
      let set = ["set", "app.env", name, "--function", "app"] + options
      try sandbox.envelope(set, bytes: Data(bytes)).failed(65, saying: "The value of \(name) is not UTF-8")
    }
    #expect(try sandbox.readBytes("app.env") == before)
  }

  @Test func everyCharacterComesBack() throws {
    try sandbox.seal("A=1\n")
    let text = Data(String(String.UnicodeScalarView((1...0x7ff).compactMap { Unicode.Scalar($0) })).utf8)
    try sandbox.envelope(["set", "app.env", "B", "--function", "app", "--raw"], bytes: text).succeeded()
    #expect(try get("B") == text)
    try sandbox.envelope("exec", "app.env", "--function", "app", "--", "true").succeeded()
  }

  /// Such a value would make `exec` and `open` fail for all variables of the file.
  @Test(arguments: ["dotenv", "json", "packed"]) func setRefusesNULByte(format: String) throws {
    try sandbox.seal("A=1\nPLAIN=2\n", "--format", format, "--plain", "PLAIN")
    let before = try sandbox.readBytes("app.env")
    let calls: [(String, [String])] = [
      ("B", []), ("A", []), ("B", ["--raw"]), ("B", ["--plain"]), ("PLAIN", ["--plain"]),
    ]
    for (name, options) in calls {
      let set = ["set", "app.env", name, "--function", "app"] + options
      for input in [Data([0]), Data([97, 0, 98]), Data([97, 0, 10])] {
        try sandbox.envelope(set, bytes: input).failed(65, saying: "The value of \(name) has a NUL byte")
      }
    }
    #expect(try sandbox.readBytes("app.env") == before)
    try sandbox.envelope("exec", "app.env", "--function", "app", "--", "true").succeeded()
  }

  @Test func sealAndEditRefuseNULByte() throws {
    try sandbox.write(#"{"A": "a\u0000b"}"#, to: "plain.json")
    try sandbox.envelope("seal", "plain.json", "--function", "app", "-o", "app.json").failed(65, saying: "NUL")
    #expect(!sandbox.exists("app.json"))
    for format in ["dotenv", "json"] {
      try sandbox.seal("A=1\n", "--format", format)
      let before = try sandbox.readBytes("app.env")
      try sandbox.writeScript(
        format == "json" ? #"cat plain.json > "$1""# : #"printf 'A="a\0b"\n' > "$1""#, to: "editor")
      try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"]).failed(
        65, saying: "NUL")
      #expect(try sandbox.readBytes("app.env") == before)
    }
  }

  /// The library seals any bytes: the other variables of such a file can be changed all the same.
  @Test func variablesBesideNULByteCanBeChanged() async throws {
    try sandbox.seal("A=1\n")
    let sealed = try await SealedEnvironment.seal(
      ["A": "1", "B": "a\0b"], context: ["function": "app"], using: sandbox.keyring())
    try sandbox.write(sealed.variables.map { "\($0.key)=\($0.value)\n" }.joined(), to: "app.env")
    try sandbox.envelope("set", "app.env", "A", "--function", "app", input: "2").succeeded()
    #expect(try get("B") == Data([97, 0, 98]))
    try sandbox.envelope(["set", "app.env", "B", "--function", "app"], bytes: Data([97, 0])).failed(65, saying: "NUL")
    try sandbox.envelope("unset", "app.env", "B", "--function", "app").succeeded()
    #expect(try sandbox.opened() == ["A": "2"])
  }

  @Test func aLargeValueComesBack() throws {
    try sandbox.seal("A=1\n")
    let value = Data((0..<1_000_000).map { _ in UInt8.random(in: 32...126) })
    try sandbox.envelope(["set", "app.env", "B", "--function", "app"], bytes: value).succeeded()
    #expect(try get("B") == value)
  }

  @Test func aValueTooLongForThePackedFormIsRefused() throws {
    try sandbox.seal("A=1\n", "--format", "packed")
    let before = try sandbox.readBytes("app.env")
    let value = Data(repeating: 65, count: 65_536)
    try sandbox.envelope(["set", "app.env", "B", "--function", "app"], bytes: value).failed(65, saying: "B")
    #expect(try sandbox.readBytes("app.env") == before)
    try sandbox.envelope(["set", "app.env", "B", "--function", "app"], bytes: value.dropFirst()).succeeded()
  }

  @Test(arguments: ["dotenv", "json", "lambda"]) func otherVariablesKeepTheirLines(format: String) throws {
    try sandbox.seal("AA=1\nBB=2\nCC=3\nPLAIN=4\n", "--format", format, "--plain", "PLAIN")
    func lines(but names: String...) throws -> [String] {
      try sandbox.read("app.env").split(separator: "\n").map(String.init).filter { line in
        !(names + ["ENVELOPE_HEADER"]).contains { line.drop { " \"".contains($0) }.hasPrefix($0) }
      }.map { $0.hasSuffix(",") ? String($0.dropLast()) : $0 }
    }
    let before = try lines(but: "BB")
    try sandbox.envelope("set", "app.env", "BB", "--function", "app", input: "other").succeeded()
    #expect(try lines(but: "BB") == before)
    try sandbox.envelope("set", "app.env", "DD", "--function", "app", input: "new").succeeded()
    #expect(try lines(but: "BB", "DD") == before)
    try sandbox.envelope("unset", "app.env", "DD", "--function", "app").succeeded()
    #expect(try lines(but: "BB") == before)
    try sandbox.writeScript("sed -i 's/other/another/' \"$1\"", to: "editor")
    try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    #expect(try lines(but: "BB") == before)
    #expect(try sandbox.opened() == ["AA": "1", "BB": "another", "CC": "3", "PLAIN": "4"])
  }

  @Test func aSecretIsNeverTakenFromAnArgument() throws {
    try sandbox.seal("A=1\n")
    let before = try sandbox.readBytes("app.env")
    let marker = "marker-in-an-argument"
    for arguments in [
      ["set", "app.env", "B", marker, "--function", "app"], ["set", "app.env", "B", "--function", "app", marker],
      ["set", "app.env", "B", "--function", "app", "--value=\(marker)"],
      ["set", "app.env", "B", "--function", "app", "--value", marker],
      ["set", "app.env", "B=\(marker)", "--function", "app"],
      ["set", "app.env", "B", "--function", "app", "--", marker],
    ] {
      let result = try sandbox.start(arguments).wait()
      #expect(result.code == 64 || result.code == 65, "\(arguments)")
      #expect(result.output.isEmpty)
      #expect(!result.messages.contains(marker), "\(arguments)")
    }
    #expect(try sandbox.readBytes("app.env") == before)
  }

  @Test func aPlainVariableThatIsSetIsSealedAndItIsSaid() throws {
    try sandbox.seal("A=1\nPLAIN=seen\n", "--plain", "PLAIN")
    let result = try sandbox.envelope("set", "app.env", "PLAIN", "--function", "app", input: "hidden").succeeded()
    #expect(result.messages.contains("PLAIN was plain"))
    #expect(try !sandbox.read("app.env").contains("hidden"))
    #expect(try sandbox.opened()["PLAIN"] == "hidden")
  }

  @Test func whatIsNotThereCannotBeHadOrRemoved() throws {
    try sandbox.seal("A=1\n")
    let before = try sandbox.readBytes("app.env")
    try sandbox.envelope("get", "app.env", "B", "--function", "app").failed(66, saying: "B")
    try sandbox.envelope("unset", "app.env", "B", "--function", "app").failed(66, saying: "B")
    try sandbox.envelope("get", "none.env", "B", "--function", "app").failed(66, saying: "none.env")
    #expect(try sandbox.readBytes("app.env") == before)
    #expect(!sandbox.exists("none.env"))
  }

  @Test func theLastVariableCanGoAndAnotherCome() throws {
    try sandbox.seal("A=1\n")
    try sandbox.envelope("unset", "app.env", "A", "--function", "app").succeeded()
    #expect(try sandbox.opened() == [:])
    try sandbox.envelope("set", "app.env", "B", "--function", "app", input: "2").succeeded()
    #expect(try sandbox.opened() == ["B": "2"])
  }

  @Test(arguments: ["ENVELOPE_HEADER", "ENVELOPE_SEALED", "1A", "A-B", "A B", ""])
  func namesThatCannotBeAreRefused(name: String) throws {
    try sandbox.seal("A=1\n")
    let result = try sandbox.envelope("set", "app.env", name, "--function", "app", input: "x")
    #expect(result.code == 64 || result.code == 65)
    #expect(try sandbox.opened() == ["A": "1"])
  }

  @Test func aLambdaDocumentKeepsToThePlatformsRules() throws {
    try sandbox.seal("AA=1\n", "--format", "lambda")
    let before = try sandbox.readBytes("app.env")
    let set = ["set", "app.env"]
    let function = ["--function", "app"]
    try sandbox.start(set + ["AWS_REGION"] + function, input: Data("x".utf8)).wait().failed(65, saying: "AWS_REGION")
    #expect(try sandbox.readBytes("app.env") == before)
    let value = Data(repeating: 65, count: 4096)
    let result = try sandbox.start(set + ["LARGE"] + function, input: value).wait().succeeded()
    #expect(result.messages.contains("of the 4096 bytes"))
  }

  /// Whoever is too late reads the file again, while the others wait: nobody's change is lost or refused.
  @Test func changesAtTheSameTimeAllSucceed() throws {
    try sandbox.seal("A=1\nPLAIN=1\n", "--plain", "PLAIN")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    var running = try (0..<8).map { number in
      try sandbox.start(["set", "app.env", "N\(number)", "--function", "app"], input: Data("\(number)".utf8))
    }
    running.append(try sandbox.start(["rewrap", "app.env", "--function", "app"]))
    running.append(try sandbox.start(["unset", "app.env", "A", "--function", "app"]))
    for process in running { try process.wait().succeeded() }
    let numbers = (0..<8).map { ("N\($0)", "\($0)") }
    #expect(try sandbox.opened() == Dictionary(uniqueKeysWithValues: numbers + [("PLAIN", "1")]))
  }

  /// Three loops of `set` beside `rewrap` and `reseal`: none of them is refused.
  @Test func setSucceedsBesideRewrap() throws {
    try sandbox.seal("A=1\n")
    let loop = """
      for number in 1 2 3 4 5 6 7 8; do echo $number | "$ENVELOPE" set app.env $NAME --function app || exit 1; done
      """
    let rewrap = """
      for number in 1 2 3 4; do "$ENVELOPE" keys rotate default && "$ENVELOPE" rewrap . --function app || exit 1
      "$ENVELOPE" reseal app.env --function app || exit 1; done
      """
    let result = try sandbox.shell(
      """
      failed=0; for NAME in AA BB CC; do export NAME; ( \(loop) ) & jobs="$jobs $!"; done
      ( \(rewrap) ) & for job in $jobs $!; do wait $job || failed=1; done; exit $failed
      """)
    #expect(result.ending == .exit(0), "\(result.messages)")
    #expect(try sandbox.opened() == ["A": "1", "AA": "8", "BB": "8", "CC": "8"])
  }

  /// Of AWS's answer only the variables can be written back: that is said.
  @Test func anAnswerOfAWSKeepsItsVariablesAlone() throws {
    try sandbox.seal("AA=1\n", "--format", "lambda")
    let document = try sandbox.read("app.env")
    try sandbox.write(#"{"FunctionName": "app", "FunctionArn": "arn", "Environment": "# + document + "}", to: "app.env")
    #expect(try sandbox.opened() == ["AA": "1"])
    let result = try sandbox.envelope("set", "app.env", "BB", "--function", "app", input: "2").succeeded()
    #expect(result.messages.contains("answer of AWS"))
    #expect(try sandbox.opened() == ["AA": "1", "BB": "2"])
    #expect(try sandbox.read("app.env").hasPrefix("{\n  \"Variables\": {"))
    #expect(!(try sandbox.envelope("set", "app.env", "BB", "--function", "app", input: "3").messages.contains("AWS")))
  }

  /// Contexts are compared as bytes, not as Unicode holds them equal.
  @Test func keysOfAContextThatLookTheSame() throws {
    let both = ["--context", "\u{e9}=1", "--context", "e\u{301}=2"]
    try sandbox.start(["seal", "-", "--function", "app", "-o", "app.env"] + both, input: Data("A=1\n".utf8)).wait()
      .succeeded()
    let open = ["open", "app.env", "--function", "app"]
    try sandbox.start(open + both).wait().succeeded()
    try sandbox.start(open + both.prefix(2)).wait().failed(65)
    try sandbox.start(open + both.suffix(2)).wait().failed(65)
  }

  @Test func standardInputCannotBeChanged() throws {
    for arguments in [["set", "-", "A"], ["unset", "-", "A"], ["edit", "-"]] {
      try sandbox.start(arguments + ["--function", "app"]).wait().failed(64)
    }
  }
}
