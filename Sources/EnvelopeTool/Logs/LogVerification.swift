// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit

  /// Counts records, and writes a summary.
  final class LogVerification: RecordConsumer {
    let report: FindingReport
    private let output: RecordOutput
    private var findings: [Finding] = []
    private var merged = MergedRecord()

    /// A finding as JSON shows it.
    private struct Finding {
      let finding: RecordFinding
      let place: LinePlaces.Place

      var json: String {
        var json = "{\"kind\":\"\(finding.kind.rawValue)\",\"file\":\(place.file.quotedAsJSON)"
        json += ",\"\(place.isEvent ? "event" : "line")\":\(place.number)"
        if let segment = finding.segment { json += ",\"segment\":\"\(segment)\"" }
        if let sequences = finding.sequences {
          json += ",\"first\":\(sequences.lowerBound),\"last\":\(sequences.upperBound)"
        }
        let text = finding.description.trimmingPrefix("Line \(finding.line): ")
        return json + ",\"message\":\(String(text).quotedAsJSON)}"
      }
    }

    init(_ output: RecordOutput, _ report: FindingReport) {
      (self.output, self.report) = (output, report)
      guard output.format == .json else { return }
      report.whenFound = { [unowned self] in findings.append(Finding(finding: $0, place: $1)) }
    }

    func take(
      _ origin: RecordReader.Origin, clear: RawSpan, payload: RawSpan, at place: LinePlaces.Place
    ) throws(EnvelopeError) {
      guard origin.type == .log else { return }
      do throws(EnvelopeError) {
        try merged.merge(clear: clear, payload: payload)
      } catch {
        report.reportMalformed(origin, at: place)
      }
    }

    func takeForeign(_ line: RawSpan) throws(EnvelopeError) {}

    func flush() throws(EnvelopeError) {}

    /// Writes the summary.
    func end(segmentCount: Int) throws(EnvelopeError) {
      guard output.format == .text else {
        let found = findings.map(\.json).joined(separator: ",")
        let json =
          "{\"records\":\(report.recordCount),\"segments\":\(segmentCount)"
          + ",\"unauthenticated\":\(report.foreignCount),\"dropped\":\(report.droppedCount),\"findings\":[\(found)]}"
        try json.withUTF8Bytes { (json) throws(EnvelopeError) in try output.append(json: json) }
        return try output.flush()
      }
      let findings = report.failureCount == 0 ? "none" : report.countTexts.joined(separator: ", ")
      try output.append(
        text: """
          records: \(report.recordCount.grouped) verified
          segments: \(segmentCount.grouped)
          lines that are not sealed: \(report.foreignCount.grouped)
          records dropped by the process: \(report.droppedCount)
          findings: \(findings)
          """)
      try output.flush()
    }
  }

  extension String {
    /// The text as a string of JSON.
    var quotedAsJSON: String {
      var json = GrowingBuffer(capacity: utf8.count + 16)
      withUTF8Bytes { json.append(jsonContent: $0) }
      return "\"\(json.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) })\""
    }
  }
#endif
