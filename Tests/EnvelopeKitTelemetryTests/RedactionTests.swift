// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import Logging
  import TestSupport
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  /// Whatever is printed, dumped or reflected, nothing that was logged and no key shows.
  @Suite("EnvelopeKitTelemetry: redaction", .timeLimit(.minutes(20))) struct RedactionTests {
    private static let secret = "hunter2-hunter2"

    /// The types of this module by their names.
    private func samples() async throws -> [String: Any] {
      let bench = try await LogBench()
      let environment = try OpenedEnvironment(["API_TOKEN": Self.secret])
      let redactor = try Redactor(environment)
      var handler = SealedLogHandler(label: "x", writer: bench.writer, metadataProvider: nil)
      handler.metadata = ["user": "\(sealed: Self.secret)"]
      var redacting = RedactingLogHandler(handler, redactor: redactor)
      redacting.metadata = ["user": .string(Self.secret)]
      let tracer = SealedTracer(service: "x", to: bench.writer)
      let span = tracer.startSpan(Self.secret, context: .topLevel, ofKind: .internal)
      span.attributes["a"] = "\(Self.secret)"
      let (sink, lines) = RecordSink.lines()
      return [
        "RecordWriter": bench.writer, "SealedLogHandler": handler, "RedactingLogHandler": redacting,
        "SealedTracer": tracer, "SealedSpan": span, "RecordSink": sink, "RecordLines": lines,
        "ClearFields": ClearFields.unmarked, "SegmentLimits": SegmentLimits(), "FileRotation": FileRotation.never,
        "Sealing": Sealing.sealed,
        "TraceContext": TraceContext(header: "Root=1-5759e988-bd862e3fe1be46a994272793") as Any,
        "RedactedError": RedactedError<EnvelopeError>(description: redactor.redact(Self.secret)),
      ]
    }

    @Test func noPublicTypeShowsASecret() async throws {
      for (name, sample) in try await samples() {
        #expect(!shown(sample).contains(Self.secret), "\(name)")
      }
      #expect(shown(Self.secret).contains(Self.secret))
    }

    @Test func everyPublicTypeIsChecked() async throws {
      let checked = Set(try await samples().keys)
      let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/EnvelopeKitTelemetry").standardized
      var found: Set<String> = []
      let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
      for case let file as URL in files
      where file.pathExtension == "swift" && file.lastPathComponent != "Unavailable.swift" {
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
          // Nested types are parts of those around them.
          guard let match = line.firstMatch(of: /^  public (final )?(struct|class|enum|actor) (\w+)/) else { continue }
          found.insert(String(match.3))
        }
      }
      #expect(found == checked)
    }
  }
#endif
