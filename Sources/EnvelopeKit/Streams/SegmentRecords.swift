// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What a reader knows of the records of a segment.
struct SegmentRecords: ~Copyable {
  let id: SegmentID
  var keys: RecordKeys
  /// One bit for each sequence that was read.
  private var seen: [UInt64] = []
  /// The first bytes of each record's nonce, in pages that are filled where records were read.
  private var marks: [[UInt64]] = []
  private static let pageLength = 256
  /// One more than the highest sequence that was read.
  private(set) var expected = 0
  /// The sequence of the end, if it was read.
  var end: Int?
  /// The salt and the last sequence of the segment that the same writer wrote before.
  var previous: (salt: [UInt8], last: Int)?
  /// The numbers of the first and the last line with a record of the segment.
  private(set) var firstLine = 0
  var line = 0 {
    didSet { if firstLine == 0 { firstLine = line } }
  }
  /// A payload whose last part has not come yet.
  var partial = Partial()

  /// The beginning of a payload that goes on in the next record.
  struct Partial: ~Copyable {
    var payload = GrowingBuffer(capacity: 16)
    var clear = GrowingBuffer(capacity: 16)
    var type = RecordType.log
    /// The sequence that it goes on with; nil if none is begun.
    var next: Int?
    var first = 0
    /// The mark of the last part, which the next one names.
    var mark: UInt64 = 0

    /// Notes where a payload begins.
    mutating func begin(_ type: RecordType, _ sequence: Int, mark: UInt64) {
      (self.type, first, next, self.mark) = (type, sequence, sequence + 1, mark)
    }

    /// Forgets what was begun.
    mutating func drop() {
      payload.wipe()
      clear.wipe()
      next = nil
    }
  }

  init(_ id: SegmentID, _ keys: consuming RecordKeys) {
    self.id = id
    self.keys = keys
  }

  /// What a verified record's sequence says beside those that were read before.
  enum Order: Equatable {
    case next
    case behindGap(ClosedRange<Int>)
    case late
    case doubled
    case copied
  }

  /// Remembers a verified record.
  mutating func enter(_ sequence: Int, mark: UInt64) -> Order {
    let (word, bit) = (sequence / 64, UInt64(1) << UInt64(sequence % 64))
    while seen.count <= word { seen.append(0) }
    guard seen[word] & bit == 0 else { return self.mark(of: sequence) == mark ? .doubled : .copied }
    seen[word] |= bit
    let page = sequence / Self.pageLength
    while marks.count <= page { marks.append([]) }
    if marks[page].isEmpty { marks[page] = Array(repeating: 0, count: Self.pageLength) }
    marks[page][sequence % Self.pageLength] = mark
    defer { expected = max(expected, sequence + 1) }
    if sequence == expected { return .next }
    return sequence < expected ? .late : .behindGap(expected...sequence - 1)
  }

  /// The mark of the record of a sequence that was read first; nil if none was.
  func mark(of sequence: Int) -> UInt64? {
    guard sequence >= 0, sequence / 64 < seen.count, seen[sequence / 64] & 1 << UInt64(sequence % 64) != 0 else {
      return nil
    }
    return marks[sequence / Self.pageLength][sequence % Self.pageLength]
  }
}
