// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Opens lines of sealed logs and traces, and reports what is wrong with them (`Docs/Format.md`, section Records).
///
/// What comes out has verified. Records around a damaged one still open. Lines of other origins pass through as such:
/// nobody vouches for them.
public struct RecordReader: ~Copyable {
  /// What the reader checks besides the records themselves.
  public enum Order: Sendable {
    /// That none is missing or stands elsewhere: for logs.
    case complete
    /// Nothing: for traces, of which a service returns some in any order.
    case any
  }

  /// Where a record comes from.
  public struct Origin: Sendable {
    /// What the record holds.
    public let type: RecordType
    package let segment: SegmentID
    /// The sequence of the record in its segment; of a payload in several records that of the first.
    public let sequence: Int
    /// The number of the line, from 1; of a payload in several records that of the last.
    public let line: Int

    /// The name of the segment.
    public var segmentName: String { segment.description }
  }

  /// What a line turns out to be.
  public enum Item: Sendable {
    /// A record that has verified.
    case record(Origin)
    /// A line of another origin, which nobody vouches for.
    case other
    /// Something that is wrong.
    case finding(RecordFinding)
  }

  /// The longest payload that goes on over several records, in bytes.
  package static let payloadByteLimit = 1 << 24

  private let context: EncryptionContext
  private let keyring: any Keyring
  private let sender: AnonymousSender
  private let order: Order
  var segments: [SegmentID: OpenedSegment] = [:]
  /// The segments in the order of their first lines.
  var sequenceOfSegments: [SegmentID] = []
  var isOrdered: Bool { order == .complete }
  private var latest: OpenedSegment?
  var refused = RefusedHeaders()
  private var line = RecordLine()
  private var associatedData = GrowingBuffer()
  private var sealed = GrowingBuffer()
  private var payload = GrowingBuffer()
  /// The number of lines that were read.
  public private(set) var lineCount = 0

  /// Creates a reader.
  ///
  /// - Parameters:
  ///   - context: The pairs that the records were sealed with.
  ///   - keyring: Unwraps the data key of each segment.
  ///   - sender: Whether to accept segments that were opened through the entry of a recipient.
  ///   - order: What to check besides the records themselves.
  /// - Throws: `invalidArgument` for a context that breaks a limit.
  public init(
    context: EncryptionContext, using keyring: some Keyring, anonymousSender sender: AnonymousSender = .refused,
    order: Order = .complete
  ) throws(EnvelopeError) {
    _ = try context.forKeyrings(.records)
    self.context = context
    self.keyring = keyring
    self.sender = sender
    self.order = order
  }

