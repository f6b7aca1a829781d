// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

/// `rewrap .` in a repository of sources, whose fixtures and pages show how sealed text looks.
@Suite(.timeLimit(.minutes(20))) struct RewrapSourceTreeTests {
  private let sandbox: Sandbox
  private let sealed: String

  init() throws {
    sandbox = try Sandbox()
    try sandbox.makeKey("default")
    try sandbox.makeFolder(".git")
    try sandbox.seal("AA=1\n")
    sealed = try sandbox.read("app.env")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
  }

  private func rewrap(_ arguments: String..., in folder: String? = nil) throws -> Outcome {
    try sandbox.start(["rewrap"] + arguments, in: folder).wait()
  }

  /// The header's text.
  private var header: Substring {
    sealed.split(separator: "\n").first { $0.hasPrefix("ENVELOPE_HEADER=") }.map { $0.dropFirst(16) } ?? ""
  }

  @Test func textThatMentionsSealedTextIsNoFailure() throws {
    let texts = [
      "test.swift": "let text = \"ENVELOPE_HEADER=ek1:AAAA\\nAA=ev1:AAAA\"\n",
      "page.md": "# `ev1:` and `ek1:`\n\nText.\n",
      "example.env": "ENVELOPE_HEADER=ek1:…\nAA=ev1:…\n", "short": "ek1: begins one\n", "prefix": "ek1:AAAA\n",
      "json.json": #"{"cases": [{"AA": "ev1:AAAA", "ENVELOPE_HEADER": "x"}]}"#,
      "array.json": #"["ENVELOPE_HEADER", 1]"#,
      "block.md": "Like this:\n\n    ENVELOPE_HEADER=ek1:\(header.prefix(30))…\n    AA=ev1:…\n",
      "console.md": "# Use\n\n$ cat app.env\nENVELOPE_HEADER=\(header.prefix(60))…\nAA=ev1:…\n\nText.\n",
      "list.yaml": "- ENVELOPE_HEADER\n- ENVELOPE_SEALED\n", "nothing": "",
      "lines": "ENVELOPE_HEADER\nENVELOPE_HEADER=\n",
    ]
    for (name, text) in texts { try sandbox.write(text, to: name) }
    let result = try rewrap(".").succeeded()
    #expect(result.messages == "Rewrapped 1 file, \(texts.count) not sealed.\n")
  }

  /// A complete header in a source is no document, but may be one that counts: it is named.
  @Test func completeHeaderInSourceIsReported() throws {
    try sandbox.write("let text = \"ENVELOPE_HEADER=\(header)\"\n", to: "test.swift")
    try sandbox.write(#"{"fixtures": [{"ENVELOPE_HEADER": "\#(header)"}]}"#, to: "fixtures.json")
    let prose = String(repeating: "Some text about it.\n", count: 5)
    try sandbox.write("\(prose)ENVELOPE_HEADER=\(header)\n\(prose)", to: "page.md")
    try sandbox.write("\(prose)ENVELOPE_HEADER=\(header.prefix(60))\n\(prose)", to: "cut.md")
    try sandbox.write("services: {app: {environment: {ENVELOPE_HEADER: \(header)}}}\n", to: "compose.yaml")
    let result = try rewrap(".").succeeded()
    let names = ["compose.yaml", "cut.md", "fixtures.json", "page.md", "test.swift"]
    let listed = names.map { "  \($0)\n" }.joined()
    #expect(result.messages.hasPrefix("With something sealed amid other text, which stays as it is:\n\(listed)Rewr"))
  }

  /// No real document is taken for one of these, however it is damaged.
  @Test func damagedDocumentFails() throws {
    let variable = try #require(sealed.split(separator: "\n").first { $0.hasPrefix("AA=") })
    let json = #"{"ENVELOPE_HEADER": "\#(header)", "AA": "\#(variable.dropFirst(3))"}"#
    let documents: [String: String] = [
      "no-header": "\(variable)\n", "prose": "What is this?\n\(sealed)", "prose-after": "\(sealed)What is this?\n",
      "export": "export ENVELOPE_HEADER='\(header)'\nWhat?\n",
      "crlf": sealed.replacing("\n", with: "\r\n") + "What?\r\n",
      "cut-header": "ENVELOPE_HEADER=\(header.prefix(60))\n\(variable)\n", "bom": "\u{feff}\(sealed)What?\n",
      "conflict": "<<<<<<< a\nENVELOPE_HEADER=\(header)\n=======\n>>>>>>> b\n\(variable)\n",
      "cut.json": String(json.dropLast(3)), "nested.json": "\(json.dropLast()), \"B\": {}}", "more.json": json + "}",
      "variables.json": "{\"Variables\": \(json), \"Other\": 1}", "spaced.json": json.replacing("{", with: "{,\n"),
      "escaped.json": #"{"AA": "\#(variable.dropFirst(3).replacing("ev1:", with: "\\u0065v1:"))"}"#,
    ]
    for (name, text) in documents { try sandbox.write(text, to: name) }
    var wide: [UInt8] = [0xff, 0xfe]
    for byte in sealed.utf8 { wide += [byte, 0] }
    try Data(wide).write(to: URL(filePath: sandbox.path("utf-16")))
    let result = try rewrap(".")
    #expect(result.code == 65)
    for name in documents.keys + ["utf-16"] { #expect(result.messages.contains("\(name): "), "\(name)") }
    #expect(result.messages.contains("Rewrapped 1 file, \(documents.count + 1) failed"))
    for (name, text) in documents { #expect(try sandbox.read(name) == text) }
  }

  // MARK: What is left out

  @Test func ignoredFoldersAreLeftOut() throws {
    for folder in ["build/deep", "src/vendor", "src/kept"] {
      try sandbox.makeFolder(folder)
      try sandbox.write(sealed, to: "\(folder)/app.env")
    }
    try sandbox.write("/build/\n", to: ".gitignore")
    try sandbox.write("*\n!kept/\n", to: "src/.gitignore")
    let result = try rewrap(".").succeeded()
    #expect(result.messages.hasPrefix("Rewrapped 2 files, 2 not sealed.\n"))
    #expect(
      result.messages.hasSuffix(
        "Left out, because .gitignore or envelope.yaml names them (search there, too: --ignored):\n"
          + "  build\n  src/vendor\n"))
    #expect(try sandbox.read("src/kept/app.env") != sealed && sandbox.read("build/deep/app.env") == sealed)
    // What is named is meant, and from below the same holds.
    try rewrap("build").succeeded()
    #expect(try sandbox.read("build/deep/app.env") != sealed)
    #expect(try rewrap("src").succeeded().messages.hasSuffix("  src/vendor\n"))
    #expect(try rewrap(".", in: sandbox.path("src")).succeeded().messages.hasSuffix("  vendor\n"))
    try rewrap(".", "--ignored").succeeded()
    #expect(try sandbox.read("src/vendor/app.env") != sealed)
  }

  /// A local sealed file often is in `.gitignore`.
  @Test func ignoredFilesAreTaken() throws {
    try sandbox.write("*.env\n.env\n", to: ".gitignore")
    try sandbox.write(sealed, to: ".env")
    try rewrap(".").succeeded()
    #expect(try sandbox.read(".env") != sealed && sandbox.read("app.env") != sealed)
  }

  @Test func configuredFilesAndFoldersAreLeftOut() throws {
    try sandbox.write("rewrap:\n  exclude: [Tests/Fixtures, '*.example', '!kept']\n", to: "envelope.yaml")
    try sandbox.write("kept/\n", to: ".gitignore")
    for folder in ["Tests/Fixtures", "kept", "other/Tests/Fixtures"] {
      try sandbox.makeFolder(folder)
      try sandbox.write(sealed, to: "\(folder)/app.env")
    }
    try sandbox.write(sealed, to: "env.example")
    let below = try rewrap(".", in: sandbox.path("Tests")).succeeded()
    #expect(below.messages.hasSuffix("names it (search there, too: --ignored):\n  Fixtures\n"))
    let result = try rewrap(".").succeeded()
    #expect(result.messages.hasSuffix("  Tests/Fixtures\n  env.example\n"))
    #expect(try sandbox.read("kept/app.env") != sealed && sandbox.read("other/Tests/Fixtures/app.env") != sealed)
    try rewrap("env.example", "Tests/Fixtures/app.env", "--function", "app").succeeded()
    #expect(try sandbox.read("env.example") != sealed && sandbox.read("Tests/Fixtures/app.env") != sealed)
  }

  /// Each line may be the one that someone looks for.
  @Test func whatFailsAndWhatIsLeftOutIsListedToTheEnd() throws {
    let numbers = (10..<60).map(String.init)
    try sandbox.write(numbers.map { "left\($0)/\n" }.joined(), to: ".gitignore")
    for number in numbers {
      try sandbox.makeFolder("left\(number)")
      try sandbox.write(sealed.replacing("AA=ev1:", with: "BB=ev1:"), to: "broken\(number).env")
    }
    let result = try rewrap(".").failed(65)
    for number in numbers {
      #expect(result.messages.contains("  left\(number)\n"), "\(result.messages)")
      #expect(result.messages.contains("broken\(number).env: "))
    }
  }

  @Test(arguments: ["rewrap: {include: [a]}", "rewrap: {exclude: {a: b}}", "rewrap: [a]"])
  func settingThatCannotBeIsRefused(yaml: String) throws {
    try sandbox.write("\(yaml)\n", to: "envelope.yaml")
    try rewrap(".").failed(78, saying: "line 1")
  }

  /// Each could hide a folder; what is not followed is searched.
  @Test func otherIgnoreFilesAreNotFollowed() throws {
    try sandbox.makeFolder("secrets")
    func expectTaken() throws {
      try sandbox.write(sealed, to: "secrets/app.env")
      try rewrap("secrets", ".").succeeded()
      try sandbox.write(sealed, to: "secrets/app.env")
      #expect(try !rewrap(".").succeeded().messages.contains("Left out"))
      #expect(try sandbox.read("secrets/app.env") != sealed)
    }
    try sandbox.write("secrets/\n", to: "ignore")
    try sandbox.shell("ln -s ignore .gitignore").succeeded()
    try expectTaken()
    try sandbox.shell("rm .gitignore && mkfifo .gitignore").succeeded()
    try expectTaken()
    try sandbox.shell("rm .gitignore && mkdir .gitignore").succeeded()
    try expectTaken()
    try sandbox.shell("rmdir .gitignore && { echo secrets/; head -c 70000 /dev/zero | tr '\\0' '#'; } > .gitignore")
      .succeeded()
    try expectTaken()
    // One above the repository is not the repository's.
    try sandbox.shell("rm .gitignore && echo secrets/ > ../.gitignore").succeeded()
    try expectTaken()
    try sandbox.shell("mkdir -p .git/info && echo secrets/ > .git/info/exclude").succeeded()
    try expectTaken()
  }

  /// A repository in another is under its own rules.
  @Test func repositoryBelowHasItsOwnRules() throws {
    try sandbox.write("secrets/\n", to: ".gitignore")
    for folder in ["module/.git", "module/secrets"] { try sandbox.makeFolder(folder) }
    try sandbox.write(sealed, to: "module/secrets/app.env")
    try rewrap(".").succeeded()
    #expect(try sandbox.read("module/secrets/app.env") != sealed)
  }

  /// git would run a program that the repository names.
  @Test func gitIsNotRun() throws {
    try sandbox.writeScript("touch '\(sandbox.path("ran"))'", to: "git")
    try sandbox.write("[core]\n\tfsmonitor = \(sandbox.path("git"))\n", to: ".git/config")
    try sandbox.write("build/\n", to: ".gitignore")
    let path = ["PATH": "\(sandbox.folder):/usr/bin:/bin"]
    try sandbox.start(["rewrap", "."], with: path).wait().succeeded()
    #expect(!sandbox.exists("ran"))
  }
}
