// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit

  /// Writes opened log records, and lines of other origins as such.
  final class LogOpening: RecordConsumer {
    let report: FindingReport
    private let output: RecordOutput
    private let filter: RecordFilter
    private var merged = MergedRecord()

    init(_ output: RecordOutput, _ filter: RecordFilter, _ report: FindingReport) {
      (self.output, self.filter, self.report) = (output, filter, report)
      report.beforeMessage = { try? output.flush() }
    }

    func take(
      _ origin: RecordReader.Origin, clear: RawSpan, payload: RawSpan, at place: LinePlaces.Place
    ) throws(EnvelopeError) {
      guard origin.type == .log else { return }
      do throws(EnvelopeError) {
        try merged.merge(clear: clear, payload: payload)
      } catch {
        return report.reportMalformed(origin, at: place)
      }
      merged.finish(origin)
      try merged.json.withBytes { (json) throws(EnvelopeError) in
        let isText = output.format == .text
        if isText || filter.isSet {
          // What was merged is an object.
          let members = (try? MergedRecord.members(of: json)) ?? []
          guard filter.includes(members, of: json) else { return }
          if isText { return try output.append(text: RecordText(members, of: json).line(output)) }
        }
        try output.append(json: json)
      }
    }

    func takeForeign(_ line: RawSpan) throws(EnvelopeError) {
      guard !filter.isSet else { return }
      guard output.format == .json else {
        for line in RecordText.foreignLines(line, output) { try output.append(text: line) }
        return
      }
      var json = GrowingBuffer(capacity: line.byteCount + 64)
      json.append("{\"unauthenticated\":\"")
      json.append(repairing: line)
      json.append("\"}")
      try json.withBytes { (json) throws(EnvelopeError) in try output.append(json: json) }
    }

    func flush() throws(EnvelopeError) { try output.flush() }

    func end(segmentCount: Int) throws(EnvelopeError) {}
  }
#endif
