// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("inspect, budget, keys and help", .timeLimit(.minutes(20))) struct ReportTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  struct Report: Decodable {
    struct Key: Decodable {
      let scheme: String
      let id: String
    }
    let form: String
    let generation: UInt32
    let sealedAt: String
    let keys: [Key]
    let keysVerified: Bool
    let variables: [String]
    let plain: [String]
    let contextMatches: Bool?
  }

  @Test func inspectNeedsNoKey() throws {
    try sandbox.seal("AA=1\nBB=2\nLEVEL=debug\n", "--plain", "LEVEL")
    try FileManager.default.removeItem(atPath: sandbox.root + "/home/.local")
    let result = try sandbox.envelope("inspect", "app.env", "--json", "--function", "app").succeeded()
    let report = try JSONDecoder().decode(Report.self, from: result.output)
    #expect(report.form == "separate" && report.variables == ["AA", "BB"] && report.plain == ["LEVEL"])
    #expect(report.keys.map(\.scheme) == ["keyset"] && !report.keysVerified && report.contextMatches == true)
    let other = try sandbox.envelope("inspect", "app.env", "--json", "--function", "other").succeeded()
    #expect(try JSONDecoder().decode(Report.self, from: other.output).contextMatches == false)
    let text = try sandbox.envelope("inspect", "app.env").succeeded().text
    #expect(text.contains("sealed: AA, BB\n") && text.contains("plain: LEVEL\n") && text.contains("not verified"))
    #expect(!FileManager.default.fileExists(atPath: sandbox.keyStore))
  }

  @Test func packedShowsNoName() throws {
    try sandbox.seal("AA=1\nBB=2\n", "--format", "packed")
    let result = try sandbox.envelope("inspect", "app.env", "--json").succeeded()
    let report = try JSONDecoder().decode(Report.self, from: result.output)
    #expect(report.form == "packed" && report.variables.isEmpty && report.contextMatches == nil)
  }

  /// The length on the platform's measure, as Python's JSON has it.
  private func measure(_ name: String) throws -> Int {
    let program =
      "import json, sys; v = json.load(open(sys.argv[1]))['Variables']; "
      + "print(len(json.dumps(v, separators=(',', ':'), ensure_ascii=False).encode()))"
    let result = try sandbox.shell("'\(Tool.python)' -c \"\(program)\" '\(sandbox.path(name))'").succeeded()
    return try #require(Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  @Test(arguments: [[], ["--packed"]]) func budgetAgreesWithPython(arguments: [String]) throws {
    let text = "AA=1\nTEXT=\"a\\n\\t\\\"\\\\ü🔑\u{7f}\u{1}/\"\nCC='three'\n"
    let seal = ["seal", "-", "--function", "app", "--format", "lambda", "--plain", "TEXT", "-o", "app.json"]
    try sandbox.start(seal + arguments, input: Data(text.utf8)).wait().succeeded()
    let report = try sandbox.envelope("budget", "app.json").succeeded().text
    let last = try #require(report.split(separator: "\n").last)
    #expect(last.hasPrefix("\(try measure("app.json")) of 4096 bytes, room for "))
  }

  @Test(arguments: [([], 44), (["--packed"], 75)]) func thatManySecretsFit(arguments: [String], count: Int) throws {
    func text(_ count: Int) -> Data {
      Data((0..<count).map { "VARIABLE_\(100 + $0)=abcdefghij0123456789\n" }.joined().utf8)
    }
    let seal = ["seal", "-", "--function", "app", "--format", "lambda", "-o", "app.json", "--force"]
    try sandbox.start(seal + arguments, input: text(count)).wait().succeeded()
    #expect(try measure("app.json") <= 4096)
    // The room that is told of is the room there is.
    try sandbox.start(seal + arguments, input: text(10)).wait().succeeded()
    let report = try sandbox.envelope("budget", "app.json").succeeded().text
    let words = try #require(report.split(separator: "\n").last).split(separator: " ")
    let room = try #require(words.firstIndex(of: "for").map { words[$0 + 1] }.flatMap { Int($0) })
    try sandbox.start(seal + arguments, input: text(10 + room)).wait().succeeded()
    try sandbox.start(seal + arguments, input: text(10 + room + 1)).wait().failed(65)
  }

  /// The shares of the keys and of the rest are the header's, to the character that base64url rounds.
  @Test func budgetShowsWhatEachKeyTakes() throws {
    let recipient = try sandbox.keys("recipient", "offline").succeeded().line
    let seal = ["seal", "-", "--function", "app", "--key", "default", "--key", recipient, "-o", "app.env"]
    try sandbox.keys("create").succeeded()
    try sandbox.start(seal, input: Data("A=1\n".utf8)).wait().succeeded()
    let lines = try sandbox.envelope("budget", "app.env").succeeded().text.split(separator: "\n")
    let header = try #require(lines.firstIndex { $0.hasSuffix("  ENVELOPE_HEADER") })
    let shares = lines[header + 1...header + 2].map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(
      shares.map { $0.dropFirst().prefix(4).joined(separator: " ") } == [
        "of these for keyset", "of these for recipient",
      ])
    // 4 + 14 + 72 and 4 + 14 + 80 bytes.
    #expect(shares.map { $0[0] } == ["120", "131"])
    let fixed = (26 + 32 + 16 + 38) * 4 / 3 + 4 + "\"ENVELOPE_HEADER\":\"\",".utf8.count
    let sum = try #require(Int(lines[header].split(separator: " ")[0]))
    #expect((sum - fixed - 251...sum - fixed - 248).contains(0), "\(lines)")
  }

  @Test func budgetTellsOfTooMuch() throws {
    let text = (0..<60).map { "VARIABLE_\($0)=01234567890123456789\n" }.joined()
    let seal = ["seal", "-", "--function", "app", "--format", "lambda", "--allow-oversize", "-o", "app.json"]
    try sandbox.start(seal, input: Data(text.utf8)).wait().succeeded()
    let over = try measure("app.json") - 4096
    #expect(try sandbox.envelope("budget", "app.json").succeeded().text.hasSuffix(", \(over) too many\n"))
  }

  @Test func keysAreListedAndShown() throws {
    let first = try sandbox.envelope("keys", "create").succeeded().text.dropLast()
    let second = try sandbox.envelope("keys", "create", "checkout").succeeded().text.dropLast()
    #expect(try sandbox.envelope("keys", "list").text == "default\t\(first)\tdefault\ncheckout\t\(second)\n")
    for key in ["checkout", String(second)] {
      let text = try sandbox.envelope("keys", "show", key).succeeded().text
      #expect(text.hasPrefix("id: \(second)\naliases: checkout\nstate: enabled\nversion 1: created 20"))
      #expect(text.hasSuffix("Z, primary\n"))
    }
    #expect(try sandbox.envelope("keys", "show").succeeded().text.contains(first))
    let secret = try #require(try sandbox.read(sandbox.keyStore).split(separator: "\n")[2].split(separator: " ").last)
    for arguments in [["list"], ["show"]] {
      #expect(try !sandbox.start(["keys"] + arguments).wait().text.contains(secret))
    }
  }

  static let subcommands = [
    [], ["seal"], ["open"], ["get"], ["set"], ["unset"], ["edit"], ["exec"], ["accept"], ["inspect"], ["budget"],
    ["keys"], ["keys", "create"], ["keys", "recipient"], ["keys", "list"], ["keys", "show"], ["keys", "rotate"],
    ["keys", "rotation"], ["keys", "minimum"], ["keys", "enable"], ["keys", "disable"], ["keys", "delete"],
    ["keys", "cancel-deletion"], ["keys", "alias"], ["keys", "default"], ["keys", "policy"], ["keys", "export"],
    ["keys", "import"], ["keys", "lock"], ["keys", "unlock"],
  ]

  @Test(arguments: subcommands) func helpShowsAnExample(words: [String]) throws {
    let result = try sandbox.start(words + ["--help"]).wait().succeeded()
    #expect(result.text.contains("EXAMPLE"))
    #expect(result.text.contains(" envelope " + words.joined(separator: " ")))
    #expect(result.messages.isEmpty)
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionsAreMade(shell: String) throws {
    let result = try sandbox.envelope("--generate-completion-script", shell).succeeded()
    #expect(result.text.contains("envelope") && result.text.contains("budget"))
  }
}
