// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What a record holds (`Docs/Format.md`, section Records).
public enum RecordType: UInt8, Sendable, CaseIterable {
  /// A log record: the JSON object of the members that are not clear.
  case log = 0
  /// The end of a segment.
  case end = 1
  /// How many records were logged and not written.
  case dropped = 2
  /// The beginning of a segment, and which segment the same writer wrote before.
  case begin = 3
  /// A trace: an X-Ray segment document.
  case trace = 4

  /// The value of a line's member `record`; nil for a log record, which has none.
  package var name: StaticString? {
    switch self {
    case .log: nil
    case .end: "end"
    case .dropped: "dropped"
    case .begin: "begin"
    case .trace: "trace"
    }
  }
}

/// Which part of a payload a record holds, as the upper bits beside its type.
package enum RecordPart: UInt8, Sendable {
  /// All of it.
  case whole = 0
  /// The beginning; the next record goes on.
  case first = 0x80
  /// A part that neither begins nor ends it.
  case middle = 0xc0
  /// The end; the record before goes on here.
  case last = 0x40

  /// The value of a line's member `part`; nil for a whole payload, which has none.
  package var name: StaticString? {
    switch self {
    case .whole: nil
    case .first: "first"
    case .middle: "middle"
    case .last: "last"
    }
  }

  /// The length of what a part that goes on names the one before it by.
  ///
  /// These are the first bytes of that one's nonce, before the payload. So parts of two copies of the process are not
  /// joined.
  package static let linkByteCount = 8

  static let named: [RecordPart] = [.first, .middle, .last]

  /// Whether the payload goes on in the next record.
  var goesOn: Bool { self == .first || self == .middle }
  /// Whether the payload began in a record before.
  package var isContinued: Bool { self == .middle || self == .last }
}
