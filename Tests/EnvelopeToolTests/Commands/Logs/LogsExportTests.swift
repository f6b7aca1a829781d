// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

/// Logs as services and collectors hand them on.
@Suite("Exported logs", .timeLimit(.minutes(20))) struct LogsExportTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private func forms(of lines: [String]) -> [String: String] {
    let quoted = lines.map(SealedLines.quoted)
    let rows = quoted.map {
      "[{\"field\": \"@ptr\", \"value\": \"x\"}, {\"field\": \"@message\", \"value\": \($0)}]"
    }
    return [
      "events": "{\"events\": [\(quoted.map { "{\"message\": \($0), \"timestamp\": 1}" }.joined(separator: ",\n"))]}",
      "query": "{\"results\": [\n\(rows.joined(separator: ",\n"))], \"status\": \"Complete\"}\n",
      "docker": lines.map { "{\"log\":\(SealedLines.quoted($0 + "\n")),\"stream\":\"stdout\",\"time\":\"2026\"}\n" }
        .joined(),
      "tail": lines.map { "2026-11-27T03:12:05.123000+00:00 stream \($0)\n" }.joined(),
    ]
  }

  @Test(arguments: ["events", "query", "docker", "tail"]) func recordsOpen(form: String) async throws {
    let log = try await sandbox.sealedLog("one \"quoted\" \\ \n", "zwei \u{e9}\u{1f600}")
    try sandbox.write(try #require(forms(of: log)[form]), to: "log")
    let outcome = try sandbox.logs("open", "log").succeeded()
    #expect(try outcome.logged == ["one \"quoted\" \\ \n", "zwei \u{e9}\u{1f600}"])
    try sandbox.logs("verify", "log").succeeded()
  }

  @Test(arguments: ["events", "query", "docker", "tail"]) func findingsHavePlaces(form: String) async throws {
    var log = try await sandbox.sealedLog("one", "two", "three")
    log[2] = log[2].replacing("info", with: "fine")
    log.remove(at: 3)
    try sandbox.write(try #require(forms(of: log + ["hello"])[form]), to: "log")
    let place = ["events", "query"].contains(form) ? "log, event " : "log:"
    let outcome = try sandbox.logs("open", "log").found(
      "\(place)3: a record was altered or damaged", "\(place)4: records 1 to 2 of segment")
    #expect(try outcome.records.map(\.message) == ["three", nil])
  }

  @Test func exportThatIsCut() async throws {
    let log = try await sandbox.sealedLog("one", "two")
    let export = try #require(forms(of: log)["events"])
    try sandbox.write(String(export.dropLast(300)), to: "log")
    let outcome = try sandbox.logs("open", "log").found(
      "the exported JSON is cut here, or is not JSON", "1 damaged export")
    #expect(try outcome.logged.first == "one")
  }

  @Test func lineThatIsTooLongIsPassedOn() async throws {
    let log = try await sandbox.sealedLog("one", "two")
    let long = String(repeating: "y", count: 5 << 20)
    try sandbox.write(lines: Array(log[..<3]) + [long] + log[3...])
    let outcome = try sandbox.logs("open", "shop.log").succeeded()
    #expect(outcome.messages.contains("shop.log:4: only the first 2,097,152 bytes of the line are shown"))
    #expect(try outcome.records[1].unauthenticated == String(long.prefix(2 << 20)))
    #expect(try outcome.records.map(\.message) == ["one", nil, "two"])
  }

  /// A record that is too long, so that no reader takes it, is missing.
  @Test func sealedLineThatIsTooLongIsMissing() async throws {
    var log = try await sandbox.sealedLog("one", "two")
    log[2] = log[2].replacing("{", with: "{" + String(repeating: " ", count: 3 << 20), maxReplacements: 1)
    try sandbox.write(lines: log)
    try sandbox.logs("verify", "shop.log").found("shop.log:4: record 1 of segment")
  }
}
