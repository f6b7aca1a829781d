// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// One JSON object of an opened log record: its clear members, then its sealed ones, objects of both merged.
///
/// A sealed member that has the name of a clear one is left out, unless both are objects, as `metadata` can be.
struct MergedRecord: ~Copyable {
  /// A member of an object, by its decoded name and where its value lies.
  struct Member {
    let name: [UInt8]
    let value: Range<Int>

    func isNamed(_ text: String) -> Bool { name.elementsEqual(text.utf8) }
  }

  private struct Pair {
    let object: [UInt8]?
    let name: [UInt8]
    let tag: ClearPairs.Tag
    let value: [UInt8]
  }

  /// The members that readers look for first.
  private static let firstNames = ["time", "level", "label"]
  /// The members that the command adds.
  private static let addedNames = ["segment", "sequence", "unauthenticated"]

  /// The object's text without its closing brace.
  private(set) var json = GrowingBuffer(capacity: 4096)
  private var isFirst = true

  /// Merges the members of a record.
  ///
  /// - Throws: `malformed` if the payload is not the text of a JSON object.
  mutating func merge(clear: RawSpan, payload: RawSpan) throws(EnvelopeError) {
    json.wipe()
    json.append(UInt8(ascii: "{"))
    isFirst = true
    let sealed = payload.isEmpty ? [] : try Self.members(of: payload)
    var pairs: [Pair] = []
    ClearPairs.forEach(in: clear) { object, name, tag, value in
      var outer: [UInt8]?
      if let object { outer = [UInt8](copying: object) }
      pairs.append(Pair(object: outer, name: [UInt8](copying: name), tag: tag, value: [UInt8](copying: value)))
    }
    var names = Set(Self.addedNames.map { Array($0.utf8) })
    let tops = pairs.filter { $0.object == nil }
    for rank in 0...Self.firstNames.count {
      for pair in tops where Self.rank(of: pair.name) == rank {
        guard names.insert(pair.name).inserted else { continue }
        appendName(pair.name)
        append(pair.tag, pair.value)
      }
    }
    // The pairs of an object lie together.
    var index = 0
    while index < pairs.count {
      guard let object = pairs[index].object else {
        index += 1
        continue
      }
      var end = index
      while end < pairs.count, pairs[end].object == object { end += 1 }
      if names.insert(object).inserted {
        let other = sealed.first { $0.name == object }
        try appendObject(object, pairs[index..<end], payload, other)
      }
      index = end
    }
    for member in sealed where names.insert(member.name).inserted {
      appendName(member.name)
      json.append(compact: payload.extracting(member.value))
    }
  }

  private static func rank(of name: [UInt8]) -> Int {
    firstNames.firstIndex { name.elementsEqual($0.utf8) } ?? firstNames.count
  }

  /// Appends the members of a clear object, and those of a sealed one of the same name.
  private mutating func appendObject(
    _ object: [UInt8], _ pairs: ArraySlice<Pair>, _ payload: RawSpan, _ sealed: Member?
  ) throws(EnvelopeError) {
    var names: Set<[UInt8]> = []
    appendName(object)
    json.append(UInt8(ascii: "{"))
    isFirst = true
    for pair in pairs where names.insert(pair.name).inserted {
      appendName(pair.name)
      append(pair.tag, pair.value)
    }
    if let sealed, payload.byteIfAny(at: sealed.value.lowerBound) == UInt8(ascii: "{") {
      let text = payload.extracting(sealed.value)
      for member in try Self.members(of: text) where names.insert(member.name).inserted {
        appendName(member.name)
        json.append(compact: text.extracting(member.value))
      }
    }
    json.append(UInt8(ascii: "}"))
    isFirst = false
  }

  private mutating func appendName(_ name: [UInt8]) {
    if !isFirst { json.append(UInt8(ascii: ",")) }
    isFirst = false
    json.append(quoted: name)
    json.append(UInt8(ascii: ":"))
  }

  private mutating func append(_ tag: ClearPairs.Tag, _ value: [UInt8]) {
    switch tag {
    case .string: json.append(quoted: value)
    case .true: json.append("true")
    case .false: json.append("false")
    case .number:
      let number = unsafe Double(bitPattern: value.span.bytes.bigEndianInteger(at: 0))
      let isInteger = number == number.rounded() && number.magnitude < 9_007_199_254_740_992 && !number.isZero
      let zero = number.sign == .minus ? "-0" : "0"
      json.append(text: isInteger ? "\(Int(number))" : number == 0 ? zero : "\(number)")
    }
  }

  /// Adds the segment and the sequence, and closes the object.
  mutating func finish(_ origin: RecordReader.Origin) {
    if !isFirst { json.append(UInt8(ascii: ",")) }
    json.append(text: "\"segment\":\"\(origin.segment)\",\"sequence\":\(origin.sequence)}")
  }

  /// The members of the object that a text is.
  ///
  /// - Throws: `malformed` if it is none, or not UTF-8.
  static func members(of text: RawSpan) throws(EnvelopeError) -> [Member] {
    guard text.firstOffsetOutsideUTF8 == nil else { throw EnvelopeError(.malformed, "The text is not UTF-8") }
    var members: [Member] = []
    var scanner = JSONScanner(at: 0)
    scanner.skipBlanks(in: text)
    guard text.byteIfAny(at: scanner.position) == UInt8(ascii: "{") else {
      throw EnvelopeError(.malformed, "The text is no JSON object")
    }
    try scanner.readObject(in: text) { (scanner, _, offset) throws(EnvelopeError) in
      var name: [UInt8] = []
      var names = JSONScanner(at: offset)
      try names.readString(in: text) { name.append($0) }
      let start = scanner.position
      try scanner.skipValue(in: text)
      members.append(Member(name: name, value: start..<scanner.position))
    }
    scanner.skipBlanks(in: text)
    guard scanner.position == text.byteCount else { throw EnvelopeError(.malformed, "Text follows the JSON object") }
    return members
  }
}

extension GrowingBuffer {
  /// Appends a text.
  mutating func append(text: String) { text.withUTF8Bytes { append($0) } }

  /// Appends a string of JSON; bytes that are not UTF-8 become replacement characters.
  mutating func append(quoted bytes: [UInt8]) {
    append(.doubleQuote)
    unsafe append(repairing: bytes.span.bytes)
    append(.doubleQuote)
  }

  /// Appends the content of a string of JSON; bytes that are not UTF-8 become replacement characters.
  mutating func append(repairing bytes: RawSpan) {
    guard bytes.firstOffsetOutsideUTF8 != nil else { return append(jsonContent: bytes) }
    String(decoding: [UInt8](copying: bytes), as: UTF8.self).withUTF8Bytes { append(jsonContent: $0) }
  }

  /// Appends JSON without the blanks between its parts, so that it is one line.
  mutating func append(compact json: RawSpan) {
    var offset = 0
    while offset < json.byteCount {
      let byte = json.byte(at: offset)
      if byte == .doubleQuote {
        var end = json.endOfPlainString(from: offset + 1)
        while json.byteIfAny(at: end) == .backslash { end = json.endOfPlainString(from: end + 2) }
        append(json.extracting(offset..<min(end + 1, json.byteCount)))
        offset = end + 1
      } else {
        if !byte.isBlank, byte != .lineFeed, byte != .carriageReturn { append(byte) }
        offset += 1
      }
    }
  }
}
