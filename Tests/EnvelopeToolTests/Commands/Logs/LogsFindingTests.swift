// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@Suite("What opening and verifying logs finds", .timeLimit(.minutes(20))) struct LogsFindingTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  /// Expects that both commands find something, and that the records around it open.
  private func expect(
    _ lines: [String], opens logged: [String], saying parts: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    try sandbox.write(lines: lines)
    let opened = try sandbox.logs("open", "shop.log")
    let verified = try sandbox.logs("verify", "shop.log")
    #expect(try opened.logged == logged, sourceLocation: location)
    for outcome in [opened, verified] {
      #expect(outcome.ending == .exit(65), "\(outcome.messages)", sourceLocation: location)
      for part in parts { #expect(outcome.messages.contains(part), "\(outcome.messages)", sourceLocation: location) }
    }
    #expect(!verified.text.contains("\"message\""), sourceLocation: location)
  }

  @Test func alteredRecords() async throws {
    let log = try await sandbox.sealedLog("one", "two", "three")
    for (old, new) in [
      ("\"info\"", "\"debug\""), ("03:12", "03:13"), ("\"sequence\":2", "\"sequence\":3"),
      ("\"sealed\":\"", "\"sealed\":\"A"),
      ("\"label\":\"shop\",", ""), ("{", "{\"record\":\"end\","), ("{", "{\"approved\":\"yes\","),
      ("{", "{\"part\":\"last\","), ("{", "{\"metadata\":{},"),
    ] {
      var lines = log
      lines[3] = lines[3].replacing(old, with: new, maxReplacements: 1)
      try expect(lines, opens: ["one", "three"], saying: "shop.log:4: a record was altered or damaged", "1 altered")
    }
  }

  @Test func cutLines() async throws {
    var lines = try await sandbox.sealedLog("one", "two")
    lines[3] = String(lines[3].dropLast(20))
    try expect(lines, opens: ["one"], saying: "shop.log:4: a record was altered or damaged", "record 2 of")
    // The last line of a file without a line feed.
    let log = try await sandbox.sealedLog("one", "two")
    try sandbox.write(log.joined(separator: "\n"), to: "shop.log")
    try sandbox.logs("verify", "shop.log").succeeded()
    try sandbox.write(String(log.joined(separator: "\n").dropLast(3)), to: "shop.log")
    try sandbox.logs("verify", "shop.log").found("shop.log:5: a record was altered or damaged", "has no end")
  }

  @Test func missingDoubledAndReorderedRecords() async throws {
    let log = try await sandbox.sealedLog("one", "two", "three")
    let id = try #require(log[0].split(separator: "\"").dropFirst(3).first.map(String.init))
    var lines = log
    lines.remove(at: 3)
    try expect(lines, opens: ["one", "three"], saying: "shop.log:4: record 2 of segment \(id) is missing")
    lines = log
    lines.removeSubrange(2...3)
    try expect(lines, opens: ["three"], saying: "shop.log:3: records 1 to 2 of segment \(id) are missing")
    lines = log
    lines.insert(log[2], at: 4)
    try expect(lines, opens: ["one", "two", "three"], saying: "shop.log:5: record 1 of segment \(id) is there again")
    lines = log
    lines.swapAt(3, 4)
    try expect(
      lines, opens: ["one", "three", "two"], saying: "shop.log:4: record 2 of segment \(id) is missing",
      "shop.log:5: record 2 of segment \(id) stands behind a later one", "2 findings (1 missing, 1 reordered)")
  }

  @Test func missingSegmentsAndEnds() async throws {
    var first = try await sandbox.sealedLines()
    try first.log("one")
    try first.end()
    var second = try await sandbox.sealedLines(after: (first.salt, 2))
    try second.log("two")
    try second.end()
    let (lines, more) = (first.lines, second.lines)
    try sandbox.write(lines: lines + more)
    try sandbox.logs("verify", "shop.log").succeeded()
    try sandbox.write(lines: more)
    try sandbox.logs("verify", "shop.log").found("shop.log:1: records 0 to 2 of segment \(first.id) are missing")
    let opened = try sandbox.logs("open", "shop.log").succeeded()
    #expect(opened.messages.contains("shop.log:1: note: records 0 to 2 of segment \(first.id) are missing"))
    try expect(
      lines.dropLast() + more, opens: ["one", "two"], saying: "shop.log:3: record 2 of segment \(first.id) is missing")
    // What a reader accepts who knows that it is so.
    try sandbox.write(lines: more)
    try sandbox.logs("verify", "shop.log", "--partial").succeeded()
    try sandbox.write(lines: Array(lines.dropLast()))
    try sandbox.logs("verify", "shop.log").found("shop.log:3: segment \(first.id) has no end after record 1")
    try sandbox.logs("verify", "shop.log", "--allow-unfinished").succeeded()
    try sandbox.logs("verify", "shop.log", "--partial").succeeded()
    // A gap in the middle is none that --partial accepts.
    try sandbox.write(lines: lines.dropLast() + more)
    try sandbox.logs("verify", "shop.log", "--partial", "--allow-unfinished").found("record 2 of segment")
  }

  @Test func logThatBeginsInTheMiddle() async throws {
    var log = try await sandbox.sealedLines()
    for index in 0..<4 { try log.log("\(index)") }
    let records = log.lines
    log.writeHeader()
    try log.log("last")
    try log.end()
    let lines = Array(log.lines[3...])
    try expect(
      lines, opens: ["last"], saying: "shop.log:1: segment \(log.id) has no header before its records",
      "records 0 to 4 of segment \(log.id) are missing")
    try sandbox.logs("verify", "shop.log").found("shop.log:5: records 0 to 4")
    try sandbox.logs("verify", "shop.log", "--partial").succeeded()
    // Only the first segment can begin before the input.
    try sandbox.write(lines: await sandbox.sealedLog("other") + lines)
    try sandbox.logs("verify", "shop.log", "--partial").found("records 0 to 4 of segment \(log.id) are missing")
    #expect(records.count == 6)
  }

  @Test func recordsOfTwoCopies() async throws {
    var first = try await sandbox.sealedLines()
    try first.log("one")
    try first.end()
    try first.log("after the end")
    try sandbox.write(lines: first.lines)
    try sandbox.logs("verify", "shop.log").found(
      "shop.log:5: record 3 of segment \(first.id) was written by another copy")
  }

  @Test func headersThatAreDamagedOrOfOthers() async throws {
    let (log, other) = (try await sandbox.sealedLog("one"), try await sandbox.sealedLog("two"))
    // Without another copy of its header, no record of a segment opens.
    var lines = log
    lines[0] = lines[0].replacing("ek1:", with: "ek1:A")
    try sandbox.write(lines: lines + other)
    var outcome = try sandbox.logs("open", "shop.log").found("shop.log:1: segment", "does not open")
    #expect(try outcome.logged == ["two"])
    lines = log
    lines[0] = other[0]
    try sandbox.write(lines: lines)
    outcome = try sandbox.logs("open", "shop.log").found("shop.log:2: segment", "has no header")
    #expect(outcome.output.isEmpty)
    // A header under the name of another segment.
    lines[0] = other[0].replacing(other[0].prefix(24), with: log[0].prefix(24))
    try sandbox.write(lines: lines + other)
    try sandbox.logs("open", "shop.log").found("The header is that of another segment")
  }

  @Test func payloadsThatAreNoObjects() async throws {
    for payload in ["[]", "\"x\"", "{\"message\":", "{} {}", "\u{fffd}", "{\"a\":01}"] {
      var lines = try await sandbox.sealedLines()
      try lines.append([], payload: payload)
      try lines.log("two")
      try lines.end()
      try expect(
        lines.lines, opens: ["two"], saying: "shop.log:3: record 1 of segment \(lines.id)", "not a JSON object")
    }
  }

  @Test func verifySumsUp() async throws {
    var lines = try await sandbox.sealedLines()
    try lines.log("one")
    try lines.dropped(3)
    try lines.end()
    try sandbox.write(lines: lines.lines + ["hello"])
    let text = try sandbox.logs("verify", "shop.log").succeeded().text
    #expect(
      text == """
        records: 1 verified
        segments: 1
        lines that are not sealed: 1
        records dropped by the process: 3
        findings: none

        """)
    try sandbox.write(lines: [lines.lines[0], lines.lines[1], lines.lines[3], "hello \u{7}", lines.lines[4]])
    let json = try sandbox.logs("verify", "shop.log", "--format", "json").found("shop.log:3")
    #expect(
      json.text == """
        {"records":0,"segments":1,"unauthenticated":1,"dropped":3,"findings":[{"kind":"missing","file":"shop.log",\
        "line":3,"segment":"\(lines.id)","first":1,"last":1,"message":"record 1 of segment \(lines.id) is missing"}]}

        """)
  }
}
