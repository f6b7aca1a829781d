// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension RecordReader {
  /// How many segments have been opened.
  public var segmentCount: Int { segments.count }

  /// Ends the input, and passes what is missing at the ends of segments to `body`.
  ///
  /// Nothing is reported if the order does not count.
  public func finish(_ body: (RecordFinding) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    guard isOrdered else { return }
    var successors: [SegmentID: Int] = [:]
    var absent: Set<SegmentID> = []
    for id in sequenceOfSegments {
      guard let segment = segments[id], let previous = segment.records.previous else { continue }
      let predecessor = unsafe SegmentID(salt: previous.salt.span.bytes)
      if segments[predecessor]?.salt == previous.salt {
        successors[predecessor] = max(previous.last, successors[predecessor] ?? 0)
      } else if !refused.isReported(predecessor), absent.insert(predecessor).inserted {
        try body(
          RecordFinding(
            .missing, segment: predecessor, sequences: 0...previous.last, line: segment.records.firstLine,
            isBeforeInput: id == sequenceOfSegments.first))
      }
    }
    for id in sequenceOfSegments {
      guard let segment = segments[id] else { continue }
      if let next = segment.records.partial.next {
        let sequences = segment.records.partial.first...next - 1
        try body(RecordFinding(.incomplete, segment: id, sequences: sequences, line: segment.records.line))
      }
      if let last = successors[id], segment.records.expected <= last {
        try body(
          RecordFinding(.missing, segment: id, sequences: segment.records.expected...last, line: segment.records.line))
      } else if segment.records.end == nil, successors[id].map({ segment.records.expected - 1 > $0 }) ?? true {
        let last = segment.records.expected - 1
        try body(
          RecordFinding(.unfinished, segment: id, sequences: last < 0 ? nil : last...last, line: segment.records.line))
      }
    }
  }
}
