// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Opens lines of sealed logs and traces, and reports what is wrong with them (`Docs/Format.md`, section Records).
///
/// What comes out has verified. Records around a damaged one still open. Lines of other origins pass through as such,
/// and are not authenticated.
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
    /// A line of another origin, which is not authenticated.
    case other
    /// Something that is wrong.
    case finding(RecordFinding)
  }

  /// Receives what a line turns out to be.
  typealias Receiver = (Item, _ clear: RawSpan, _ payload: RawSpan) throws(EnvelopeError) -> Void

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
  var latest: OpenedSegment?
  var refused = RefusedHeaders()
  var line = RecordLine()
  // What is read of a line, in memory that is kept from line to line.
  var associatedData = GrowingBuffer()
  var sealed = GrowingBuffer()
  var payload = GrowingBuffer()
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
    case .damaged: try report(.altered, to: body)
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
    } catch let error as EnvelopeError
      where !EnvelopeError.Code.ofService.contains(error.code) && error.code != .systemFailure
    {
      keyring.observer?.observe(EnvelopeEvent(.openFailed, failure: error))
      try refused.insert(header, of: id, error)
    }
  }

  /// Passes something that is wrong with the line to `body`.
  func report(
    _ kind: RecordFinding.Kind, _ sequences: ClosedRange<Int>? = nil, error: EnvelopeError? = nil, to body: Receiver
  ) throws(EnvelopeError) {
    let finding = RecordFinding(kind, segment: line.segment, sequences: sequences, line: lineCount, error: error)
    try body(.finding(finding), RawSpan(), RawSpan())
  }

  private mutating func readHeader(_ bytes: RawSpan, _ body: Receiver) throws(EnvelopeError) {
    guard let id = line.segment, let header = line.headerBytes(in: bytes) else { return try report(.altered, to: body) }
    guard let known = segments[id] else { return try report(refused: header, of: id, body) }
    if known.records.line == 0 { known.records.line = lineCount }
    // One that opened stays: another header of the same name is not of this segment.
    if !known.isOf(header) { try report(.altered, to: body) }
  }

  mutating func report(refused header: [UInt8], of id: SegmentID, _ body: Receiver) throws(EnvelopeError) {
    guard let error = try refused.reason(for: header, of: id), refused.isNews(id) else { return }
    try report(.unopened, error: error, to: body)
  }
}
