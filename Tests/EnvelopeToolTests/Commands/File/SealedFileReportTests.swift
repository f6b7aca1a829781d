// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@Suite("inspect and explain: sealed files", .timeLimit(.minutes(20))) struct SealedFileReportTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private struct Report: Decodable {
    let form: String
    let suite: String
    let byteCount: Int?
    let chunkSize: Int?
    let contextMatches: Bool?
  }

  private func report(_ arguments: String...) throws -> Report {
    let outcome = try sandbox.start(["inspect", "--json"] + arguments).wait().succeeded()
    return try JSONDecoder().decode(Report.self, from: outcome.output)
  }

  @Test(arguments: [0, 1, 4096, 4097, 200_000]) func inspectShowsLength(byteCount: Int) throws {
    for suite in AlgorithmSuite.allCases where suite.isAvailable {
      let name = suite == .aegis256 ? "aegis-256" : "chacha20-poly1305"
      try sandbox.sealFile(byteCount: byteCount, "--suite", name, "--chunk-size", "4096")
      let report = try report("sealed")
      #expect(report.form == "file" && report.byteCount == byteCount && report.chunkSize == 4096)
      #expect(report.suite == "\(suite)" && report.contextMatches == nil)
      let text = try sandbox.envelope("inspect", "sealed").succeeded().text
      #expect(text.hasPrefix("A sealed file, format 1\nsuite: \(suite)\n"))
      #expect(try sandbox.shell("cat sealed | \"$ENVELOPE\" inspect -").succeeded().text == text)
      #expect(try sandbox.shell("\"$ENVELOPE\" inspect - < sealed").succeeded().text == text)
    }
  }

  @Test func inspectComparesContext() throws {
    try sandbox.sealFile("--context", "team=payments")
    #expect(try report("sealed", "--context", "team=payments").contextMatches == true)
    #expect(try report("sealed", "--context", "team=orders").contextMatches == false)
    #expect(try report("sealed", "--function", "app").contextMatches == false)
  }

  /// Longer than any file of variables, and than the memory that a process may use here.
  @Test func longFileIsNotReadIntoMemory() throws {
    try sandbox.write("", to: "plain")
    try sandbox.resize("plain", to: 300 << 20)
    try sandbox.file("seal", "plain", "-o", "sealed").succeeded()
    let limit = "ulimit -d 200000; \"$ENVELOPE\""
    let inspected = try sandbox.shell("\(limit) inspect sealed").succeeded()
    #expect(inspected.text.contains("sealed: 314,572,800 bytes\nchunks: 65,536 bytes each\n"))
    #expect(try sandbox.shell("cat sealed | (\(limit) inspect -)").succeeded().text == inspected.text)
    try sandbox.shell("\(limit) explain sealed").succeeded()
    try sandbox.shell("\(limit) rewrap sealed").succeeded()
  }

  @Test func cutFileIsReported() throws {
    try sandbox.sealFile()
    try sandbox.resize("sealed", to: try sandbox.readBytes("sealed").count - 200_000 % 65_536 - 5)
    #expect(try report("sealed").byteCount == nil)
    #expect(try sandbox.envelope("inspect", "sealed").text.contains("a part is missing"))
    try sandbox.resize("sealed", to: 60)
    try sandbox.envelope("inspect", "sealed").failed(65, saying: "ends within its header")
    try sandbox.envelope("explain", "sealed").succeededInPart(65, "it was cut")
  }

  @Test func explainShowsEachStep() throws {
    try sandbox.sealFile()
    for line in ["\"$ENVELOPE\" explain sealed", "cat sealed | \"$ENVELOPE\" explain -"] {
      let text = try sandbox.shell(line).succeeded().text
      #expect(text.hasPrefix("a sealed file in chunks of 65,536 bytes, suite ChaCha20-Poly1305\n"))
      #expect(text.contains("for no function\n") && text.contains(": unwraps\nheader: verifies\n"))
      #expect(text.hasSuffix("payload: 200,000 bytes in 4 chunks verified\nIt opens.\n"))
    }
    try sandbox.file("seal", "plain", "-o", "app.sealed", "--function", "app", "--context", "a=b").succeeded()
    let differs = try sandbox.envelope("explain", "app.sealed", "--function", "app").succeededInPart(65, "its context")
    #expect(differs.text.contains("differs from 'app'"))
    // The name of the file says the function.
    try sandbox.envelope("explain", "app.sealed", "--context", "a=b").succeeded()
    try sandbox.envelope("explain", "app.sealed").succeededInPart(64, "--no-function")
  }

  @Test func explainNamesFirstChunkThatDoesNotVerify() throws {
    try sandbox.sealFile()
    let header = try sandbox.readBytes("sealed").count - 200_000 - 4 * 16
    try sandbox.flip(header + 70_000, of: "sealed")
    let altered = try sandbox.envelope("explain", "sealed").succeededInPart(65, "damage (payloadAltered)")
    #expect(altered.text.contains("header: verifies\nchunks: 1 verified; the next one, from byte 65,536 on, does not"))
    try sandbox.flip(header + 70_000, of: "sealed")
    try sandbox.resize("sealed", to: header + 3 * (65_536 + 16))
    let cut = try sandbox.envelope("explain", "sealed").succeededInPart(65, "damage")
    #expect(cut.text.contains("chunks: 2 verified; the next one, from byte 131,072 on"))
    try sandbox.envelope("keys", "disable", "default").succeeded()
    try sandbox.envelope("explain", "sealed").succeededInPart(77, "the state of its key")
  }
}

extension Outcome {
  /// Expects a report on standard output which says this, and a failure.
  @discardableResult
  fileprivate func succeededInPart(
    _ code: Int32, _ part: String, _ location: SourceLocation = #_sourceLocation
  ) -> Outcome {
    #expect(ending == .exit(code), "\(text)\(messages)", sourceLocation: location)
    #expect(text.contains(part), "\(text)\(messages)", sourceLocation: location)
    return self
  }
}
