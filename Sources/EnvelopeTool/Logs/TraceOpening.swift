// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit

  /// Writes opened X-Ray documents, or a tree of them.
  final class TraceOpening: RecordConsumer {
    let report: FindingReport
    private let output: RecordOutput
    private var tree = TraceTree()
    private var compact = GrowingBuffer(capacity: 4096)

    init(_ output: RecordOutput, _ report: FindingReport) {
      (self.output, self.report) = (output, report)
      report.beforeMessage = { try? output.flush() }
    }

    func take(
      _ origin: RecordReader.Origin, clear: RawSpan, payload: RawSpan, at place: LinePlaces.Place
    ) throws(EnvelopeError) {
      guard origin.type == .trace else { return }
      let members: [MergedRecord.Member]
      do throws(EnvelopeError) {
        members = try MergedRecord.members(of: payload)
      } catch {
        return report.reportMalformed(origin, at: place)
      }
      guard output.format == .json else { return tree.add(members, of: payload) }
      compact.wipe()
      compact.append(compact: payload)
      try compact.withBytes { (json) throws(EnvelopeError) in try output.append(json: json) }
    }

    func takeForeign(_ line: RawSpan) throws(EnvelopeError) {}

    func flush() throws(EnvelopeError) { try output.flush() }

    func end(segmentCount: Int) throws(EnvelopeError) {
      for line in tree.lines(output) { try output.append(text: line) }
      try output.flush()
      guard report.foreignCount > 0 else { return }
      Console.say(
        "Left out, because \(report.foreignCount == 1 ? "it is" : "they are") not sealed: "
          + report.foreignCount.counted("document") + ".")
    }
  }
#endif
