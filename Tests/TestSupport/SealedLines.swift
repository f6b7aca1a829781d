// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

/// Writes the lines of one segment by hand, so that tests of readers do not depend on a writer.
package struct SealedLines: ~Copyable {
  /// A value of a clear member.
  package enum Clear: Sendable {
    case string(String)
    case number(Double)

    fileprivate var canonical: [UInt8] {
      switch self {
      case .string(let text): [0] + Array(text.utf8)
      case .number(let number): [1] + (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (56 - 8 * $0)) }
      }
    }

    fileprivate var json: String {
      switch self {
      case .string(let text): SealedLines.quoted(text)
      case .number(let number): "\(number)"
      }
    }
  }

  /// What a record was sealed with.
  package struct Record: Sendable {
    package let type: RecordType
    package let part: RecordPart
    /// The canonical form of the clear members.
    package let clear: [UInt8]
    package let payload: [UInt8]
  }

  /// The records by sequence.
  package private(set) var records: [Record] = []
  /// The lines so far, without line feeds.
  package private(set) var lines: [String] = []
  /// The name of the segment.
  package var id: String { "\(segment.id)" }
  /// The salt, which the next segment names.
  package var salt: [UInt8] { segment.salt }
  /// The sequence of the next record.
  package var nextSequence: Int { segment.nextSequence }
  private var segment: RecordSegment

  /// Writes the header line and the record that begins a segment.
  ///
  /// - Parameter previous: The salt and the last sequence of the segment before.
  package static func begin(
    context: EncryptionContext, suite: AlgorithmSuite = .chaCha20Poly1305, using keyring: some Keyring,
    after previous: (salt: [UInt8], last: Int)? = nil
  ) async throws -> SealedLines {
    var lines = SealedLines(try await RecordSegment.make(context: context, suite: suite, using: keyring))
    lines.writeHeader()
    let last = previous.map { previous in (0..<8).map { UInt8(truncatingIfNeeded: previous.last >> (56 - 8 * $0)) } }
    try lines.append(.begin, previous.map { Array($0.salt.prefix(16)) + (last ?? []) } ?? [])
    return lines
  }

  private init(_ segment: consuming RecordSegment) { self.segment = segment }

  /// All lines, each with a line feed.
  package var text: String { lines.map { $0 + "\n" }.joined() }

  /// The text of the header.
  package var header: String { "ek1:" + Base64URL.encode(segment.header) }

  /// Writes the header line.
  package mutating func writeHeader() { lines.append("{\"segment\":\"\(id)\",\"header\":\"\(header)\"}") }

  /// Writes a log record of these clear members and this payload.
  package mutating func append(_ clear: [(String, Clear)], payload: String, _ part: RecordPart = .whole) throws {
    try append(.log, Array(payload.utf8), clear, part)
  }

  /// Writes a log record as a handler does.
  package mutating func log(
    _ message: String, level: String = "info", time: String = "2026-11-27T03:12:05.123Z",
    metadata: [(String, String)] = []
  ) throws {
    let values = metadata.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }.joined(separator: ",")
    try append(
      [("time", .string(time)), ("level", .string(level)), ("label", .string("shop"))],
      payload: "{\"source\":\"Shop\",\"message\":\(Self.quoted(message)),\"metadata\":{\(values)}}")
  }

  /// Writes how many records were dropped.
  package mutating func dropped(_ count: UInt64) throws {
    try append(.dropped, (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) })
  }

  /// Writes the end.
  package mutating func end() throws { try append(.end, []) }

  /// Writes a document of AWS X-Ray, and returns it.
  ///
  /// - Parameters:
  ///   - name: The name of the span.
  ///   - span: Its id.
  ///   - payload: The sealed document.
  ///   - more: Further members of the clear document, with a comma after each.
  @discardableResult
  package mutating func trace(
    _ name: String, id span: String, start: Double = 1, end: Double = 2, payload: String, more: String = ""
  ) throws -> String {
    let clear: [(String, Clear)] = [
      ("name", .string(name)), ("id", .string(span)), ("start_time", .number(start)), ("end_time", .number(end)),
    ]
    try append(
      .trace, Array(payload.utf8), members: Self.members(clear) + more, canonical: Self.canonical(clear))
    return lines[lines.count - 1]
  }

  private mutating func append(
    _ type: RecordType, _ payload: [UInt8], _ clear: [(String, Clear)] = [], _ part: RecordPart = .whole
  ) throws {
    try append(type, payload, members: Self.members(clear), canonical: Self.canonical(clear), part)
  }

  /// Writes a record of any type.
  ///
  /// - Parameters:
  ///   - type: The type.
  ///   - payload: What is sealed.
  ///   - members: The clear members as JSON, with a comma after each.
  ///   - canonical: Their canonical form.
  ///   - part: Which part of a payload it is.
  package mutating func append(
    _ type: RecordType, _ payload: [UInt8], members: String, canonical: [UInt8], _ part: RecordPart = .whole
  ) throws {
    var own = "\"segment\":\"\(id)\",\"sequence\":\(segment.nextSequence),"
    if let name = type.name { own += "\"record\":\"\(name)\"," }
    if let name = part.name { own += "\"part\":\"\(name)\"," }
    own += "\"sealed\":\"\(try seal(type, payload, canonical, part))\""
    lines.append(
      type == .trace
        ? "{\(members)\"metadata\":{\"envelope\":{\"header\":\"\(header)\",\(own)}}}" : "{\(members)\(own)}")
  }

  private static func members(_ clear: [(String, Clear)]) -> String {
    clear.map { "\(quoted($0.0)):\($0.1.json)," }.joined()
  }

  private static func canonical(_ clear: [(String, Clear)]) -> [UInt8] {
    canonical(clear.map { (Array($0.0.utf8), $0.1.canonical) })
  }

  /// The canonical form of pairs: names, and values behind the byte that says of which type they are.
  package static func canonical(_ pairs: [(name: [UInt8], value: [UInt8])]) -> [UInt8] {
    pairs.sorted { $0.name.lexicographicallyPrecedes($1.name) }.reduce(into: []) { canonical, pair in
      for part in [pair.name, pair.value] { canonical += [UInt8(part.count >> 8), UInt8(part.count & 255)] + part }
    }
  }

  private mutating func seal(
    _ type: RecordType, _ payload: [UInt8], _ canonical: [UInt8], _ part: RecordPart
  ) throws -> String {
    records.append(Record(type: type, part: part, clear: canonical, payload: payload))
    // A part that goes on names the one before it.
    var sealed: [UInt8] = []
    if part.isContinued { sealed.append(bigEndian: segment.lastMark) }
    sealed += payload
    var associatedData = GrowingBuffer()
    segment.appendAssociatedData(type, part, to: &associatedData)
    associatedData.append(canonical)
    var output = GrowingBuffer()
    try associatedData.withBytes { (data) throws(EnvelopeError) in
      try unsafe segment.seal(sealed.span.bytes, authenticating: data, into: &output)
    }
    return output.withBytes { Base64URL.encode($0) }
  }

  /// Text as a string of JSON.
  package static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
