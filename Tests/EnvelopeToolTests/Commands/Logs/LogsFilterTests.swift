// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@testable import EnvelopeTool

@Suite("Filters of logs", .timeLimit(.minutes(20))) struct LogsFilterTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  /// Records of each level, a minute apart, and a line of another origin.
  private func makeLog() async throws {
    var lines = try await sandbox.sealedLines()
    for (index, level) in RecordLevel.allCases.enumerated() {
      try lines.log(
        "is \(level.rawValue)", level: level.rawValue, time: "2026-11-27T03:0\(index):00Z",
        metadata: [("order", "o-\(index)"), ("text", "two\nlines")])
    }
    try lines.append([("level", .string("loud"))], payload: "{\"message\":\"of no time\"}")
    try lines.append(
      [], payload: "{\"message\":\"sealed\",\"time\":\"2026-11-27T04:06:00+01:00\",\"level\":\"CRITICAL\"}")
    try lines.end()
    try sandbox.write(lines: lines.lines + ["critical error of another origin o-3"])
  }

  private func expect(_ options: [String], _ logged: [String], _ location: SourceLocation = #_sourceLocation) throws {
    let outcome = try sandbox.start(["logs", "open", "shop.log", "--context", "service=shop"] + options).wait()
    #expect(try outcome.succeeded(location).logged == logged, sourceLocation: location)
  }

  @Test func levelsAndTimes() async throws {
    try await makeLog()
    try expect(["--level", "error"], ["is error", "is critical", "sealed"])
    try expect(["--level", "critical"], ["is critical", "sealed"])
    try expect(["--since", "2026-11-27T03:05:00Z"], ["is error", "is critical", "sealed"])
    try expect(["--since", "2026-11-27T03:05:00.000000001Z"], ["is critical", "sealed"])
    try expect(["--since", "2026-11-27T04:05:00+01:00", "--level", "critical"], ["is critical", "sealed"])
    try expect(["--since", "2100-01-01T00:00:00Z"], [])
  }

  @Test func patterns() async throws {
    try await makeLog()
    try expect(["--grep", "o-3"], ["is notice"])
    try expect(["--grep", "^is (trace|debug)$"], ["is trace", "is debug"])
    try expect(["--grep", "o.*lines"], [])
    try expect(["--grep", "shop|Shop|2026|level"], [])
    try expect(["--grep", "^lines$", "--level", "critical"], ["is critical"])
  }

  @Test func filtersHideNoFinding() async throws {
    try await makeLog()
    let lines = try sandbox.read("shop.log").split(separator: "\n").map(String.init)
    try sandbox.write(lines: Array(lines[..<4] + lines[5...]))
    try sandbox.logs("open", "shop.log", "--level", "critical").found("shop.log:5: record 3 of")
  }

  @Test(arguments: [
    ["--since", "yesterday"], ["--since", ""], ["--since", "5"], ["--since", "m"], ["--since", "-5m"],
    ["--since", "99999999999999999999s"], ["--since", "2026-13-01T00:00:00Z"], ["--since", "2026-11-27"],
    ["--level", "loud"], ["--level", ""], ["--grep", "("], ["--grep", "a{2,1}"], ["--format", "xml"],
    ["--follow"], ["--follow", "-"], ["--follow", "a", "b"],
  ]) func badOptionsAreRefused(options: [String]) throws {
    let files = options.first == "--follow" ? [] : ["shop.log"]
    try sandbox.start(["logs", "open"] + files + options).wait().failed(64)
  }

  @Test func durationsCountFromNow() throws {
    for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("0s", 0)] {
      #expect(try TimeText.start(text, now: 1_700_000_000) == (1_700_000_000 - Int64(seconds)) * 1_000_000_000)
    }
    #expect(try TimeText.start("100000d", now: 1_700_000_000) == 0)
  }

  @Test func timesAreReadAsRFC3339() {
    #expect(TimeText.nanoseconds(of: "1970-01-01T00:00:00Z") == 0)
    #expect(TimeText.nanoseconds(of: "2026-11-27T03:12:05.123Z") == 1_795_749_125_123_000_000)
    #expect(TimeText.nanoseconds(of: "2000-02-29t23:59:60.5-01:30") == 951_874_200_500_000_000)
    #expect(TimeText.nanoseconds(of: "2026-11-27T03:12:05.1234567891Z") == 1_795_749_125_123_456_789)
    for text in [
      "", "2026", "2026-11-27T03:12:05", "2026-11-27T03:12:05.Z", "2026-11-27T24:00:00Z", "2026-11-27T03:12:05+1:00",
      "2026-11-27T03:12:05Zx", "2026-11-32T03:12:05Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z",
      "２026-11-27T03:12:05Z",
    ] {
      #expect(TimeText.nanoseconds(of: text) == nil, "\(text)")
    }
  }
}
