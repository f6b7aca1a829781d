// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("keys: the log of uses", .timeLimit(.minutes(20))) struct KeyLogTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    try sandbox.changeStore { (store) throws(EnvelopeError) in try store.startAuditLog() }
  }

  private var logPath: String { sandbox.keyStore + ".audit" }

  /// What Python reads of each line: the members' names in their order, and their values.
  private func entries() throws -> [[String: String]] {
    let script = """
      import json, sys
      entries = []
      for line in open(sys.argv[1], encoding="utf-8", newline="\\n"):
          pairs = json.loads(line, object_pairs_hook=list)
          assert len(dict(pairs)) == len(pairs)
          for name, value in pairs:
              assert type(value) is (int if name in ("entry", "time", "version") else str), name
          entries.append({"members": " ".join(n for n, _ in pairs)} | {n: str(v) for n, v in pairs})
      json.dump(entries, sys.stdout)
      """
    try sandbox.write(script, to: "read.py")
    let result = try sandbox.shell("'\(Tool.python)' read.py '\(logPath)'").succeeded()
    return try JSONDecoder().decode([[String: String]].self, from: result.output)
  }

  private func verify() throws -> UInt64 {
    try AuditLog(at: logPath, key: try #require(try sandbox.store().auditKey)).verify().count
  }

  @Test func everyCommandThatUsesOrChangesAKeyIsAnEntry() throws {
    let id = try sandbox.keys("create", "checkout").succeeded().line
    var expected = ["create"]
    for (operation, arguments) in [
      ("rotate", ["rotate", "checkout"]), ("set-rotation", ["rotation", "checkout", "30"]),
      ("set-minimum", ["minimum", "checkout", "2"]), ("disable", ["disable", "checkout"]),
      ("enable", ["enable", "checkout"]), ("schedule-deletion", ["delete", "checkout"]),
      ("cancel-deletion", ["cancel-deletion", "checkout"]), ("enable", ["enable", "checkout"]),
      ("add-alias", ["alias", "more", "checkout"]), ("move-alias", ["alias", "more", "checkout", "--move"]),
      ("remove-alias", ["alias", "more", "--remove"]), ("set-default", ["default", "checkout"]),
      ("set-policy", ["policy", "checkout", "--function", "app"]),
      ("export", ["export", "checkout", "--function", "app", "-o", "app.keys"]),
    ] as [(String, [String])] {
      try sandbox.start(["keys"] + arguments).wait().succeeded()
      expected.append(operation)
    }
    try sandbox.seal("TOKEN=hunter2\n", "--key", "checkout")
    _ = try sandbox.opened()
    expected += ["wrap", "unwrap"]
    // What only shows is no use.
    for arguments in [["list"], ["show", "checkout"], ["policy", "checkout"]] {
      try sandbox.start(["keys"] + arguments).wait().succeeded()
    }
    let entries = try entries()
    #expect(entries.map { $0["operation"] } == expected)
    #expect(entries.allSatisfy { $0["outcome"] == "success" && $0["key"] == id })
    #expect(try verify() == UInt64(expected.count))
    #expect(entries.first?["members"] == "entry time operation key outcome chain")
    #expect(entries.last?["members"] == "entry time operation key version function outcome chain")
    let imported = ["ENVELOPE_STORE": sandbox.path("other/keys")]
    let theirs = try sandbox.keys("recipient", "theirs", with: imported).succeeded()
    #expect(theirs.output.count > 4)
    try sandbox.keys("import", "other/keys").succeeded()
    #expect(try self.entries().last?["operation"] == "import")
    #expect(try sandbox.read(logPath).contains("hunter2") == false)
  }

  @Test func whatIsRefusedIsAnEntryToo() throws {
    try sandbox.seal("TOKEN=x\n")
    try sandbox.keys("disable", "default").succeeded()
    try sandbox.envelope("open", "app.env", "--function", "app").failed(77)
    try sandbox.keys("rotate", "default").failed(77)
    try sandbox.keys("export", "default", "--function", "app", "-o", "x").failed(77)
    try sandbox.keys("delete", "default", "--days", "6").failed(64)
    let told = try entries().dropFirst(2).map { "\($0["operation"] ?? "") \($0["outcome"] ?? "")" }
    #expect(
      told == [
        "unwrap keyDisabled", "rotate keyDisabled", "export keyDisabled", "schedule-deletion invalidArgument",
      ])
    #expect(try verify() == 6)
  }

  @Test(arguments: ["a\"b\\c", "鍵🔑", "tab\tfeed\u{c}", String(repeating: "n", count: 8000)])
  func aFunctionsNameReadsBackInPython(name: String) throws {
    try sandbox.start(["seal", "-", "--function", name, "-o", "f.env"], input: Data("A=1\n".utf8)).wait().succeeded()
    #expect(try entries().last?["function"].map { Array($0.utf8) } == Array(name.utf8))
    #expect(try verify() == 1)
  }

  @Test func aChangeThatCannotBeLoggedIsNotMade() throws {
    try sandbox.seal("TOKEN=x\n")
    try sandbox.setMode(0o644, of: logPath)
    let before = try sandbox.readBytes(sandbox.keyStore)
    for arguments in [
      ["rotate", "default"], ["create", "more"], ["disable", "default"], ["alias", "more", "default"],
      ["export", "default", "--function", "app", "-o", "x.keys"], ["policy", "default", "--operation", "wrap"],
    ] {
      try sandbox.start(["keys"] + arguments).wait().failed(77, saying: "chmod 600 '\(logPath)'")
    }
    #expect(try sandbox.readBytes(sandbox.keyStore) == before && !sandbox.exists("x.keys"))
    let open = try sandbox.envelope("open", "app.env", "--function", "app").failed(77, saying: "chmod 600")
    #expect(!open.text.contains("TOKEN"))
    try sandbox.envelope("exec", "app.env", "--function", "app", "--", "echo", "run").failed(77)
    try sandbox.keys("list").succeeded()
  }

  @Test func processesAtOnceKeepOneChain() throws {
    try sandbox.seal("TOKEN=x\n")
    for _ in 0..<3 {
      let running = try (0..<8).map { number in
        try sandbox.start(
          number.isMultiple(of: 2)
            ? ["get", "app.env", "TOKEN", "--function", "app"] : ["keys", "rotate", "default"])
      }
      for process in running { try process.wait().succeeded() }
    }
    #expect(try verify() == 25)
    #expect(try entries().filter { $0["operation"] == "rotate" }.count == 12)
    #expect(try sandbox.store().require("default").versions.count == 13)
  }
}