  /// Reads a line, without its line feed.
  ///
  /// - Parameters:
  ///   - bytes: The line.
  ///   - body: Receives what the line turns out to be, several times for some; with a record its clear pairs in canonical
  ///     form (see ``ClearPairs``) and its payload, which are valid only inside it.
  /// - Returns: The bytes of a header that ``unlock(_:_:)`` is to be called with first, and then this again with the line.
  /// - Throws: What `body` throws.
  public mutating func read(
    _ bytes: RawSpan, _ body: (Item, _ clear: RawSpan, _ payload: RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) -> [UInt8]? {
    let form = line.read(bytes)
    if let header = try unknownHeader(of: form, in: bytes) { return header }
    lineCount += 1
    switch form {
    case .other: try body(.other, RawSpan(), RawSpan())
    case .damaged: try body(.finding(finding(.altered)), RawSpan(), RawSpan())
    case .header: try readHeader(bytes, body)
    case .record: try readRecord(bytes, body)
    }
    return nil
  }

  /// The header of the line, if it was not seen before.
  private func unknownHeader(of form: RecordLine.Form, in bytes: RawSpan) throws(EnvelopeError) -> [UInt8]? {
    guard form == .header || form == .record, let id = line.segment, let header = line.headerBytes(in: bytes) else {
      return nil
    }
    guard segments[id] == nil else { return nil }
    return try refused.reason(for: header, of: id) == nil ? header : nil
  }

  /// What says nothing of the header: the next one would meet it, too.
  private static let concernsService: Set<EnvelopeError.Code> = [
    .keyServiceUnavailable, .keyServiceThrottled, .keyServiceNotTrusted, .credentialsMissing, .credentialsRefused,
    .systemFailure,
  ]

  /// Unwraps the data key of a header that a line has.
  ///
  /// - Throws: `keyServiceUnavailable`, `keyServiceThrottled`, `keyServiceNotTrusted`, `credentialsMissing`,
  ///   `credentialsRefused`, `systemFailure`, or an error of another type: reading can be tried again. Other failures are
  ///   findings when the line is read.
  public mutating func unlock(_ header: [UInt8]) async throws {
    guard let id = line.segment else { return }
    do {
      let parsed = try Header(records: header)
      guard unsafe SegmentID(salt: parsed.salt.span.bytes) == id else {
        throw EnvelopeError(.headerAltered, "The header is that of another segment")
      }
      try parsed.suite.aead.checkIsAvailable()
      let unlocked = try await UnlockedHeader.unlock(
        parsed, context: context, using: keyring, anonymousSender: sender)
      segments[id] = try OpenedSegment(unlocked)
      sequenceOfSegments.append(id)
      keyring.observer?.observe(EnvelopeEvent(.opened, source: unlocked.source))
    } catch let error as EnvelopeError where !Self.concernsService.contains(error.code) {
      keyring.observer?.observe(EnvelopeEvent(.openFailed, failure: error))
      try refused.insert(header, of: id, error)
    }
  }

  private func finding(
    _ kind: RecordFinding.Kind, _ sequences: ClosedRange<Int>? = nil, error: EnvelopeError? = nil
  ) -> RecordFinding {
    RecordFinding(kind, segment: line.segment, sequences: sequences, line: lineCount, error: error)
  }

  private mutating func readHeader(
    _ bytes: RawSpan, _ body: (Item, RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    guard let id = line.segment, let header = line.headerBytes(in: bytes) else {
      return try body(.finding(finding(.altered)), RawSpan(), RawSpan())
    }
    guard let known = segments[id] else { return try report(refused: header, of: id, body) }
    if known.line == 0 { known.line = lineCount }
    // One that opened stays: another header of the same name is not of this segment.
    guard known.isOf(header) else {
      return try body(.finding(finding(.altered)), RawSpan(), RawSpan())
    }
  }

  private mutating func report(
    refused header: [UInt8], of id: SegmentID, _ body: (Item, RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    guard let error = try refused.reason(for: header, of: id), refused.isNews(id) else { return }
    try body(.finding(finding(.unopened, error: error)), RawSpan(), RawSpan())
  }

  private mutating func readRecord(
    _ bytes: RawSpan, _ body: (Item, RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
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
    else { return try body(.finding(finding(.altered)), RawSpan(), RawSpan()) }
    if latest?.id != id { latest = segments[id] }
    guard let segment = latest else {
      if let header { return try report(refused: header, of: id, body) }
      guard refused.isMissingNews(id) else { return }
      return try body(.finding(finding(.noHeader)), RawSpan(), RawSpan())
    }
    guard header.map({ segment.isOf($0) }) ?? true, open(segment, sequence), isWellFormed(type, part, sequence)
    else { return try body(.finding(finding(.altered)), RawSpan(), RawSpan()) }
    segment.line = lineCount
    let mark = sealed.withBytes { RecordSegment.mark(of: $0) }
    let isPast = segment.end.map { sequence > $0 } ?? false
    let order = segment.enter(sequence, mark: mark)
    if let kind = findingKind(order) {
      try body(.finding(finding(kind, Self.sequences(order) ?? sequence...sequence)), RawSpan(), RawSpan())
    }
    if isPast, order != .copied, order != .doubled {
      try body(.finding(finding(.copied, sequence...sequence)), RawSpan(), RawSpan())
    }
    guard order != .doubled else { return }
    try pass(type, part, sequence, mark: mark, of: segment, body)
  }

  private func findingKind(_ order: OpenedSegment.Order) -> RecordFinding.Kind? {
    switch order {
    case .doubled: .doubled
    case .copied: .copied
    case .behindGap: isOrdered ? .missing : nil
    case .late: isOrdered ? .reordered : nil
    case .next: nil
    }
  }

  private static func sequences(_ order: OpenedSegment.Order) -> ClosedRange<Int>? {
    if case .behindGap(let gap) = order { gap } else { nil }
  }

  private mutating func open(_ segment: OpenedSegment, _ sequence: Int) -> Bool {
    do throws(EnvelopeError) {
      try sealed.withBytes { (sealed) throws(EnvelopeError) in
        try associatedData.withBytes { (associatedData) throws(EnvelopeError) in
          try segment.open(sealed, sequence: sequence, authenticating: associatedData, into: &payload)
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
  private mutating func pass(
    _ type: RecordType, _ part: RecordPart, _ sequence: Int, mark: UInt64, of segment: OpenedSegment,
    _ body: (Item, RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    switch type {
    case .end: segment.end = segment.end ?? sequence
    case .begin: segment.previous = segment.previous ?? payload.withBytes { Self.previous($0) }
    case .log, .trace, .dropped: break
    }
    if part.isContinued { return try join(type, part, sequence, mark: mark, of: segment, body) }
    // The payload that was begun does not go on where it should.
    if segment.partial.next == sequence { try reportIncomplete(segment, to: sequence, body) }
    if part == .first {
      if segment.partial.next != nil { try reportIncomplete(segment, to: sequence, body) }
      return segment.partial.begin(type, sequence, mark: mark, clear: associatedData, payload: payload)
    }
    let origin = Origin(type: type, segment: segment.id, sequence: sequence, line: lineCount)
    try payload.withBytes { (payload) throws(EnvelopeError) in
      try associatedData.withBytes { (clear) throws(EnvelopeError) in
        try body(.record(origin), clear.extracting(droppingFirst: 9), payload)
      }
    }
  }

  /// Joins a part to those before it; a payload of which a part is missing is lost.
  private mutating func join(
    _ type: RecordType, _ part: RecordPart, _ sequence: Int, mark: UInt64, of segment: OpenedSegment,
    _ body: (Item, RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    let link = payload.withBytes { $0.bigEndianInteger(at: 0) }
    guard segment.partial.next == sequence, segment.partial.type == type, segment.partial.mark == link,
      isSameClear(segment), segment.partial.payload.byteCount + payload.byteCount <= Self.payloadByteLimit
    else {
      if part == .last { try reportIncomplete(segment, to: sequence, body) }
      return
    }
    payload.withBytes { segment.partial.payload.append($0.extracting(droppingFirst: RecordPart.linkByteCount)) }
    (segment.partial.next, segment.partial.mark) = (sequence + 1, mark)
    guard part == .last else { return }
    defer { segment.partial.drop() }
    let origin = Origin(type: type, segment: segment.id, sequence: segment.partial.first, line: lineCount)
    try segment.partial.payload.withBytes { (payload) throws(EnvelopeError) in
      try associatedData.withBytes { (clear) throws(EnvelopeError) in
        try body(.record(origin), clear.extracting(droppingFirst: 9), payload)
      }
    }
  }

  private func reportIncomplete(
    _ segment: OpenedSegment, to sequence: Int, _ body: (Item, RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    let first = segment.partial.next == nil ? sequence : min(segment.partial.first, sequence)
    let last = segment.partial.next.map { min($0 - 1, sequence) } ?? sequence
    segment.partial.drop()
    try body(.finding(finding(.incomplete, first...max(first, last))), RawSpan(), RawSpan())
  }

  private func isSameClear(_ segment: OpenedSegment) -> Bool {
    segment.partial.clear.withBytes { first in
      associatedData.withBytes { $0.extracting(droppingFirst: 9).comparePublicBytes(to: first) == 0 }
    }
  }

  private static func previous(_ payload: RawSpan) -> (salt: [UInt8], last: Int)? {
    guard payload.byteCount == 24 else { return nil }
    return ([UInt8](copying: payload.extracting(first: 16)), Int(payload.bigEndianInteger(at: 16)))
  }
}

extension OpenedSegment.Partial {
  mutating func begin(
    _ type: RecordType, _ sequence: Int, mark: UInt64, clear associatedData: borrowing GrowingBuffer,
    payload: borrowing GrowingBuffer
  ) {
    (self.type, first, next, self.mark) = (type, sequence, sequence + 1, mark)
    associatedData.withBytes { clear.append($0.extracting(droppingFirst: 9)) }
    self.payload.append(payload)
  }
}

extension RawSpan {
  func bigEndianInteger(at offset: Int) -> UInt64 {
    unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
