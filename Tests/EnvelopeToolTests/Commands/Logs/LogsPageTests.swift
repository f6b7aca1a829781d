// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

/// The commands of `Docs/Logs.md`, run as they stand there.
@Suite(.timeLimit(.minutes(20))) struct LogsPageTests {
  private let sandbox: Sandbox
  private let sections: [String: String]

  init() async throws {
    sandbox = try Sandbox()
    var log = try await sandbox.sealedLines()
    try log.log("timeout", level: "warning")
    try log.trace("checkout", id: "a", payload: "{\"name\":\"checkout\",\"id\":\"a\",\"start_time\":1,\"end_time\":2}")
    try log.end()
    let lines = log.lines
    try sandbox.write(lines: Array(lines[..<3]), to: "shop.log.1")
    try sandbox.write(lines: [lines[0]] + lines[3...])
    try sandbox.write(lines: lines, to: "all.log")
    try sandbox.write(lines: [lines[3]], to: "spans.log")
    try sandbox.shell("gzip -c all.log > shop.log.gz").succeeded()
    let events = lines.map { "{\"message\":\(SealedLines.quoted($0))}" }.joined(separator: ",")
    try sandbox.write("{\"events\":[\(events)]}\n", to: "events.json")
    let document = SealedLines.quoted(lines[3])
    try sandbox.write("{\"Traces\":[{\"Segments\":[{\"Document\":\(document)}]}]}\n", to: "traces.json")
    var folder = URL(filePath: #filePath)
    while folder.lastPathComponent != "Tests" { folder.deleteLastPathComponent() }
    let page = folder.deletingLastPathComponent().appending(path: "Docs/Logs.md")
    var sections: [String: String] = [:]
    for section in String(decoding: try Data(contentsOf: page), as: UTF8.self).split(separator: "\n## ") {
      sections[String(section.prefix { $0 != "\n" })] = String(section)
    }
    self.sections = sections
  }

  /// Runs the commands of a section one by one; what a service would write is read from files.
  private func run(_ section: String, count: Int) throws -> [Outcome] {
    let commands = try #require(sections[section]).split(separator: "\n").filter { line in
      ["envelope", "aws", "kubectl", "gzip"].contains { line.hasPrefix("    \($0) ") }
    }
    try #require(commands.count == count, "\(commands)")
    return try commands.map { command in
      var line = String(command).replacing("envelope ", with: "\"$ENVELOPE\" ")
      for (service, file) in [("aws logs", "events.json"), ("aws xray", "traces.json"), ("kubectl", "all.log")] {
        if line.hasPrefix("    \(service)"), let pipe = line.range(of: " | ") {
          line = "cat \(file)" + line[pipe.lowerBound...]
        }
      }
      return try sandbox.shell(line)
    }
  }

  @Test func reading() throws {
    let outcomes = try run("Read", count: 3)
    // The rotated file has the record.
    #expect(outcomes[0].succeeded().output.isEmpty)
    #expect(try outcomes[1].succeeded().logged == ["timeout"])
    #expect(outcomes[2].succeeded().output.isEmpty)
  }

  @Test func servicesAndVerifying() throws {
    for outcome in try run("Logs that a service stores", count: 3) {
      #expect(try outcome.succeeded().logged == ["timeout"])
    }
    for outcome in try run("Verify", count: 2) { outcome.succeeded() }
  }

  @Test func tracesAndRewrapping() throws {
    let outcomes = try run("Traces", count: 2)
    #expect(outcomes[0].succeeded().text.hasPrefix("{\"name\":\"checkout\""))
    #expect(outcomes[1].succeeded().text.contains("checkout  1.0 s"))
    for outcome in try run("Rewrap", count: 3) { outcome.succeeded() }
    #expect(try sandbox.keyIDs(of: "shop.log.1").allSatisfy { $0.hasSuffix(".2") })
    try sandbox.logs("verify", "shop.log.1", "shop.log").succeeded()
  }
}
