// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// An attacker who can write the sealed file gains nothing by its plain lines.
@Suite(.timeLimit(.minutes(20))) struct PlainFileTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=secret\nLOG_LEVEL=info\nHOST=db\n", "--plain", "LOG_LEVEL", "--plain", "HOST")
  }

  private func write(_ change: (String) -> String, to name: String = "app.env") throws {
    try sandbox.write(change(sandbox.read(name)), to: name)
  }

  /// Every command that reads the file, and whether it changes it.
  private static let commands: [[String]] = [
    ["open", "app.env"], ["get", "app.env", "TOKEN"], ["get", "app.env", "LOG_LEVEL"], ["set", "app.env", "NEW"],
    ["unset", "app.env", "TOKEN"], ["edit", "app.env"], ["rewrap", "app.env", "--add", "other"], ["reseal", "app.env"],
  ]

  /// What `explain` says of a file that it finds wrong.
  private func explained(_ file: String = "app.env", _ more: String...) throws -> String {
    let result = try run(["explain", file], more)
    #expect(result.ending == .exit(65))
    return result.text
  }

  private func run(_ arguments: [String], _ more: [String] = []) throws -> Outcome {
    try sandbox.start(arguments + ["--function", "app"] + more, input: Data("x".utf8)).wait()
  }

  @Test(arguments: ["dotenv", "json", "lambda", "packed"])
  func refusesAPlainVariableThatWasAdded(format: String) throws {
    try sandbox.seal("TOKEN=secret\nLOG_LEVEL=info\n", "--plain", "LOG_LEVEL", "--format", format)
    try sandbox.envelope("keys", "create", "other").succeeded()
    sandbox.environment["EDITOR"] = "true"
    let isJSON = ["json", "lambda"].contains(format)
    for (name, value) in [
      ("LD_PRELOAD", "/tmp/evil.so"), ("PATH", "/tmp"), ("NODE_OPTIONS", "--require /tmp/evil.js"),
      ("BASH_ENV", "/tmp/e"),
      ("DATABASE_HOST", "evil.example"),
    ] {
      let before = try sandbox.read("app.env")
      try write { text in
        isJSON
          ? text.replacingOccurrences(of: "\"LOG_LEVEL\"", with: "\"\(name)\":\"\(value)\",\"LOG_LEVEL\"")
          : text + "\(name)=\(value)\n"
      }
      let altered = try sandbox.read("app.env")
      #expect(altered != before)
      for arguments in Self.commands {
        try run(arguments).failed(65, saying: name)
        #expect(try sandbox.read("app.env") == altered, "\(arguments)")
      }
      #expect(try explained().contains("added: \(name)"))
      for pristine in [[], ["--pristine"]] {
        let result = try sandbox.start(
          ["exec", "app.env", "--function", "app"] + pristine + ["--", "/bin/echo", "ran"]
        ).wait()
        result.failed(65, saying: name)
        #expect(result.text.isEmpty)
      }
      try sandbox.write(before, to: "app.env")
    }
  }

  @Test func refusesAPlainVariableThatWasChangedOrRemoved() throws {
    let before = try sandbox.read("app.env")
    for (change, part) in [
      ({ (text: String) in text.replacingOccurrences(of: "HOST=db", with: "HOST=evil") }, "changed: HOST"),
      ({ $0.replacingOccurrences(of: "HOST=db\n", with: "") }, "1 missing"),
      ({ $0.replacingOccurrences(of: "HOST=db", with: "HOST2=db") }, "added: HOST2"),
    ] {
      try sandbox.write(change(before), to: "app.env")
      for arguments in Self.commands.prefix(5) { try run(arguments).failed(65, saying: part) }
      #expect(try explained().contains("envelope accept"))
    }
    // A sealed variable that a plain one replaces is called what it is.
    let line = try #require(before.split(separator: "\n").first { $0.hasPrefix("TOKEN=") })
    try sandbox.write(before.replacingOccurrences(of: line, with: "TOKEN=mine"), to: "app.env")
    try run(["open", "app.env"]).failed(65, saying: "replaced by a plain one (TOKEN)")
  }

  /// An operator changes LOG_LEVEL in a console.
  @Test func anAllowedVariableMayDiffer() throws {
    try write { $0.replacingOccurrences(of: "LOG_LEVEL=info", with: "LOG_LEVEL=debug") }
    let allow = ["--allow-changed", "LOG_LEVEL"]
    #expect(try run(["get", "app.env", "LOG_LEVEL"], allow).succeeded().text == "debug")
    #expect(try run(["open", "app.env"], allow).succeeded().text.contains("LOG_LEVEL=debug"))
    let exec = ["exec", "app.env", "--function", "app"] + allow + ["--", "/bin/sh", "-c", "echo $LOG_LEVEL $TOKEN"]
    #expect(try sandbox.start(exec).wait().succeeded().text == "debug secret\n")
    try run(["open", "app.env"], ["--allow-changed", "HOST"]).failed(65, saying: "LOG_LEVEL")
    try write { $0.replacingOccurrences(of: "HOST=db", with: "HOST=evil") }
    try run(["open", "app.env"], allow).failed(65, saying: "HOST")
    try write { $0.replacingOccurrences(of: "HOST=evil", with: "HOST=db") }
    // A change of the file takes the allowed difference over.
    try run(["set", "app.env", "NEW"], allow).succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "secret", "LOG_LEVEL": "debug", "HOST": "db", "NEW": "x"])
  }

  @Test(arguments: ["dotenv", "packed"]) func acceptShowsPlainVariablesAndAsks(format: String) throws {
    try sandbox.seal("TOKEN=secret\nLOG_LEVEL=info\n", "--plain", "LOG_LEVEL", "--format", format)
    try write { $0.replacingOccurrences(of: "LOG_LEVEL=info", with: "LOG_LEVEL=debug") + "EVIL=\"a\\nb\"\n" }
    let altered = try sandbox.read("app.env")
    // Without a terminal to ask on and without consent, nothing changes.
    let refused = try sandbox.envelope("accept", "app.env", "--function", "app").failed(64, saying: "--yes")
    #expect(refused.messages.contains("  LOG_LEVEL=debug (changed)\n"))
    #expect(refused.messages.contains("  EVIL=a\\u{a}b (added)\n"))
    #expect(!refused.messages.contains("secret"))
    #expect(try sandbox.read("app.env") == altered)
    try sandbox.envelope("accept", "app.env", "--function", "app", "--yes").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "secret", "LOG_LEVEL": "debug", "EVIL": "a\nb"])
    let again = try sandbox.envelope("accept", "app.env", "--function", "app").succeeded()
    #expect(again.messages.contains("nothing to accept"))
  }

  @Test func setChangesAPlainValueAsPlain() throws {
    try sandbox.envelope("set", "app.env", "LOG_LEVEL", "--function", "app", "--plain", input: "debug").succeeded()
    #expect(try sandbox.read("app.env").contains("LOG_LEVEL=debug\n"))
    // Without being told, a value is sealed.
    let sealed = try sandbox.envelope("set", "app.env", "HOST", "--function", "app", input: "other").succeeded()
    #expect(sealed.messages.contains("was plain and is now sealed"))
    #expect(try !sandbox.read("app.env").contains("other"))
    let plain = try sandbox.envelope("set", "app.env", "TOKEN", "--function", "app", "--plain", input: "t").succeeded()
    #expect(plain.messages.contains("was sealed and is now plain"))
    #expect(try sandbox.opened() == ["TOKEN": "t", "LOG_LEVEL": "debug", "HOST": "other"])
  }

  /// `plain:` of envelope.yaml binds the commands that change a file.
  @Test func configurationNamesPlainVariables() throws {
    try sandbox.write("functions:\n  app:\n    plain: [LOG_LEVEL, ADDED, EDITED, TOKEN]\n", to: "envelope.yaml")
    try sandbox.envelope("set", "app.env", "LOG_LEVEL", "--function", "app", input: "debug").succeeded()
    try sandbox.envelope("set", "app.env", "ADDED", "--function", "app", input: "1").succeeded()
    let text = try sandbox.read("app.env")
    #expect(text.contains("LOG_LEVEL=debug\n") && text.contains("ADDED=1\n"))
    // What is sealed turns plain only if the user says so.
    try sandbox.envelope("set", "app.env", "TOKEN", "--function", "app", input: "t").failed(64, saying: "--plain")
    try sandbox.writeScript("printf 'EDITED=2\\nOTHER=3\\n' >> \"$1\"", to: "editor")
    sandbox.environment["EDITOR"] = sandbox.path("editor")
    try sandbox.envelope("edit", "app.env", "--function", "app").succeeded()
    let edited = try sandbox.read("app.env")
    #expect(edited.contains("EDITED=2\n") && !edited.contains("OTHER=3"))
    try sandbox.envelope("unset", "app.env", "ADDED", "--function", "app").succeeded()
    #expect(
      try sandbox.opened() == ["TOKEN": "secret", "LOG_LEVEL": "debug", "HOST": "db", "EDITED": "2", "OTHER": "3"])
  }

  /// One rule for what was sealed to a recipient: refused, unless the option accepts it.
  @Test func anAnonymousSenderIsRefusedByEveryCommand() throws {
    let recipient = try sandbox.envelope("keys", "recipient", "glass").succeeded().text
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try sandbox.seal("TOKEN=secret\n", "--key", recipient, to: "anonymous.env")
    let accept = "--accept-anonymous-sender"
    #expect(try explained("anonymous.env").contains(accept))
    for arguments in [["open", "anonymous.env"], ["get", "anonymous.env", "TOKEN"]] {
      try run(arguments).failed(65, saying: accept)
      try run(arguments, [accept]).succeeded()
    }
    try run(["set", "anonymous.env", "NEW"]).failed(65, saying: "new environment")
  }

  /// The model of the attacker, against the command: `open` and `exec` refuse, or give what was sealed together once.
  @Test func noEditIsAcceptedByTheCommand() throws {
    var documents: [[String: String]] = []
    for (value, host) in [("secret", "db"), ("second", "db2")] {
      let text = "TOKEN=\(value)\nKEY=\(value)\nHOST=\(host)\nLOG_LEVEL=info\n"
      try sandbox.seal(text, "--plain", "HOST", "--plain", "LOG_LEVEL", "--format", "json")
      let bytes = try sandbox.readBytes("app.env")
      documents.append(try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: String]))
    }
    let originals = [
      ["TOKEN": "secret", "KEY": "secret", "HOST": "db", "LOG_LEVEL": "info"],
      ["TOKEN": "second", "KEY": "second", "HOST": "db2", "LOG_LEVEL": "info"],
    ]
    var random = SplitMix64(seed: 14)
    var refusals = 0
    for number in 0..<150 {
      var document = random.element(of: documents)
      let before = document
      for _ in 0...Int.random(in: 0..<2, using: &random) {
        DocumentEdit.random(using: &random).apply(to: &document, from: documents, using: &random)
      }
      guard document != before else { continue }
      try JSONSerialization.data(withJSONObject: document).write(to: URL(fileURLWithPath: sandbox.path("app.env")))
      let exec = ["exec", "app.env", "--function", "app", "--pristine", "--", "/usr/bin/env"]
      let results = [try run(["open", "app.env"]), try sandbox.start(exec).wait()]
      guard results.contains(where: { $0.ending == .exit(0) }) else {
        #expect(results.allSatisfy { $0.text.isEmpty }, "edit \(number): \(document)")
        refusals += 1
        continue
      }
      for result in results {
        let lines = result.succeeded().text.split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1) }
        let values = Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), String($0[1])) })
        #expect(originals.contains(values), "edit \(number): \(document)")
      }
    }
    #expect(refusals > 80)
  }
}
