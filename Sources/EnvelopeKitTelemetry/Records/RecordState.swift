// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  /// What a writer changes under its lock: the segment, its lines and the sink.
  struct RecordState: ~Copyable, Sendable {
    /// The longest line with its line feed in bytes: what CloudWatch Logs takes as one event, less the 26 bytes that it adds.
    static let lineByteLimit = 1_048_550
    /// After so many records the header is repeated, so that a log opens from the middle.
    private static let headerInterval = 256
    /// More than a line has beside its clear members and what is sealed.
    private static let memberByteLimit = 4096

    private let limits: SegmentLimits
    private let overheadByteCount: Int
    private var output: RecordOutput
    private var segment: WritableSegment?
    /// The next segment, made ahead.
    var spare: WritableSegment?
    private(set) var droppedCount: UInt64 = 0
    private var isClosed = false
    // The current segment's texts, and how much of its limits is used.
    private var began = RecordTime(milliseconds: 0)
    private var byteCount = 0
    private var previous: (salt: [UInt8], last: Int)?
    // Fetching the next data key.
    private var isFetching = false
    private var failureCount = 0
    private var nextFetch = RecordTime(milliseconds: .min)
    // Filled again and again.
    private var line = GrowingBuffer(capacity: 1024)
    private var associatedData = GrowingBuffer()
    private var sealed = GrowingBuffer(capacity: 1024)
    private var joined = GrowingBuffer(capacity: 16)
    /// Whether the header has to be written before the next record.
    private var needsHeader = false
    /// Whether the last line was written in part.
    private var isTorn = false

    init(_ output: consuming RecordOutput, _ limits: SegmentLimits, _ suite: AlgorithmSuite) {
      self.output = output
      self.limits = limits
      overheadByteCount = suite.aead.overheadByteCount
    }

    var headerByteCount: Int { segment?.header.count ?? 0 }
    var isLocked: Bool { segment?.segment.isLocked ?? false }

    /// Seals and writes a record, in several parts if it is long.
    mutating func write(_ type: RecordType, _ text: RecordText, at now: RecordTime) -> EnvelopeError? {
      let partByteCount = partByteCount(beside: text)
      let partCount = max(1, (text.payload.byteCount + partByteCount - 1) / max(partByteCount, 1))
      guard !isClosed, partByteCount > 0, text.payload.byteCount <= RecordReader.payloadByteLimit,
        text.clear.byteCount <= RecordSegment.clearByteLimit, output.takesMore()
      else {
        droppedCount &+= 1
        return nil
      }
      var failure: EnvelopeError?
      // A record of what was dropped may come before and after, and the end is always possible.
      let needed = partCount + 3
      if isDue(at: now, for: needed), spare != nil { failure = begin(at: now) }
      guard let segment, segment.nextSequence + needed <= RecordSegment.recordLimit else {
        droppedCount &+= 1
        return failure
      }
      var isSealed = false
      do throws(EnvelopeError) {
        try writeBegin()
        if droppedCount > 0 {
          try writeDropped()
          guard output.takesMore() else {
            droppedCount &+= 1
            return failure
          }
        }
        try text.payload.withBytes { (payload) throws(EnvelopeError) in
          for index in 0..<partCount {
            let part = payload.extracting(droppingFirst: index * partByteCount).extracting(first: partByteCount)
            let sequence = segment.nextSequence
            defer { isSealed = index == partCount - 1 && segment.nextSequence > sequence }
            try writeRecord(type, Self.part(index, of: partCount), text, part)
          }
        }
      } catch {
        failure = error
        // A record that has a sequence shows as missing.
        if !isSealed { droppedCount &+= 1 }
      }
      return failure
    }

    /// How many bytes of a payload fit into a line.
    private func partByteCount(beside text: RecordText) -> Int {
      let others = Self.memberByteLimit + text.members.byteCount + (segment?.header.count ?? 0)
      return (Self.lineByteLimit - others) / 4 * 3 - overheadByteCount - RecordPart.linkByteCount
    }

    private static func part(_ index: Int, of count: Int) -> RecordPart {
      if count == 1 { return .whole }
      return index == 0 ? .first : index == count - 1 ? .last : .middle
    }

    /// Whether the segment has reached a limit.
    private func isDue(at now: RecordTime, for count: Int) -> Bool {
      guard let segment else { return true }
      return segment.nextSequence + count > limits.recordCount || byteCount >= limits.byteCount
        || now.isAfter(began, by: limits.duration.milliseconds) || output.isDue(at: now)
    }

    /// Ends the segment, if there is one, and begins the next.
    mutating func begin(at now: RecordTime) -> EnvelopeError? {
      let failure = endSegment(at: now)
      guard let next = spare else { return failure }
      (segment, spare, needsHeader) = (next, nil, true)
      (began, byteCount) = (now, 0)
      do throws(EnvelopeError) {
        try writeBegin()
        return failure
      } catch {
        return error
      }
    }

    /// Writes the first record of the segment, if it has none yet.
    private mutating func writeBegin() throws(EnvelopeError) {
      guard segment?.nextSequence == 0 else { return }
      let text = RecordText()
      if let previous {
        text.payload.append(previous.salt)
        text.payload.append(bigEndian: UInt64(previous.last))
      }
      try writeRecord(.begin, text)
    }

    private mutating func endSegment(at now: RecordTime) -> EnvelopeError? {
      guard let ended = segment else { return nil }
      defer {
        previous = (ended.segment.salt, max(ended.nextSequence - 1, 0))
        segment = nil
      }
      do throws(EnvelopeError) {
        try writeBegin()
        if droppedCount > 0, ended.nextSequence + 2 <= RecordSegment.recordLimit { try writeDropped() }
        try writeRecord(.end, RecordText())
        try output.rotate(after: ended.segment.id, at: now)
        return nil
      } catch {
        return error
      }
    }

    private mutating func writeDropped() throws(EnvelopeError) {
      let text = RecordText()
      text.payload.append(bigEndian: droppedCount)
      try writeRecord(.dropped, text)
      droppedCount = 0
    }

    private mutating func writeRecord(_ type: RecordType, _ text: RecordText) throws(EnvelopeError) {
      try text.payload.withBytes { (payload) throws(EnvelopeError) in try writeRecord(type, .whole, text, payload) }
    }

    private mutating func writeRecord(
      _ type: RecordType, _ part: RecordPart, _ text: RecordText, _ payload: RawSpan
    ) throws(EnvelopeError) {
      guard let segment else { return }
      let sequence = segment.nextSequence
      if needsHeader || sequence > 0 && sequence % Self.headerInterval == 0 { try writeHeader() }
      associatedData.remove()
      sealed.remove()
      segment.segment.appendAssociatedData(type, part, to: &associatedData)
      associatedData.append(text.clear)
      if part.isContinued {
        joined.append(bigEndian: segment.segment.lastMark)
        joined.append(payload)
        try Self.seal(joined, authenticating: associatedData, in: segment, into: &sealed)
        joined.wipe()
      } else {
        try associatedData.withBytes { (associatedData) throws(EnvelopeError) in
          try segment.segment.seal(payload, authenticating: associatedData, into: &sealed)
        }
      }
      beginLine()
      line.append("{")
      line.append(text.members)
      if text.members.byteCount > 0 { line.append(",") }
      if type == .trace {
        line.append("\"metadata\":{\"envelope\":{\"header\":\"")
        line.append(segment.header)
        line.append("\",")
      }
      appendOwnMembers(segment, sequence, type, part)
      line.append(type == .trace ? "\"}}}\n" : "\"}\n")
      try writeLine()
    }

    private static func seal(
      _ payload: borrowing GrowingBuffer, authenticating associatedData: borrowing GrowingBuffer,
      in segment: WritableSegment, into sealed: inout GrowingBuffer
    ) throws(EnvelopeError) {
      try payload.withBytes { (payload) throws(EnvelopeError) in
        try associatedData.withBytes { (associatedData) throws(EnvelopeError) in
          try segment.segment.seal(payload, authenticating: associatedData, into: &sealed)
        }
      }
    }

    private mutating func appendOwnMembers(
      _ segment: WritableSegment, _ sequence: Int, _ type: RecordType, _ part: RecordPart
    ) {
      line.append("\"segment\":\"")
      line.append(segment.name)
      line.append("\",\"sequence\":")
      line.append(decimal: UInt64(sequence))
      if let name = type.name {
        line.append(",\"record\":\"")
        line.append(name)
        line.append(UInt8.doubleQuote)
      }
      if let name = part.name {
        line.append(",\"part\":\"")
        line.append(name)
        line.append(UInt8.doubleQuote)
      }
      line.append(",\"sealed\":\"")
      line.append(base64URL: sealed)
    }

    private mutating func writeHeader() throws(EnvelopeError) {
      guard let segment else { return }
      beginLine()
      line.append("{\"segment\":\"")
      line.append(segment.name)
      line.append("\",\"header\":\"")
      line.append(segment.header)
      line.append("\"}\n")
      needsHeader = true
      try writeLine()
      // A header is not counted among the segment's bytes: with many keys it is longer than small limits.
      byteCount -= line.byteCount
      needsHeader = false
    }

    private mutating func beginLine() {
      line.remove()
      if isTorn { line.append(UInt8.lineFeed) }
    }

    private mutating func writeLine() throws(EnvelopeError) {
      byteCount += line.byteCount
      isTorn = true
      try line.withBytes { (line) throws(EnvelopeError) in try output.write(line) }
      isTorn = false
    }

    /// Writes what was dropped, and waits until the disk has what was written.
    mutating func flush(at now: RecordTime) -> EnvelopeError? {
      do throws(EnvelopeError) {
        if droppedCount > 0, !isClosed, let next = segment?.nextSequence, next > 0,
          next + 3 <= RecordSegment.recordLimit, output.takesMore()
        {
          try writeDropped()
        }
        try output.sync()
        return nil
      } catch {
        return error
      }
    }

    mutating func close(at now: RecordTime) -> EnvelopeError? {
      guard !isClosed else { return nil }
      isClosed = true
      var failure = output.takesMore() ? endSegment(at: now) : nil
      do throws(EnvelopeError) { try output.sync() } catch { failure = failure ?? error }
      spare = nil
      output.close()
      return failure
    }
  }

  // Fetching the next data key ahead of need.
  extension RecordState {
    /// Whether a data key is to be fetched now: half of a limit is used, and none is there or on its way.
    mutating func startsFetching(at now: RecordTime) -> Bool {
      guard !isClosed, !isFetching, spare == nil, isHalfDue(at: now),
        now.milliseconds >= nextFetch.milliseconds
          || now.milliseconds < nextFetch.milliseconds - 60_000
      else {
        return false
      }
      isFetching = true
      return true
    }

    private func isHalfDue(at now: RecordTime) -> Bool {
      guard let next = segment?.nextSequence else { return true }
      return next >= limits.recordCount / 2 || byteCount >= limits.byteCount / 2 || output.isDue(at: now)
        || now.isAfter(began, by: limits.duration.milliseconds / 2)
    }

    mutating func finishFetching(_ made: WritableSegment) {
      (isFetching, failureCount) = (false, 0)
      if !isClosed { spare = made }
    }

    /// Waits longer after each failure, up to a minute: by the clock of the records, not by a timer.
    mutating func failFetching(at now: RecordTime) {
      isFetching = false
      failureCount += 1
      nextFetch = RecordTime(milliseconds: now.milliseconds + min(60_000, 500 << Int64(min(failureCount, 8))))
    }
  }
#endif
