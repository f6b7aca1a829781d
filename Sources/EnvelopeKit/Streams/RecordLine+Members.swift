// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension RecordLine {
  /// Reads the object that begins here.
  ///
  /// - Parameters:
  ///   - outer: The name of the member whose value the object is; nil at the top.
  ///   - line: The line.
  mutating func readObject(of outer: Piece?, in line: RawSpan) throws(EnvelopeError) {
    position += 1
    skipBlanks(in: line)
    if line.byteIfAny(at: position) == UInt8(ascii: "}") {
      position += 1
      // An empty object has no pair that would bind it.
      if outer != nil { hasUnboundMember = true }
      return
    }
    while true {
      skipBlanks(in: line)
      let name = try readString(in: line)
      skipBlanks(in: line)
      try take(UInt8(ascii: ":"), in: line)
      skipBlanks(in: line)
      try readMember(name, of: outer, in: line)
      skipBlanks(in: line)
      guard line.byteIfAny(at: position) == UInt8(ascii: ",") else { break }
      position += 1
    }
    try take(UInt8(ascii: "}"), in: line)
  }

  private mutating func readMember(_ name: Piece, of outer: Piece?, in line: RawSpan) throws(EnvelopeError) {
    guard let outer else {
      if let own = withBytes(of: name, in: line, { OwnMember($0) }) {
        isAtTop = true
        return try read(own, in: line)
      }
      // A zero byte stands in the line as an escape.
      if name.count == 0 || name.isText && withBytes(of: name, in: line, { $0.contains(0) }) { hasUnboundMember = true }
      guard line.byteIfAny(at: position) == UInt8(ascii: "{") else {
        return try readPair(name, isInner: false, in: line)
      }
      guard name.count <= Self.objectNameByteLimit else {
        hasUnboundMember = true
        return try skipValue(in: line)
      }
      objects.append(name)
      return try readObject(of: name, in: line)
    }
    if name.count == 0 {
      hasUnboundMember = true
      if withBytes(of: outer, in: line, { $0.isText("annotations") }) { hasUnboundTraceMember = true }
    }
    let isMetadata = withBytes(of: outer, in: line) { $0.isText("metadata") }
    let isEnvelope = withBytes(of: name, in: line) { $0.isText("envelope") }
    if isMetadata, isEnvelope, line.byteIfAny(at: position) == UInt8(ascii: "{") {
      isUnsupported = isUnsupported || isInMetadata
      isInMetadata = true
      return try readEnvelope(in: line)
    }
    try readPair(joined(outer, name, in: line), isInner: true, in: line)
  }

  /// Reads the object of own members in the metadata of an X-Ray document.
  private mutating func readEnvelope(in line: RawSpan) throws(EnvelopeError) {
    position += 1
    while true {
      skipBlanks(in: line)
      let name = try readString(in: line)
      skipBlanks(in: line)
      try take(UInt8(ascii: ":"), in: line)
      skipBlanks(in: line)
      if let own = withBytes(of: name, in: line, { OwnMember($0) }) {
        try read(own, in: line)
      } else {
        isUnsupported = true
        try skipValue(in: line)
      }
      skipBlanks(in: line)
      guard line.byteIfAny(at: position) == UInt8(ascii: ",") else { break }
      position += 1
    }
    try take(UInt8(ascii: "}"), in: line)
  }

  /// The name of a member of an object: the object's name, a zero byte and the member's name.
  private mutating func joined(_ outer: Piece, _ name: Piece, in line: RawSpan) -> Piece {
    let start = texts.byteCount
    for (index, piece) in [outer, name].enumerated() {
      if index == 1 { texts.append(0) }
      if piece.isText {
        // The texts move if they grow, so the bytes are copied one by one.
        for offset in piece.start..<piece.start + piece.count {
          texts.append(texts.withBytes { $0.byte(at: offset) })
        }
      } else {
        texts.append(line.extracting(piece.start..<piece.start + piece.count))
      }
    }
    return Piece(start: start, count: texts.byteCount - start, isText: true)
  }

  private mutating func readPair(_ name: Piece, isInner: Bool, in line: RawSpan) throws(EnvelopeError) {
    let start = position
    switch line.byteIfAny(at: position) {
    case .doubleQuote?:
      pairs.append(Pair(name: name, tag: .string, value: try readString(in: line), isInner: isInner))
    case UInt8(ascii: "t")?, UInt8(ascii: "f")?:
      try skipValue(in: line)
      let isTrue = line.byte(at: start) == UInt8(ascii: "t")
      pairs.append(Pair(name: name, tag: isTrue ? .true : .false, value: Piece(start: 0, count: 0), isInner: isInner))
    case let byte? where byte.isDigit || byte == UInt8(ascii: "-"):
      try skipValue(in: line)
      let text = String(decoding: [UInt8](copying: line.extracting(start..<position)), as: UTF8.self)
      guard let number = Double(text), number.isFinite else { return refusePair(name, isInner: isInner, in: line) }
      let value = Piece(start: texts.byteCount, count: 8, isText: true)
      texts.append(bigEndian: number.bitPattern)
      pairs.append(Pair(name: name, tag: .number, value: value, isInner: isInner))
    default:
      // Arrays, null and objects in objects.
      try skipValue(in: line)
      refusePair(name, isInner: isInner, in: line)
    }
  }

  private mutating func refusePair(_ name: Piece, isInner: Bool, in line: RawSpan) {
    hasUnboundMember = true
    let isClear = withBytes(of: name, in: line) {
      $0.isBoundInTrace(isInner: isInner) || !isInner && $0.isText("annotations")
    }
    if isClear { hasUnboundTraceMember = true }
  }

  private mutating func read(_ member: OwnMember, in line: RawSpan) throws(EnvelopeError) {
    if seen & member.bit != 0 { isUnsupported = true }
    seen |= member.bit
    let start = position
    switch (member, line.byteIfAny(at: position)) {
    case (.segment, .doubleQuote?):
      let piece = try readString(in: line)
      segment = segmentID(of: piece, in: line)
      isUnsupported = isUnsupported || segment == nil
    case (.sealed, .doubleQuote?): sealed = try readString(in: line)
    case (.header, .doubleQuote?): header = try readString(in: line)
    case (.record, .doubleQuote?):
      let piece = try readString(in: line)
      let named = withBytes(of: piece, in: line) { text in RecordType.allCases.first { text.isText($0.name) } }
      if let named { type = named } else { isUnsupported = true }
    case (.part, .doubleQuote?):
      let piece = try readString(in: line)
      let named = withBytes(of: piece, in: line) { text in RecordPart.named.first { text.isText($0.name) } }
      if let named { part = named } else { isUnsupported = true }
    case (.sequence, let byte?) where byte.isDigit:
      while let byte = line.byteIfAny(at: position), byte.isDigit { position += 1 }
      // Another form of a number goes on here, or begins with a zero.
      if position - start > 1 && byte == UInt8(ascii: "0")
        || line.byteIfAny(at: position).map({ $0 | 0x20 }) == UInt8(ascii: "e")
        || line.byteIfAny(at: position) == UInt8(ascii: ".")
      {
        position = start
        try skipValue(in: line)
      }
      sequence = Self.sequence(line.extracting(start..<position))
      isUnsupported = isUnsupported || sequence == nil
    default:
      isUnsupported = true
      try skipValue(in: line)
    }
  }

  private mutating func segmentID(of piece: Piece, in line: RawSpan) -> SegmentID? {
    guard !piece.isText, piece.count == SegmentID.characterCount else {
      return withBytes(of: piece, in: line) { SegmentID(text: $0) }
    }
    let first = unsafe line.unsafeLoadUnaligned(fromByteOffset: piece.start, as: UInt64.self)
    let last = unsafe line.unsafeLoadUnaligned(fromByteOffset: piece.start + 8, as: UInt32.self)
    if let known = lastSegment, known.first == first, known.last == last { return known.id }
    let id = withBytes(of: piece, in: line) { SegmentID(text: $0) }
    if let id { lastSegment = (first, last, id) }
    return id
  }

  private static func sequence(_ digits: RawSpan) -> Int? {
    guard let number = Int(decimal: digits), number < RecordSegment.recordLimit, digits.byteCount <= 5 else {
      return nil
    }
    return number
  }
}

