// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Something that is wrong with a sealed log, and where.
public struct RecordFinding: Sendable, Equatable {
  /// What is wrong; a later release may add more.
  public enum Kind: String, Sendable, CaseIterable {
    /// A line that does not verify, or is damaged.
    case altered
    /// Records that were written and are not there.
    case missing
    /// A line that is there again.
    case doubled
    /// Two different records of one sequence: two copies of the process wrote the segment, as after a fork.
    case copied
    /// A record of several lines of which not all are there.
    case incomplete
    /// A record that stands behind one that was written later.
    case reordered
    /// A segment without its end: the process still writes it, it ended without closing it, or the end was cut off.
    case unfinished
    /// Records of a segment whose header did not come before them.
    case noHeader
    /// A segment whose header does not open.
    case unopened
  }

  /// What is wrong.
  public let kind: Kind
  /// The name of the segment; nil if the line does not show it.
  public let segment: String?
  /// The sequences of the records that it is about; nil if they are not known.
  public let sequences: ClosedRange<Int>?
  /// The number of the line at which it was found, from 1.
  public let line: Int
  /// Why a header does not open.
  public let error: EnvelopeError?
  /// Whether it may be so in a log of which nothing was taken: the input begins after the segment that is missing.
  public let isBeforeInput: Bool

  init(
    _ kind: Kind, segment: SegmentID?, sequences: ClosedRange<Int>? = nil, line: Int, error: EnvelopeError? = nil,
    isBeforeInput: Bool = false
  ) {
    self.kind = kind
    self.segment = segment?.description
    self.sequences = sequences
    self.line = line
    self.error = error
    self.isBeforeInput = isBeforeInput
  }
}

extension RecordFinding: CustomStringConvertible {
  /// What is wrong, in one line.
  public var description: String {
    let records = sequences.map {
      $0.count == 1 ? "record \($0.lowerBound)" : "records \($0.lowerBound) to \($0.upperBound)"
    }
    let place = segment.map { " of segment \($0)" } ?? ""
    let what =
      switch kind {
      case .altered: "a record was altered or damaged"
      case .missing: "\(records ?? "records")\(place) \(sequences?.count == 1 ? "is" : "are") missing"
      case .doubled: "\(records ?? "a record")\(place) is there again"
      case .copied: "\(records ?? "a record")\(place) was written by another copy of the process"
      case .incomplete: "a record of several lines is not complete: \(records ?? "")\(place)"
      case .reordered: "\(records ?? "a record")\(place) stands behind a later one"
      case .unfinished:
        "segment \(segment ?? "?") has no end after \(sequences.map { "record \($0.upperBound)" } ?? "its header")"
      case .noHeader: "segment \(segment ?? "?") has no header before its records"
      case .unopened: "segment \(segment ?? "?") does not open: \(error?.description ?? "")"
      }
    return "Line \(line): \(what)"
  }
}
