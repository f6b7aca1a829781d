// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("envelope.yaml", .timeLimit(.minutes(20))) struct ConfigurationFileTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.makeFolder(".git")
    try sandbox.write("AA=1\nLEVEL=debug\n", to: ".env")
    for alias in ["main", "backup", "other"] { try sandbox.envelope("keys", "create", alias).succeeded() }
  }

  static let yaml = """
    default:
      key: other
      plain: [LEVEL]
    functions:
      checkout:
        key: [main, backup]
        context: {team: payments}
        file: checkout.env
      search:
        plain: []
        file: deploy/search.env
    """

  private func configure(_ text: String = Self.yaml, in name: String = "envelope.yaml") throws {
    try sandbox.write(text, to: name)
  }

  @Test func theFileNamesTheFunction() throws {
    try configure()
    let result = try sandbox.envelope("seal", "-o", "checkout.env").succeeded()
    #expect(result.messages.contains("for function checkout under main ("))
    #expect(result.messages.contains(" and backup ("))
    #expect(result.messages.contains("Left plain: LEVEL"))
    #expect(try sandbox.envelope("get", "checkout.env", "AA").succeeded().text == "1")
    let context = ["--function", "checkout", "--context", "team=payments"]
    #expect(try sandbox.start(["get", "checkout.env", "AA"] + context, in: sandbox.root).wait().code == 66)
    try sandbox.start(["get", sandbox.path("checkout.env"), "AA"] + context, in: sandbox.root).wait().succeeded()
  }

  @Test func itIsFoundFromAFolderBelow() throws {
    try configure()
    try sandbox.makeFolder("deploy/deeper")
    let below = sandbox.path("deploy/deeper")
    try sandbox.envelope("seal", "../../.env", "-o", "../search.env", in: below).succeeded()
    let result = try sandbox.envelope("exec", "../search.env", "--", "sh", "-c", "echo $AA", in: below)
    #expect(result.succeeded().text == "1\n")
    #expect(try !sandbox.read("deploy/search.env").contains("debug"))
  }

  @Test func theDefaultIsForTheRest() throws {
    try configure()
    let result = try sandbox.envelope("seal", "--function", "unnamed").succeeded()
    #expect(result.messages.contains("under other (") && result.messages.contains("Left plain: LEVEL"))
  }

  @Test func flagsOverride() throws {
    try configure()
    let result = try sandbox.envelope(
      "seal", "-o", "checkout.env", "--key", "other", "--plain", "AA", "--context", "team=search", "--context", "x=y")
    #expect(result.succeeded().messages.contains("under other (") && result.messages.contains("Left plain: AA"))
    try sandbox.envelope("open", "checkout.env").failed(65)
    try sandbox.envelope("open", "checkout.env", "--context", "team=search", "--context", "x=y").succeeded()
  }

  @Test func oneAboveTheRepositoryIsNotUsed() throws {
    try configure("default: {key: no-such-key}\n", in: sandbox.root + "/envelope.yaml")
    try sandbox.envelope("seal", "--function", "app").succeeded()
    try sandbox.makeFolder("below")
    try sandbox.envelope("seal", "../.env", "--function", "app", in: sandbox.path("below")).succeeded()
  }

  @Test func itIsLookedForNoHigherThanHome() throws {
    try FileManager.default.removeItem(atPath: sandbox.path(".git"))
    try sandbox.makeFolder("home/below")
    let variables = ["HOME": sandbox.path("home"), "XDG_DATA_HOME": sandbox.root + "/home/.local/share"]
    let seal = ["seal", "../../.env", "--function", "app"]
    func run() throws -> Outcome { try sandbox.start(seal, with: variables, in: sandbox.path("home/below")).wait() }
    try configure("default: {key: no-such-key}\n")
    try run().succeeded()
    try configure("default: {key: no-such-key}\n", in: "home/envelope.yaml")
    try run().failed(77, saying: "no-such-key")
  }

  @Test func outsideOfBothOnlyTheFolderItselfIsLookedAt() throws {
    try FileManager.default.removeItem(atPath: sandbox.path(".git"))
    try sandbox.makeFolder("below")
    try configure("default: {key: no-such-key}\n")
    try sandbox.envelope("seal", "../.env", "--function", "app", in: sandbox.path("below")).succeeded()
    try sandbox.envelope("seal", ".env", "--function", "app").failed(77, saying: "no-such-key")
  }

  /// Any user could have put both there, and each command below would fail.
  @Test(arguments: [0o1777, 0o1757]) func searchDoesNotEnterSharedFolder(mode: Int) throws {
    try FileManager.default.removeItem(atPath: sandbox.path(".git"))
    let seal = ["seal", "\(sandbox.path(".env"))", "--function", "app"]
    func run(in folder: String, home: String? = nil) throws -> Outcome {
      let variables = ["XDG_DATA_HOME": sandbox.root + "/home/.local/share"]
      return try sandbox.start(
        seal, with: variables.merging(home.map { ["HOME": sandbox.path($0)] } ?? [:]) { $1 }, in: sandbox.path(folder)
      ).wait()
    }
    try sandbox.makeFolder("shared/own/below")
    try sandbox.makeFolder("shared/.git")
    try configure("default: {key: no-such-key}\n", in: "shared/envelope.yaml")
    try sandbox.setMode(mode, of: "shared")
    for folder in ["shared/own", "shared/own/below"] {
      try run(in: folder).succeeded()
      try run(in: folder, home: "shared").succeeded()
    }
    // It is the working folder itself, or lies beyond the sticky bit.
    try run(in: "shared").failed(77, saying: "Other users can write to")
    // A repository below is found as ever.
    try sandbox.makeFolder("shared/own/.git")
    try configure("default: {key: other-missing-key}\n", in: "shared/own/envelope.yaml")
    try run(in: "shared/own/below").failed(77, saying: "other-missing-key")
  }

  @Test(arguments: [0o777, 0o773]) func searchStillRefusesOtherWritableFolders(mode: Int) throws {
    try sandbox.makeFolder("below")
    try configure()
    try sandbox.setMode(mode, of: sandbox.folder)
    try sandbox.envelope("seal", "../.env", "--function", "app", in: sandbox.path("below"))
      .failed(77, saying: "Other users can write to")
  }

  @Test(arguments: [0o622, 0o602, 0o666]) func aFileThatOthersCanWriteIsRefused(mode: Int) throws {
    try configure()
    try sandbox.setMode(mode, of: "envelope.yaml")
    let advice = "chmod go-w '\(sandbox.path("envelope.yaml"))'"
    try sandbox.envelope("seal", "-o", "checkout.env").failed(77, saying: advice)
    try sandbox.setMode(0o644, of: "envelope.yaml")
    try sandbox.envelope("seal", "-o", "checkout.env").succeeded()
  }

  @Test(arguments: [0o722, 0o702, 0o1777]) func aFolderThatOthersCanWriteToIsRefused(mode: Int) throws {
    try configure()
    try sandbox.setMode(mode, of: sandbox.folder)
    // Others may need a sticky folder as it is.
    let advice = mode == 0o1777 ? "Move \(sandbox.path("envelope.yaml"))" : "chmod go-w '\(sandbox.folder)'"
    try sandbox.envelope("seal", "-o", "checkout.env").failed(77, saying: advice)
  }

  @Test func theFolderThatALinkLeadsToIsLookedAtToo() throws {
    try sandbox.makeFolder("shared")
    try configure(in: "shared/envelope.yaml")
    try sandbox.shell("ln -s shared/envelope.yaml envelope.yaml").succeeded()
    try sandbox.envelope("seal", "-o", "checkout.env").succeeded()
    try sandbox.setMode(0o777, of: "shared")
    try sandbox.envelope("seal", "-o", "checkout.env").failed(77, saying: "chmod go-w '\(sandbox.path("shared"))'")
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a file away"))
  func anotherUsersFileIsRefused() throws {
    try configure()
    #expect(unsafe chown(sandbox.path("envelope.yaml"), 65534, 65534) == 0)
    try sandbox.envelope("seal", "-o", "checkout.env").failed(77, saying: "another user")
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a folder away"))
  func aFolderOfAnotherUserIsRefused() throws {
    try configure()
    #expect(unsafe chown(sandbox.folder, 65534, 65534) == 0)
    try sandbox.envelope("seal", "-o", "checkout.env").failed(77, saying: "another user")
  }

  @Test(arguments: ["a: [", "\"", "a: b: c", "\t- x"]) func whatIsNotYAMLIsToldPlainly(text: String)
    throws
  {
    try configure()
    try sandbox.write(text, to: "envelope.yaml")
    let result = try sandbox.envelope("seal", "-o", "checkout.env").failed(78, saying: "it is not YAML")
    #expect(!result.messages.contains("\n ") && !result.messages.contains(":."), "the parser's own form")
  }

  static let mistakes: [(text: String, line: Int, word: String)] = [
    ("defualt:\n  key: main\n", 1, "defualt"), ("default:\n  kye: main\n", 2, "kye"),
    ("functions:\n  checkout:\n    kye:\n      - main\n", 3, "kye"),
    ("functions:\n  checkout:\n    key: {a: b}\n", 3, "word"),
    ("default:\n  file: x\n", 2, "file"), ("default:\n  context:\n    function: x\n", 3, "function"),
    ("functions: [a]\n", 1, "names"), ("default:\n  key: [a, [b]]\n", 2, "word"), ("a\n", 1, "names"),
    ("default:\n  key: []\n", 2, "no key"),
  ]

  @Test(arguments: mistakes) func aMistakeIsToldWithItsLine(mistake: (text: String, line: Int, word: String)) throws {
    try configure(mistake.text)
    let result = try sandbox.envelope("seal", "--function", "app")
    result.failed(78, saying: "line \(mistake.line)")
    #expect(result.messages.contains(mistake.word))
  }

  @Test(arguments: ["default: [", "default:\n\tkey: a", "default: {}\ndefault: {}", "\u{0}", "a: &a [*a]"])
  func whatIsNotYAMLIsRefused(text: String) throws {
    try configure(text)
    try sandbox.envelope("seal", "--function", "app").failed(78, saying: "envelope.yaml")
  }

  @Test(arguments: ["", "# nothing\n", "default:\n", "functions:\n", "functions:\n  app:\n"])
  func nothingIsSaidInAnEmptyOne(text: String) throws {
    try configure(text)
    try sandbox.envelope("seal", "--function", "app").succeeded()
  }

  @Test func withoutAFunctionItIsAskedFor() throws {
    try sandbox.envelope("seal").failed(64, saying: "--function")
    try configure()
    try sandbox.envelope("seal").failed(64, saying: "--function")
    // The only function is not taken for a file that it does not name.
    try configure("functions:\n  only: {}\n")
    try sandbox.envelope("seal").failed(64, saying: "--function")
    try configure("functions:\n  only: {file: .env}\n")
    #expect(try sandbox.envelope("seal").succeeded().messages.contains("for function only"))
  }

  @Test func aFolderThatWasRemovedIsNoTrap() throws {
    let removed = "mkdir gone && cd gone && rmdir ../gone"
    try sandbox.shell("\(removed) && echo A=1 | \"$ENVELOPE\" seal - --function app").succeeded()
  }
}
