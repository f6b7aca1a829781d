// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Comments, order and spellings of a file stay when it is sealed, and when the sealed file changes.
@Suite(.timeLimit(.minutes(20))) struct SealedTextTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private static let text = """
    # The shop's settings

    APP_NAME=My App   # shown to users
    # Where it logs
    export LOG_LEVEL="info"

    # database
    TOKEN=abc # from the vault
    # OLD_TOKEN=marker-old

    DATABASE='x y'

    """

  /// Lines, with `*` for what is sealed.
  private func lines(_ name: String = "app.env") throws -> [String] {
    try sandbox.read(name).split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard let end = line.firstRange(of: "=ev1:") ?? line.firstRange(of: "=ek1:") else { return String(line) }
      return line[..<end.lowerBound] + "=*"
    }
  }

  private static let sealed = [
    "# function: app", "ENVELOPE_HEADER=*", "", "# The shop's settings", "", "APP_NAME=My App   # shown to users",
    "# Where it logs",
    "export LOG_LEVEL=\"info\"", "", "# database", "# from the vault", "TOKEN=*", "", "DATABASE=*", "",
  ]

  private func sealText(_ arguments: String...) throws -> Outcome {
    try sandbox.write(Self.text, to: ".env")
    let seal = ["seal", ".env", "--function", "app", "--plain", "APP_NAME", "--plain", "LOG_LEVEL", "-o", "app.env"]
    return try sandbox.start(seal + arguments).wait()
  }

  @Test func sealKeepsCommentsOrderAndSpellings() throws {
    let messages = try sealText().succeeded().messages
    #expect(try lines() == Self.sealed)
    #expect(messages.contains("Left out comments that set variables") && messages.contains(": OLD_TOKEN."))
    #expect(messages.contains("Kept 5 comments, which are not sealed.\n"))
    #expect(!messages.contains("marker-old"))
    #expect(try sandbox.opened() == ["APP_NAME": "My App", "LOG_LEVEL": "info", "TOKEN": "abc", "DATABASE": "x y"])
    let run = try sandbox.envelope("exec", "app.env", "--function", "app", "--", "sh", "-c", "echo \"$APP_NAME\"")
    #expect(run.succeeded().text == "My App\n")
  }

  @Test func everyCommentIsKeptOnDemand() throws {
    try sealText("--keep-all-comments").succeeded()
    #expect(try sandbox.read("app.env").contains("# OLD_TOKEN=marker-old\n"))
    // They are public then, and every change keeps them.
    try sandbox.envelope("set", "app.env", "TOKEN", "--function", "app", input: "d").succeeded()
    #expect(try sandbox.read("app.env").contains("# OLD_TOKEN=marker-old\n"))
  }

  @Test(arguments: [["--format", "packed"], ["--packed"]]) func aPackedFileHasNoComments(arguments: [String]) throws {
    try sandbox.write(Self.text, to: ".env")
    let seal = ["seal", ".env", "--function", "app", "--plain", "APP_NAME", "-o", "app.env"] + arguments
    try sandbox.start(seal).wait().succeeded()
    #expect(try lines() == ["# function: app", "ENVELOPE_SEALED=*", "", "APP_NAME=My App", ""])
  }

  @Test func JSONHasNoComments() throws {
    try sealText("--format", "json").succeeded()
    #expect(try !sandbox.read("app.env").contains("#"))
    #expect(try sandbox.opened()["TOKEN"] == "abc")
  }

  @Test func setUnsetAndEditKeepThem() throws {
    try sealText().succeeded()
    let before = try sandbox.read("app.env").split(separator: "\n", omittingEmptySubsequences: false)
    try sandbox.envelope("set", "app.env", "TOKEN", "--function", "app", input: "def").succeeded()
    #expect(try lines() == Self.sealed)
    // One line and the header's have changed.
    let after = try sandbox.read("app.env").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(zip(before, after).filter { $0 != $1 }.map { $0.0.prefix(6) } == ["ENVELO", "TOKEN="])
    try sandbox.envelope("set", "app.env", "MORE", "--function", "app", input: "1").succeeded()
    #expect(try lines() == Self.sealed.dropLast() + ["MORE=*", ""])
    try sandbox.envelope("unset", "app.env", "MORE", "--function", "app").succeeded()
    #expect(try lines() == Self.sealed)
    try sandbox.writeScript("sed -i -e s/def/ghi/ -e 's/^/# NEW=marker-new\\n/' \"$1\"", to: "editor")
    try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    #expect(try lines() == Self.sealed)
    #expect(try sandbox.opened()["TOKEN"] == "ghi")
    try sandbox.envelope("unset", "app.env", "TOKEN", "--function", "app").succeeded()
    #expect(try lines() == Self.sealed.filter { $0 != "TOKEN=*" })
  }

  /// Commenting a variable out in the editor removes it; the comment would show its value.
  @Test func aVariableThatIsCommentedOutInTheEditorIsGone() throws {
    try sealText().succeeded()
    try sandbox.writeScript("sed -i 's/^TOKEN/# TOKEN/' \"$1\"", to: "editor")
    try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    #expect(try !sandbox.read("app.env").contains("abc"))
    #expect(try sandbox.opened()["TOKEN"] == nil)
  }

  @Test func acceptKeepsThem() throws {
    try sealText().succeeded()
    try sandbox.write(sandbox.read("app.env").replacingOccurrences(of: "My App", with: "Our App"), to: "app.env")
    try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: "APP_NAME")
    try sandbox.envelope("accept", "app.env", "--function", "app", "--yes").succeeded()
    #expect(try lines() == Self.sealed.map { $0.replacingOccurrences(of: "My App", with: "Our App") })
    #expect(try sandbox.opened()["APP_NAME"] == "Our App")
  }

  @Test func commentsAreNotAuthenticatedAndVariablesInThemAreNotThere() throws {
    try sealText().succeeded()
    try sandbox.write("# LD_PRELOAD=x\n" + sandbox.read("app.env") + "# more\n", to: "app.env")
    #expect(try sandbox.opened()["LD_PRELOAD"] == nil)
  }

  @Test func whatReadersDisagreeAboutIsNamed() throws {
    let text = "A=${HOST}\nB=$(touch canary)\nC=My App\nD=\"a\\\"b\"\nE=plain\n"
    let seal = ["seal", "-", "--function", "app"]
    let messages = try sandbox.envelope(seal, bytes: Data(text.utf8)).succeeded().messages
    #expect(messages.contains("In standard input: Taken as written") && messages.contains("writes: A, B."))
    #expect(messages.contains("sh reads other values, or runs a part of the line: C."))
    #expect(messages.contains("python-dotenv or Node reads other values: D."))
    for line in text.split(separator: "\n").dropLast() {
      try sandbox.envelope(seal + ["--portable"], bytes: Data(line.utf8)).failed(65, saying: String(line.prefix(1)))
    }
    try sandbox.envelope(seal + ["--portable"], bytes: Data("E='a b'\nF=1\n".utf8)).succeeded()
    let quiet = try sandbox.envelope(seal, bytes: Data("E='a b'\nF=1 # c\n\n# x\n".utf8)).succeeded().messages
    #expect(!quiet.contains("Taken") && !quiet.contains("Left out"))
    #expect(!sandbox.exists("canary"))
  }

  /// python-dotenv before 1.2.3 loses the whole file for it, or later ones the variable.
  @Test(arguments: ["A='a\\'\n", "A=\"a\\\\\"\n", "A=a\\\n"]) func aBackslashAtTheEndIsNamed(text: String) throws {
    let seal = ["seal", "-", "--function", "app"]
    #expect(try sandbox.envelope(seal, bytes: Data(text.utf8)).succeeded().messages.contains(": A."))
    try sandbox.envelope(seal + ["--portable"], bytes: Data(text.utf8)).failed(65, saying: "A")
    try sandbox.seal(text)
    #expect(try sandbox.envelope("open", "app.env", "--function", "app").succeeded().messages.contains(": A\n"))
    try sandbox.envelope("open", "app.env", "--function", "app", "--portable").failed(65, saying: "A")
  }

  @Test(arguments: [
    ("\u{feff}A=1\n", "byte order mark"), ("A=1\r\n", "CRLF"), ("A=1\r\nB=2\n", "Mixed line ends: line 1"),
  ])
  func theFormOfTheFileIsNamed(text: String, message: String) throws {
    let seal = ["seal", "-", "--function", "app"]
    #expect(try sandbox.envelope(seal, bytes: Data(text.utf8)).succeeded().messages.contains(message))
    try sandbox.envelope(seal + ["--portable"], bytes: Data(text.utf8)).failed(65, saying: message)
  }

  @Test func UTF16IsNamed() throws {
    let text = Data([0xff, 0xfe]) + (try #require("TOKEN=marker\r\n".data(using: .utf16LittleEndian)))
    let result = try sandbox.envelope(["seal", "-", "--function", "app"], bytes: text)
    result.failed(65, saying: "In standard input: Line 1 begins a text in UTF-16")
    #expect(result.messages.contains("iconv -f UTF-16 -t UTF-8"))
  }

  /// Sealing is harmless, whatever a shell does with the name.
  @Test(arguments: ["UID", "PS1", "RANDOM", "PROMPT_COMMAND", "BASH_ENV"])
  func namesThatAShellKeepsAreSealedAndEdited(name: String) throws {
    try sandbox.seal("\(name)='a $(touch canary)'\nOTHER=1\n")
    try sandbox.writeScript("sed -i 's/^OTHER=1/OTHER=2/; s/a \\$/b $/' \"$1\"", to: "editor")
    try sandbox.envelope("edit", "app.env", "--function", "app", with: ["EDITOR": "sh editor"]).succeeded()
    #expect(try sandbox.opened() == [name: "b $(touch canary)", "OTHER": "2"])
    #expect(
      try sandbox.envelope("exec", "app.env", "--function", "app", "--", "printenv", name).succeeded().text
        == "b $(touch canary)\n")
    try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: name)
    let docker = try sandbox.envelope("open", "app.env", "--function", "app", "--format", "docker").succeeded()
    #expect(
      docker.text == "OTHER=2\n\(name)=b $(touch canary)\n" || docker.text == "\(name)=b $(touch canary)\nOTHER=2\n")
    try sandbox.shell("set -a; . ./app.env; :")
    #expect(!sandbox.exists("canary"))
  }
}
