// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import Instrumentation
  import ServiceContextModule
  import TestSupport
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  /// Traces from a span to what a reader opens.
  @Suite(.timeLimit(.minutes(20))) struct SealedTraceTests {
    private func traces(
      clearAnnotations: Set<String> = [], _ body: (SealedTracer) async throws -> Void
    ) async throws -> (lines: [[UInt8]], log: OpenedLog) {
      let bench = try await LogBench()
      let tracer = SealedTracer(service: "checkout", clearAnnotations: clearAnnotations, to: bench.writer)
      try await body(tracer)
      tracer.forceFlush()
      let lines = await bench.lines()
      return (lines, try await OpenedLog(lines, context: LogBench.context, using: bench.keyring))
    }

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test func documentsOpenToWhatWasRecordedAndShowLittle() async throws {
      let (lines, log) = try await traces(clearAnnotations: ["tenant", "count"]) { tracer in
        tracer.withSpan("pay hunter2") { span in
          span.attributes["tenant"] = "blue"
          span.attributes["count"] = 7
          span.attributes["card"] = "secret-card"
          tracer.withSpan("inner secret-inner") { $0.attributes["deep"] = "secret-deep" }
        }
      }
      #expect(log.findings.isEmpty)
      let trace = try #require(log.records.first { $0.type == .trace })
      let document = try object(trace.payload)
      let line = try #require(lines.first { String(decoding: $0, as: UTF8.self).contains("\"record\":\"trace\"") })
      let outer = try object(line)
      for name in ["name", "id", "trace_id", "start_time", "end_time"] {
        #expect("\(outer[name] ?? "")" == "\(document[name] ?? "-")")
      }
      #expect((outer["annotations"] as? [String: Any])?.keys.sorted() == ["count", "tenant"])
      let text = String(decoding: line, as: UTF8.self)
      for secret in ["hunter2", "secret-card", "secret-inner", "secret-deep"] { #expect(!text.contains(secret)) }
      let whole = String(decoding: trace.payload, as: UTF8.self)
      for secret in ["hunter2", "secret-card", "secret-inner", "secret-deep"] { #expect(whole.contains(secret)) }
      #expect(line.count <= 65_536)
    }

    @Test func eachDocumentOpensByItselfAndInAnyOrder() async throws {
      let bench = try await LogBench()
      let tracer = SealedTracer(service: "checkout", to: bench.writer)
      for number in 0..<20 { tracer.withSpan("\(number)") { _ in } }
      let lines = await bench.lines().filter { String(decoding: $0, as: UTF8.self).contains("trace_id") }
      #expect(lines.count == 20)
      let log = try await OpenedLog(
        lines.reversed(), context: LogBench.context, using: bench.keyring, order: .any)
      #expect(log.findings.isEmpty && log.records.count == 20)
    }

    @Test(arguments: ["name", "id", "start_time", "end_time", "tenant"])
    func whatIsBoundCannotBeChangedAndTheRestIsNotReturned(name: String) async throws {
      let bench = try await LogBench()
      let tracer = SealedTracer(service: "checkout", clearAnnotations: ["tenant"], to: bench.writer)
      tracer.withSpan("x") { $0.attributes["tenant"] = "blue" }
      let lines = await bench.lines()
      let index = try #require(lines.firstIndex { String(decoding: $0, as: UTF8.self).contains("trace_id") })
      var outer = try object(lines[index])
      // What X-Ray adds and moves.
      outer["resource_arn"] = "arn:x"
      outer["subsegments"] = [["id": "1"]]
      outer["trace_id"] = nil
      var changed = lines
      changed[index] = [UInt8](try JSONSerialization.data(withJSONObject: outer))
      let opened = try await OpenedLog(changed, context: LogBench.context, using: bench.keyring)
      #expect(opened.findings.isEmpty && opened.records.contains { $0.type == .trace })
      if name == "tenant" {
        outer["annotations"] = ["tenant": "red"]
      } else {
        outer[name] = name.hasSuffix("time") ? 1.5 : "other"
      }
      changed[index] = [UInt8](try JSONSerialization.data(withJSONObject: outer))
      let refused = try await OpenedLog(changed, context: LogBench.context, using: bench.keyring)
      #expect(refused.kinds.first == .altered && !refused.records.contains { $0.type == .trace })
    }
  }
#endif
