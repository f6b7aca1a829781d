// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The canonical form of a record's clear pairs, which its seal covers (`Docs/Format.md`, section Records).
public enum ClearPairs {
  /// What the first byte of a value says of it.
  public enum Tag: UInt8, Sendable {
    /// The UTF-8 bytes of a string follow.
    case string = 0
    /// The eight bytes of an IEEE 754 double follow.
    case number = 1
    /// False, which nothing follows.
    case `false` = 2
    /// True, which nothing follows.
    case `true` = 3
  }

  /// Appends a pair with the value of a string.
  @inline(__always)
  package static func append(_ name: StaticString, _ value: RawSpan, to output: inout GrowingBuffer) {
    output.append(bigEndian: UInt16(name.utf8CodeUnitCount))
    output.append(name)
    append(.string, value, to: &output)
  }

  /// Appends a pair with the value of a string that is a member of an object.
  package static func append(
    _ name: RawSpan, of object: StaticString, _ value: RawSpan, to output: inout GrowingBuffer
  ) {
    append(name, of: object, .string, value, to: &output)
  }

  /// Appends a pair with a value of any type that is a member of an object.
  package static func append(
    _ name: RawSpan, of object: StaticString, _ tag: Tag, _ value: RawSpan, to output: inout GrowingBuffer
  ) {
    output.append(bigEndian: UInt16(object.utf8CodeUnitCount + 1 + name.byteCount))
    output.append(object)
    output.append(0)
    output.append(name)
    append(tag, value, to: &output)
  }

  /// Appends a pair with a value of any type.
  package static func append(_ name: RawSpan, _ tag: Tag, _ value: RawSpan, to output: inout GrowingBuffer) {
    output.append(bigEndian: UInt16(name.byteCount))
    output.append(name)
    append(tag, value, to: &output)
  }

  private static func append(_ tag: Tag, _ value: RawSpan, to output: inout GrowingBuffer) {
    output.append(bigEndian: UInt16(value.byteCount + 1))
    output.append(tag.rawValue)
    output.append(value)
  }

  /// Passes each pair of a canonical form to `body`: the object that it is a member of, if any, its name and its value.
  ///
  /// - Throws: What `body` throws.
  public static func forEach<E: Error>(
    in canonical: RawSpan, _ body: (_ object: RawSpan?, _ name: RawSpan, _ tag: Tag, _ value: RawSpan) throws(E) -> Void
  ) throws(E) {
    var rest = canonical
    while rest.byteCount >= 2 {
      let nameCount = length(at: 0, in: rest)
      let name = rest.extracting(droppingFirst: 2).extracting(first: nameCount)
      rest = rest.extracting(droppingFirst: 2 + nameCount)
      let valueCount = length(at: 0, in: rest)
      let value = rest.extracting(droppingFirst: 2).extracting(first: valueCount)
      rest = rest.extracting(droppingFirst: 2 + valueCount)
      guard let tag = value.byteIfAny(at: 0).flatMap({ Tag(rawValue: $0) }) else { return }
      let content = value.extracting(droppingFirst: 1)
      let zero = (0..<name.byteCount).first { name.byte(at: $0) == 0 }
      if let zero {
        try body(name.extracting(first: zero), name.extracting(droppingFirst: zero + 1), tag, content)
      } else {
        try body(nil, name, tag, content)
      }
    }
  }

  private static func length(at offset: Int, in bytes: RawSpan) -> Int {
    Int(bytes.byteIfAny(at: offset) ?? 0) << 8 | Int(bytes.byteIfAny(at: offset + 1) ?? 0)
  }
}

extension RecordLine {
  /// Appends the canonical form of the line's clear pairs.
  ///
  /// - Returns: False if it is too long, or a name is there twice.
  mutating func appendClearPairs(in line: RawSpan, to output: inout GrowingBuffer) -> Bool {
    let start = output.byteCount
    if isInMetadata {
      guard hasOneOfEachTraceMember(in: line) else { return false }
      let all = pairs
      pairs.removeAll(keepingCapacity: true)
      for pair in all where withBytes(of: pair.name, in: line, { $0.isBoundInTrace(isInner: pair.isInner) }) {
        pairs.append(pair)
      }
    } else if !objects.isEmpty, !hasDistinctObjects(in: line) {
      return false
    }
    if pairs.count > 1 { sortPairs(in: line) }
    for index in pairs.indices {
      let pair = pairs[index]
      guard index == 0 || compare(pairs[index - 1].name, pair.name, in: line) < 0 else { return false }
      guard pair.name.count < 1 << 16, pair.value.count < (1 << 16) - 1,
        output.byteCount - start + 5 + pair.name.count + pair.value.count <= RecordSegment.clearByteLimit
      else { return false }
      withBytes(of: pair.name, in: line) { name in
        withBytes(of: pair.value, in: line) { ClearPairs.append(name, pair.tag, $0, to: &output) }
      }
    }
    return true
  }

  /// Whether no clear member of an X-Ray document is an object, but the annotations, once.
  private func hasOneOfEachTraceMember(in line: RawSpan) -> Bool {
    var hasAnnotations = false
    for object in objects {
      let (isAnnotations, isOther) = withBytes(of: object, in: line) {
        ($0.isText("annotations"), $0.isBoundInTrace(isInner: false))
      }
      if isOther || isAnnotations && hasAnnotations { return false }
      hasAnnotations = hasAnnotations || isAnnotations
    }
    return !pairs.contains { pair in !pair.isInner && withBytes(of: pair.name, in: line) { $0.isText("annotations") } }
  }

  /// Whether no object has the name of another member.
  private func hasDistinctObjects(in line: RawSpan) -> Bool {
    guard objects.count <= 16 else { return false }
    for index in objects.indices {
      for other in objects[..<index] where compare(other, objects[index], in: line) == 0 { return false }
      for pair in pairs where compare(pair.name, objects[index], in: line) == 0 { return false }
    }
    return true
  }

  private mutating func sortPairs(in line: RawSpan) {
    var sorted = pairs
    pairs = []
    defer { pairs = sorted }
    guard sorted.count <= 16 else { return sorted.sort { compare($0.name, $1.name, in: line) < 0 } }
    // Few pairs are moved where they are.
    var span = sorted.mutableSpan
    for index in 1..<span.count {
      let pair = span[index]
      var hole = index
      while hole > 0, compare(pair.name, span[hole - 1].name, in: line) < 0 {
        span[hole] = span[hole - 1]
        hole -= 1
      }
      if hole < index { span[hole] = pair }
    }
  }

  private func compare(_ a: Piece, _ b: Piece, in line: RawSpan) -> Int {
    withBytes(of: a, in: line) { a in withBytes(of: b, in: line) { b in a.comparePublicBytes(to: b) } }
  }
}

extension RawSpan {
  /// Whether a clear member of this name of an X-Ray document is bound to its seal; services add and move others.
  func isBoundInTrace(isInner: Bool) -> Bool {
    guard !isInner else { return starts(with: "annotations\0") }
    return isText("name") || isText("id") || isText("start_time") || isText("end_time")
  }

  /// Compares bytes that are not secret: negative if these come first, zero if they are the same.
  func comparePublicBytes(to other: RawSpan) -> Int {
    for offset in 0..<Swift.min(byteCount, other.byteCount) where byte(at: offset) != other.byte(at: offset) {
      return Int(byte(at: offset)) - Int(other.byte(at: offset))
    }
    return byteCount - other.byteCount
  }
}
