// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Reads lines of sealed records in place, and keeps its memory from line to line (`Docs/Format.md`, section Records).
package struct RecordLine: ~Copyable {
  /// What a line is, as far as its form shows without a key.
  package enum Form: Sendable {
    /// A line of another origin.
    case other
    /// A line with members of an envelope that is cut, or not of the form that records have.
    case damaged
    /// The header of a segment, and no record.
    case header
    /// A record; with a header too, if it is one of a trace.
    case record
  }

  /// A name or a string of the line: in the line itself or, if it has escapes, among the texts.
  struct Piece {
    var start: Int
    var count: Int
    var isText = false
  }

  /// A clear member.
  struct Pair {
    var name: Piece
    var tag: ClearPairs.Tag
    var value: Piece
    /// Whether it is a member of an object.
    var isInner = false
  }

  /// The longest line that is read in bytes; those that are written have at most 1,048,550.
  package static let byteLimit = 1 << 21

  /// The longest name of a member that is an object, in bytes: it is repeated for each of the object's members.
  static let objectNameByteLimit = 255

  package internal(set) var segment: SegmentID?
  package internal(set) var sequence: Int?
  package internal(set) var type = RecordType.log
  package internal(set) var part = RecordPart.whole
  var sealed: Piece?
  var header: Piece?
  /// The own members that were seen, one bit each.
  var seen: UInt8 = 0
  /// Whether own members are not what they are in a record.
  var isUnsupported = false
  /// Whether other members are not what clear members can be.
  var hasUnboundMember = false
  /// Whether that is so of a member that is clear in an X-Ray document.
  var hasUnboundTraceMember = false
  /// The names of members that are objects.
  var objects: [Piece] = []
  /// Whether own members stand at the top, or in the metadata of an X-Ray document.
  var (isAtTop, isInMetadata) = (false, false)
  var position = 0
  /// The text and the name of the segment of the line before: most lines have the same.
  var lastSegment: (first: UInt64, last: UInt32, id: SegmentID)?
  var pairs: [Pair] = []
  /// Unescaped strings, joined names and numbers.
  var texts = GrowingBuffer()

  package init() {}

  /// Reads a line, without its line feed.
  package mutating func read(_ line: RawSpan) -> Form {
    reset()
    guard line.byteCount <= Self.byteLimit else { return .other }
    skipBlanks(in: line)
    guard line.byteIfAny(at: position) == UInt8(ascii: "{") else { return .other }
    guard line.firstOffsetOutsideUTF8 == nil else { return formOfText(line) }
    do throws(EnvelopeError) {
      try readObject(of: nil, in: line)
      skipBlanks(in: line)
      guard position == line.byteCount else { throw .notRecord }
    } catch {
      return formOfText(line)
    }
    let isNamed = seen & OwnMember.segment.bit != 0 && seen & OwnMember.sequence.bit != 0
    guard seen & OwnMember.sealed.bit != 0 || isNamed || hasHeader(in: line) else { return .other }
    guard let form, !isUnsupported, !(isInMetadata && isAtTop) else { return .damaged }
    return form
  }

  /// What a line is that is not JSON.
  private func formOfText(_ line: RawSpan) -> Form {
    line.contains("\"sealed\"") || line.contains("\"ek1:") ? .damaged : .other
  }

  private var form: Form? {
    guard segment != nil else { return nil }
    guard sealed != nil else {
      let isBare = seen == OwnMember.segment.bit | OwnMember.header.bit && isAtTop
      return hasHeader && isBare && pairs.isEmpty && !hasUnboundMember ? .header : nil
    }
    // An X-Ray document is opened by itself, and services add members to it.
    guard sequence != nil, (type == .trace) == isInMetadata, hasHeader == isInMetadata else { return nil }
    return (isInMetadata ? !hasUnboundTraceMember : !hasUnboundMember) ? .record : nil
  }

  private func hasHeader(in line: RawSpan) -> Bool {
    guard let header else { return false }
    return withBytes(of: header, in: line) { $0.starts(with: EnvelopeText.headerPrefix) }
  }

  private mutating func reset() {
    (segment, sequence, type, part, sealed, header) = (nil, nil, .log, .whole, nil, nil)
    (seen, isUnsupported, hasUnboundMember, isAtTop, isInMetadata, position) = (0, false, false, false, false, 0)
    hasUnboundTraceMember = false
    objects.removeAll(keepingCapacity: true)
    pairs.removeAll(keepingCapacity: true)
    texts.remove()
  }

  /// Gives access to the text of a piece, which is valid only inside `body`.
  func withBytes<R, E: Error>(of piece: Piece, in line: RawSpan, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    guard piece.isText else { return try body(line.extracting(piece.start..<piece.start + piece.count)) }
    return try texts.withBytes { (texts) throws(E) in
      try body(texts.extracting(piece.start..<piece.start + piece.count))
    }
  }

  /// The header's bytes, if the line has one that is canonical text.
  package func headerBytes(in line: RawSpan) -> [UInt8]? {
    guard let header else { return nil }
    return withBytes(of: header, in: line) { text in
      let prefix = EnvelopeText.headerPrefix
      guard text.starts(with: prefix) else { return nil }
      let digits = text.extracting(droppingFirst: prefix.utf8.count)
      var isCanonical = false
      let bytes = [UInt8].appending(capacity: Base64URL.decodedLength(of: digits.byteCount)) { output in
        isCanonical = Base64URL.append(decoding: digits, to: &output)
      }
      return isCanonical ? bytes : nil
    }
  }

  /// Whether the line has a header, of whatever form.
  package var hasHeader: Bool { header != nil }

  /// Where the text of the header lies in the line; nil if it has escapes, or there is none.
  package var headerRange: Range<Int>? {
    header.flatMap { $0.isText ? nil : $0.start..<$0.start + $0.count }
  }

  /// Appends the sealed bytes; returns false if their text is not canonical.
  func appendSealed(in line: RawSpan, to output: inout GrowingBuffer) -> Bool {
    guard let sealed else { return false }
    let byteCount = Base64URL.decodedLength(of: sealed.count)
    return withBytes(of: sealed, in: line) { text in
      var isCanonical = false
      output.append(capacity: byteCount) { output in isCanonical = Base64URL.append(decoding: text, to: &output) }
      return isCanonical
    }
  }
}

/// The members of a line that belong to the envelope.
enum OwnMember: UInt8, CaseIterable {
  case segment, sequence, record, part, sealed, header

  var bit: UInt8 { 1 << rawValue }

  @inline(__always)
  init?(_ name: RawSpan) {
    switch (name.byteCount, name.byteIfAny(at: 2)) {
    case (7, UInt8(ascii: "g")) where name.isText("segment"): self = .segment
    case (8, UInt8(ascii: "q")) where name.isText("sequence"): self = .sequence
    case (6, UInt8(ascii: "a")) where name.isText("sealed"): self = .sealed
    case (6, UInt8(ascii: "a")) where name.isText("header"): self = .header
    case (6, UInt8(ascii: "c")) where name.isText("record"): self = .record
    case (4, UInt8(ascii: "r")) where name.isText("part"): self = .part
    default: return nil
    }
  }
}

extension EnvelopeError {
  static let notRecord = EnvelopeError(.malformed, "The line is no sealed record")
}
