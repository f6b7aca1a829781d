// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Records: verified, compared with those that were read before, and joined if they are parts.
extension RecordReader {
  /// A record that has verified.
  private struct Verified {
    let type: RecordType
    let part: RecordPart
    let sequence: Int
    let mark: UInt64
  }

  mutating func readRecord(_ bytes: RawSpan, _ body: Receiver) throws(EnvelopeError) {
    guard let id = line.segment, let sequence = line.sequence else { return }
    let (type, part) = (line.type, line.part)
    associatedData.remove()
    sealed.remove()
    payload.wipe()
    RecordSegment.appendAssociatedData(sequence, type, part, to: &associatedData)
    // The form comes first, so that a line is judged alike whether its segment has opened or not.
    let header = type == .trace ? line.headerBytes(in: bytes) : nil
    guard part == .whole || type == .log || type == .trace, type != .trace || header != nil,
      line.appendClearPairs(in: bytes, to: &associatedData), line.appendSealed(in: bytes, to: &sealed)
    else { return try report(.altered, to: body) }
    if latest?.id != id { latest = segments[id] }
    guard let segment = latest else {
      if let header { return try report(refused: header, of: id, body) }
      guard refused.isMissingNews(id) else { return }
      return try report(.noHeader, to: body)
    }
    guard header.map({ segment.isOf($0) }) ?? true else { return try report(.altered, to: body) }
    // One access for all that follows: each access to a variable of an object is checked at run time.
    try readRecord(type, part, sequence, of: &segment.records, body)
  }

  private mutating func readRecord(
    _ type: RecordType, _ part: RecordPart, _ sequence: Int, of segment: inout SegmentRecords, _ body: Receiver
  ) throws(EnvelopeError) {
    guard open(&segment.keys, sequence), isWellFormed(type, part, sequence) else {
      return try report(.altered, to: body)
    }
    segment.line = lineCount
    let mark = sealed.withBytes { RecordSegment.mark(of: $0) }
    let isPast = segment.end.map { sequence > $0 } ?? false
    let order = segment.enter(sequence, mark: mark)
    switch order {
    case .doubled: return try report(.doubled, sequence...sequence, to: body)
    case .copied: try report(.copied, sequence...sequence, to: body)
    case .behindGap(let gap) where isOrdered: try report(.missing, gap, to: body)
    case .late where isOrdered: try report(.reordered, sequence...sequence, to: body)
    case .next, .behindGap, .late: break
    }
    if isPast, order != .copied { try report(.copied, sequence...sequence, to: body) }
    try pass(Verified(type: type, part: part, sequence: sequence, mark: mark), of: &segment, body)
  }

  private mutating func open(_ keys: inout RecordKeys, _ sequence: Int) -> Bool {
    do throws(EnvelopeError) {
      try sealed.withBytes { (sealed) throws(EnvelopeError) in
        try associatedData.withBytes { (associatedData) throws(EnvelopeError) in
          try keys.open(sealed, sequence: sequence, authenticating: associatedData, into: &payload)
        }
      }
      return true
    } catch {
      return false
    }
  }

  /// Whether a verified record is one that a writer writes.
  private func isWellFormed(_ type: RecordType, _ part: RecordPart, _ sequence: Int) -> Bool {
    guard (sequence == 0) == (type == .begin) else { return false }
    // A part that goes on names the one before it.
    guard !part.isContinued || payload.byteCount >= RecordPart.linkByteCount else { return false }
    return payload.withBytes { payload in
      switch type {
      case .log, .trace: true
      case .end: part == .whole && payload.isEmpty
      case .dropped: part == .whole && payload.byteCount == 8 && payload.bigEndianInteger(at: 0) > 0
      case .begin:
        part == .whole
          && (payload.isEmpty
            || payload.byteCount == 24 && payload.bigEndianInteger(at: 16) < UInt64(RecordSegment.recordLimit))
      }
    }
  }

  /// Passes a verified record on, or keeps a part of one.
  private mutating func pass(_ record: Verified, of segment: inout SegmentRecords, _ body: Receiver)
    throws(EnvelopeError)
  {
    switch record.type {
    case .end: segment.end = segment.end ?? record.sequence
    case .begin: segment.previous = segment.previous ?? payload.withBytes { Self.previous($0) }
    case .log, .trace, .dropped: break
    }
    if record.part.isContinued { return try join(record, of: &segment, body) }
    // The payload that was begun does not go on where it should.
    if segment.partial.next == record.sequence { try reportIncomplete(&segment, to: record.sequence, body) }
    guard record.part == .first else {
      return try deliver(payload, record, beginningAt: record.sequence, of: segment.id, body)
    }
    if segment.partial.next != nil { try reportIncomplete(&segment, to: record.sequence, body) }
    segment.partial.begin(record.type, record.sequence, mark: record.mark)
    withClear { segment.partial.clear.append($0) }
    segment.partial.payload.append(payload)
  }

  /// Joins a part to those before it; a payload of which a part is missing is lost.
  private mutating func join(_ record: Verified, of segment: inout SegmentRecords, _ body: Receiver)
    throws(EnvelopeError)
  {
    let link = payload.withBytes { $0.bigEndianInteger(at: 0) }
    guard segment.partial.next == record.sequence, segment.partial.type == record.type, segment.partial.mark == link,
      isSameClear(segment.partial), segment.partial.payload.byteCount + payload.byteCount <= Self.payloadByteLimit
    else {
      if record.part == .last { try reportIncomplete(&segment, to: record.sequence, body) }
      return
    }
    payload.withBytes { segment.partial.payload.append($0.extracting(droppingFirst: RecordPart.linkByteCount)) }
    (segment.partial.next, segment.partial.mark) = (record.sequence + 1, record.mark)
    guard record.part == .last else { return }
    defer { segment.partial.drop() }
    try deliver(segment.partial.payload, record, beginningAt: segment.partial.first, of: segment.id, body)
  }

  /// Passes a complete payload to `body`, with the clear pairs of the record that ends it.
  private func deliver(
    _ payload: borrowing GrowingBuffer, _ record: Verified, beginningAt sequence: Int, of segment: SegmentID,
    _ body: Receiver
  ) throws(EnvelopeError) {
    let origin = Origin(type: record.type, segment: segment, sequence: sequence, line: lineCount)
    try payload.withBytes { (payload) throws(EnvelopeError) in
      try withClear { (clear) throws(EnvelopeError) in try body(.record(origin), clear, payload) }
    }
  }

  private func reportIncomplete(
    _ segment: inout SegmentRecords, to sequence: Int, _ body: Receiver
  ) throws(EnvelopeError) {
    let first = segment.partial.next == nil ? sequence : min(segment.partial.first, sequence)
    let last = segment.partial.next.map { min($0 - 1, sequence) } ?? sequence
    segment.partial.drop()
    try report(.incomplete, first...max(first, last), to: body)
  }

  private func isSameClear(_ partial: borrowing SegmentRecords.Partial) -> Bool {
    partial.clear.withBytes { first in withClear { $0.comparePublicBytes(to: first) == 0 } }
  }

  /// Gives access to the clear pairs of the record, which follow its sequence and type in the associated data.
  private func withClear<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try associatedData.withBytes { (data) throws(E) in
      try body(data.extracting(droppingFirst: RecordSegment.fixedDataByteCount))
    }
  }

  private static func previous(_ payload: RawSpan) -> (salt: [UInt8], last: Int)? {
    guard payload.byteCount == 24 else { return nil }
    return ([UInt8](copying: payload.extracting(first: 16)), Int(payload.bigEndianInteger(at: 16)))
  }
}
