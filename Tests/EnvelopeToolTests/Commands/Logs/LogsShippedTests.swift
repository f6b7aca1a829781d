// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  /// What a process wrote goes to CloudWatch Logs and X-Ray and comes back: moto is both, behind TLS, and boto3 ships.
  @Suite("Shipped logs and traces", .serialized, .timeLimit(.minutes(20))) struct LogsShippedTests {
    private static let count = 40
    private let sandbox: Sandbox
    private let settings: String

    init() throws {
      sandbox = try Sandbox()
      let ready = try KeyService.shared.ready
      let names = ["url", "ca", "access_key", "secret_key"]
      let values = try names.map { ($0, try #require(ready[$0])) }
      settings = String(
        decoding: try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: values)), as: UTF8.self)
    }

    private func python(_ arguments: [String]) throws -> String {
      let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Python/ship_telemetry.py").standardized
      let process = Process()
      process.executableURL = URL(filePath: try Tool.python)
      process.arguments = ["-B", script.path, settings] + arguments
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0, "\(arguments)")
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Has a process write logs and traces to a recipient whose identity is in the key store; returns the lines.
    private func write() throws -> [String] {
      let identity = try Keyset.generate(.identity)
      try sandbox.makeKey("default")
      try sandbox.changeStore { (store) throws(EnvelopeError) in try store.add(identity, alias: "inbox") }
      let program = try #require(BuiltProgram.path(named: "LogService"), "run Tests/run")
      let process = Process()
      process.executableURL = URL(filePath: program)
      process.arguments = ["trace", "\(try identity.recipient())", "-", "1", "\(Self.count)"]
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(!text.contains("secret-"))
      return text.split(separator: "\n").map(String.init)
    }

    private func open(_ command: String, _ input: String) throws -> Outcome {
      try sandbox.start(
        [command, "open", "--function", "service", "--accept-anonymous-sender"], input: Data(input.utf8)
      ).wait()
    }

    @Test func whatWasWrittenComesBack() async throws {
      let lines = try write()
      try sandbox.write(lines: lines, to: "all.log")
      let here = try open("logs", lines.map { $0 + "\n" }.joined()).succeeded()
      #expect(try here.logged == Array(repeating: "secret-log", count: Self.count))
      let traces = try open("traces", lines.map { $0 + "\n" }.joined()).succeeded().output

      let path = "\(sandbox.folder)/all.log"
      let group = "shop-\(UUID().uuidString)"
      _ = try python(["logs", group, "one", path])
      for export in [try python(["get-log-events", group, "one"]), try python(["filter-log-events", group])] {
        let opened = try open("logs", export).succeeded()
        #expect(opened.output == here.output)
        #expect(try open("traces", export).succeeded().output == traces)
      }

      let documents = lines.filter { $0.contains("\"record\":\"trace\"") }
      #expect(documents.count == Self.count)
      try sandbox.write(lines: documents, to: "traces.log")
      let ids = try python(["traces", "\(sandbox.folder)/traces.log"]).split(separator: "\n")
        .compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
      #expect(!ids.isEmpty)
      let traceIDs = try documents.compactMap { line in
        (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["trace_id"] as? String
      }
      var fetched: [Data] = []
      for start in stride(from: 0, to: traceIDs.count, by: 5) {
        let batch = try python(["batch-get-traces"] + traceIDs[start..<min(start + 5, traceIDs.count)])
        fetched += try open("traces", batch).succeeded().output.split(separator: 10)
      }
      // The service returns them in an order of its own.
      #expect(Set(fetched) == Set(traces.split(separator: 10)) && fetched.count == Self.count)
    }
  }
#endif