extension RawSpan {
  /// Whether the bytes are those of a text.
  @inline(__always)
  func isText(_ text: StaticString?) -> Bool {
    guard let text, text.utf8CodeUnitCount == byteCount else { return false }
    for offset in 0..<text.utf8CodeUnitCount where unsafe byte(at: offset) != text.utf8Start[offset] { return false }
    return true
  }
}

// What is read as it stands; the scanner of JSON reads what is rare.
extension RecordLine {
  @inline(__always)
  mutating func skipBlanks(in line: RawSpan) {
    while let byte = line.byteIfAny(at: position), byte <= .space,
      byte.isBlank || byte == .carriageReturn || byte == .lineFeed
    {
      position += 1
    }
  }

  @inline(__always)
  private mutating func take(_ byte: UInt8, in line: RawSpan) throws(EnvelopeError) {
    guard line.byteIfAny(at: position) == byte else { throw .notRecord }
    position += 1
  }

  private mutating func skipValue(in line: RawSpan) throws(EnvelopeError) {
    var scanner = JSONScanner(at: position)
    try scanner.skipValue(in: line)
    position = scanner.position
  }

  /// Reads the string that begins here.
  private mutating func readString(in line: RawSpan) throws(EnvelopeError) -> Piece {
    try take(.doubleQuote, in: line)
    let start = position
    position = line.endOfPlainString(from: start)
    switch line.byteIfAny(at: position) {
    case .doubleQuote?:
      position += 1
      return Piece(start: start, count: position - 1 - start)
    case .backslash?:
      var scanner = JSONScanner(at: start - 1)
      let textStart = texts.byteCount
      try scanner.readString(in: line) { texts.append($0) }
      position = scanner.position
      return Piece(start: textStart, count: texts.byteCount - textStart, isText: true)
    default:
      throw .notRecord
    }
  }
}
