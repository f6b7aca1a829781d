// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Lines for Docker's and kubectl's env files, to which all behind `=` is the value.
@Suite(.timeLimit(.minutes(20))) struct DockerFormatTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private static let text = "# c\nexport NAME='My App'\nLEVEL=\"debug\"\nTOKEN='it is $5' # d\n"

  @Test func whatSealWritesIsReadBackByEveryCommand() throws {
    try sandbox.write(Self.text, to: ".env")
    let seal = ["seal", ".env", "--function", "app", "--plain", "NAME", "--plain", "LEVEL", "--format", "docker"]
    try sandbox.start(seal + ["-o", "app.env"]).wait().succeeded()
    let lines = try sandbox.read("app.env").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[2...6] == ["", "# c", "NAME=My App", "LEVEL=debug", "# d"] && lines[7].hasPrefix("TOKEN=ev1:"))
    let values = ["NAME": "My App", "LEVEL": "debug", "TOKEN": "it is $5"]
    #expect(try sandbox.opened() == values)
    #expect(try sandbox.envelope("get", "app.env", "NAME", "--function", "app").succeeded().text == "My App")
    try sandbox.envelope("set", "app.env", "MORE", "--function", "app", input: "1").succeeded()
    try sandbox.envelope("unset", "app.env", "MORE", "--function", "app").succeeded()
    try sandbox.envelope("rewrap", "app.env", "--function", "app").succeeded()
    try sandbox.envelope("reseal", "app.env", "--function", "app").succeeded()
    try sandbox.envelope("inspect", "app.env").succeeded()
    let run = try sandbox.envelope("exec", "app.env", "--function", "app", "--", "sh", "-c", "echo \"$NAME,$TOKEN\"")
    #expect(run.succeeded().text == "My App,it is $5\n")
    #expect(try sandbox.opened() == values)
    #expect(try sandbox.read("app.env").contains("NAME=My App\n"))
    try sandbox.start(seal + ["-o", "app.env"]).wait().succeeded()
  }

  /// The file does not say for whom it was written, so what Docker would read otherwise is said.
  @Test func quotesOfAPlainVariableThatIsSetAreAnnounced() throws {
    try sandbox.write(Self.text, to: ".env")
    let seal = ["seal", ".env", "--function", "app", "--plain", "NAME", "--format", "docker", "-o", "app.env"]
    #expect(try !sandbox.start(seal).wait().succeeded().messages.contains("in quotes"))
    let set = ["set", "app.env", "NAME", "--function", "app", "--plain"]
    let result = try sandbox.start(set, input: Data("Other App".utf8)).wait().succeeded()
    #expect(result.messages.contains("in quotes, which Docker and kubectl keep as part of the value: NAME."))
    for value in ["Other", ""] {
      let result = try sandbox.start(set + ["--allow-empty"], input: Data(value.utf8)).wait().succeeded()
      #expect(!result.messages.contains("in quotes"))
    }
    // A value that is sealed has no quotes, and one that stays keeps its line.
    let other = ["set", "app.env", "MORE", "--function", "app"]
    #expect(try !sandbox.start(other, input: Data("a b".utf8)).wait().succeeded().messages.contains("in quotes"))
  }

  @Test func packedAndPlain() throws {
    try sandbox.write(Self.text, to: ".env")
    let seal = [
      "seal", ".env", "--function", "app", "--plain", "NAME", "--format", "docker", "--packed", "-o", "app.env",
    ]
    try sandbox.start(seal).wait().succeeded()
    let lines = try sandbox.read("app.env").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 5 && lines[1].hasPrefix("ENVELOPE_SEALED=ek1:") && lines[3] == "NAME=My App")
    #expect(try sandbox.opened()["TOKEN"] == "it is $5")
  }

  @Test(arguments: ["A='x\ny'\n", "A='x\r'\n", "A=' x'\n", "A='x #y'\n", "A=\"'x'\"\n"])
  func whatAPlainLineCannotHoldIsRefused(text: String) throws {
    let seal = ["seal", "-", "--function", "app", "--format", "docker"]
    try sandbox.envelope(seal + ["--plain", "A"], bytes: Data(text.utf8)).failed(65, saying: "A")
    try sandbox.envelope(seal, bytes: Data(text.utf8)).succeeded()
  }

  @Test func openedVariablesAreWrittenWithoutQuotes() throws {
    try sandbox.seal("A='x y'\nB=\"it's \\$5\"\nC=' \"z\" '\n")
    let open = ["open", "app.env", "--function", "app", "--format", "docker"]
    let result = try sandbox.start(open).wait().succeeded()
    #expect(result.text == "A=x y\nB=it's $5\nC= \"z\" \n" && result.messages.isEmpty)
    try sandbox.envelope(["set", "app.env", "D", "--function", "app", "--raw"], bytes: Data("x\n".utf8)).succeeded()
    try sandbox.start(open).wait().failed(65, saying: "The value of D has a line end")
  }
}
