// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Input that is not what it should be", .timeLimit(.minutes(20))) struct BadInputTests {
  let sandbox: Sandbox
  static let marker = "marker-secret"

  init() throws { sandbox = try Sandbox() }

  static let broken = [
    "TOKEN=\"\(marker)", "TOKEN='\(marker)", "\(marker)", "TOKEN=1\n\(marker)\n", "TOKEN=\"a\" \(marker)",
    "TOKEN=\(marker)\nTOKEN=\(marker)", "TOKEN=\(marker)\0", "TOKEN=\"\\a\(marker)\"", "TOKEN \(marker)",
    "\(marker)=1", "{\"TOKEN\": \"\(marker)", "{\"TOKEN\": [\"\(marker)\"]}", "{\"\(marker)\": 1}",
    "{\"TOKEN\": \"\(marker)\\x\"}", "{\"TOKEN\": \"\(marker)\"} \(marker)", "{\"TOKEN\": \(marker)}",
    "{\"Variables\": {\"TOKEN\": \"\(marker)\"}, \"\(marker)\": 1}", "[\"\(marker)\"]", "\"\(marker)\"",
    "<<<<<<< \(marker)\nTOKEN=\(marker)\n=======\n", "TOKEN=ev1:\(marker)", "ENVELOPE_SEALED=ek1:\(marker)",
    "ENVELOPE_HEADER=ek1:\(marker)\nTOKEN=\(marker)", "ENVELOPE_HEADER=\(marker)\nENVELOPE_SEALED=\(marker)",
    "TOKEN=\(marker)\rX", "export TOKEN \(marker)", "TOKEN='\(marker)'x", "AWS-KEY=\(marker)",
  ]

  @Test(arguments: broken) func messagesShowNothingOfIt(text: String) throws {
    try sandbox.envelope("keys", "create").succeeded()
    try sandbox.write(text, to: "bad.env")
    for arguments in [
      ["seal", "bad.env"], ["open", "bad.env"], ["get", "bad.env", "TOKEN"], ["set", "bad.env", "AA"],
      ["unset", "bad.env", "TOKEN"], ["edit", "bad.env"], ["exec", "bad.env"], ["accept", "bad.env", "--yes"],
      ["inspect", "bad.env"], ["seal", "bad.env", "--format", "lambda"],
    ] {
      let command = arguments[0] == "exec" ? ["--", "true"] : []
      let result = try sandbox.start(arguments + ["--function", "app"] + command).wait()
      #expect([65, 66].contains(result.code), "\(arguments) \(result.messages)")
      #expect(result.output.isEmpty)
      #expect(!result.messages.contains(Self.marker), "\(arguments): \(result.messages)")
    }
    #expect(try sandbox.read("bad.env") == text)
    let budget = try sandbox.envelope("budget", "bad.env")
    #expect(!budget.messages.contains(Self.marker))
  }

  @Test func bytesWithoutMeaningAreRefused() throws {
    try sandbox.envelope("keys", "create").succeeded()
    for _ in 0..<20 {
      let count = Int.random(in: 1...3000)
      let bytes = Data((0..<count).map { _ in UInt8.random(in: 0...255) }) + [0]
      for command in [["seal", "-"], ["open", "-"], ["inspect", "-"]] {
        let result = try sandbox.envelope(command + ["--function", "app"], bytes: bytes)
        #expect(result.code == 65, "\([UInt8](bytes))")
        #expect(result.output.isEmpty)
      }
    }
  }

  @Test func tooMuchIsRefused() throws {
    let result = try sandbox.shell("head -c 17000000 /dev/zero | tr '\\0' '#' | \"$ENVELOPE\" seal - --function app")
    result.failed(74, saying: "longer than 16777216 bytes")
  }

  @Test func aConflictIsToldWithItsLine() throws {
    try sandbox.seal("AA=1\nBB=2\n")
    let lines = try sandbox.read("app.env").split(separator: "\n", omittingEmptySubsequences: false)
    let conflict = lines.prefix(2) + ["<<<<<<< HEAD", "AA=ev1:xxxx", "=======", "AA=ev1:yyyy", ">>>>>>> branch"]
    try sandbox.write(conflict.joined(separator: "\n") + "\n", to: "app.env")
    for command in ["open", "accept", "inspect", "edit"] {
      let result = try sandbox.envelope(command, "app.env", "--function", "app").failed(65, saying: "ine 3")
      #expect(result.messages.contains("app.env") && result.messages.contains("envelope accept"))
    }
  }

  @Test func whatIsNotThereIsToldOf() throws {
    try sandbox.envelope("open", "none.env", "--function", "app").failed(66, saying: "none.env")
    try sandbox.envelope("seal", "--function", "app").failed(66, saying: ".env")
    try sandbox.write("AA=1\n", to: "plain.env")
    try sandbox.envelope("keys", "create").succeeded()
    try sandbox.envelope("open", "plain.env", "--function", "app").failed(66, saying: "plain.env")
  }

  @Test func withoutTheKeyNothingOpens() throws {
    try sandbox.seal("AA=1\n")
    let text = try sandbox.read("app.env")
    try FileManager.default.removeItem(atPath: sandbox.keyStore)
    for command in [
      ["open", "app.env"], ["set", "app.env", "BB"], ["exec", "app.env"], ["accept", "app.env", "--yes"],
    ] {
      let rest = command[0] == "exec" ? ["--", "true"] : []
      try sandbox.start(command + ["--function", "app"] + rest).wait().failed(77, saying: sandbox.keyStore)
    }
    try sandbox.envelope("keys", "create").succeeded()
    let result = try sandbox.envelope("open", "app.env", "--function", "app").failed(77)
    let report = try sandbox.envelope("inspect", "app.env").succeeded().text
    let id = try #require(report.split(separator: " ").first { $0.contains(".1") })
    #expect(result.messages.contains(id.prefix(12)), "the key that it is sealed under is named")
    #expect(try sandbox.read("app.env") == text)
  }

  @Test func wrongUseIsToldOf() throws {
    for arguments in [
      ["no-such-command"], ["seal", "--no-such-option"], ["get", "app.env"], ["open", "--format", "xml"],
      ["keys", "none"], ["seal", "a", "b"], ["keys", "create", "a", "b"],
    ] {
      try sandbox.start(arguments).wait().failed(64)
    }
    try sandbox.envelope("keys", "create", "a").succeeded()
    try sandbox.envelope("keys", "create", "a").failed(73, saying: "already has a key a")
    try sandbox.envelope("keys", "create", ".a").failed(64, saying: "'.a'")
    try sandbox.envelope("keys", "show", "b").failed(77, saying: "'b'")
  }
}
