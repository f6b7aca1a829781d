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
      if withBytes(of: name, in: line, { $0.isEmpty || $0.contains(0) }) { hasUnboundMember = true }
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
      if withBytes(of: outer, in: line, { $0.isNamed("annotations") }) { hasUnboundTraceMember = true }
    }
    let isMetadata = withBytes(of: outer, in: line) { $0.byteCount == 8 && $0.starts(with: "metadata") }
    let isEnvelope = withBytes(of: name, in: line) { $0.byteCount == 8 && $0.starts(with: "envelope") }
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
      $0.isBoundInTrace(isInner: isInner) || !isInner && $0.isNamed("annotations")
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
  func isText(_ text: StaticString?) -> Bool {
    guard let text, text.utf8CodeUnitCount == byteCount else { return false }
    for offset in 0..<byteCount where unsafe byte(at: offset) != text.utf8Start[offset] { return false }
    return true
  }
}

// What is read as it stands; the scanner of JSON reads what is rare.
extension RecordLine {
  mutating func skipBlanks(in line: RawSpan) {
    while let byte = line.byteIfAny(at: position), byte <= .space,
      byte.isBlank || byte == .carriageReturn || byte == .lineFeed
    {
      position += 1
    }
  }

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

extension RawSpan {
  /// The offset of the first byte that is not part of well-formed UTF-8, or nil; quick if all is ASCII.
  var firstOffsetOutsideUTF8Quickly: Int? {
    var offset = 0
    while offset + 8 <= byteCount {
      let bytes = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if bytes & 0x8080_8080_8080_8080 != 0 { break }
      offset += 8
    }
    return extracting(droppingFirst: offset).firstOffsetOutsideUTF8.map { $0 + offset }
  }

  /// The offset of the first byte from here on that ends or interrupts a string of JSON: a quote, a backslash or a control
  /// character; or the length.
  @inline(__always)
  package func endOfPlainString(from start: Int) -> Int {
    var offset = start
    // Eight bytes at once: a byte is marked if it is below 32, a quote or a backslash. A byte above one that is marked
    // may be marked wrongly, and the first is not.
    let (low, high): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    while offset + 8 <= byteCount {
      let bytes = unsafe UInt64(
        littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
      let quotes = bytes ^ (low &* 0x22)
      let backslashes = bytes ^ (low &* 0x5c)
      let controls = (bytes &- low &* 0x20) & ~bytes
      let marked = ((quotes &- low) & ~quotes | (backslashes &- low) & ~backslashes | controls) & high
      if marked != 0 { return offset + marked.trailingZeroBitCount / 8 }
      offset += 8
    }
    while offset < byteCount {
      let byte = byte(at: offset)
      if byte < 0x20 || byte == .doubleQuote || byte == .backslash { return offset }
      offset += 1
    }
    return byteCount
  }
}
