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
    let sequence = segment.nextSequence
    let sealed = try seal(.trace, Array(payload.utf8), clear, .whole)
    let members = clear.map { "\(Self.quoted($0.0)):\($0.1.json)," }.joined()
    lines.append(
      "{\(members)\(more)\"metadata\":{\"envelope\":{\"header\":\"\(header)\",\"segment\":\"\(id)\","
        + "\"sequence\":\(sequence),\"record\":\"trace\",\"sealed\":\"\(sealed)\"}}}")
    return lines[lines.count - 1]
  }

  private mutating func append(
    _ type: RecordType, _ payload: [UInt8], _ clear: [(String, Clear)] = [], _ part: RecordPart = .whole
  ) throws {
    let sequence = segment.nextSequence
    let sealed = try seal(type, payload, clear, part)
    var line = "{" + clear.map { "\(Self.quoted($0.0)):\($0.1.json)," }.joined()
    line += "\"segment\":\"\(id)\",\"sequence\":\(sequence),"
    if let name = type.name { line += "\"record\":\"\(name)\"," }
    if let name = part.name { line += "\"part\":\"\(name)\"," }
    lines.append(line + "\"sealed\":\"\(sealed)\"}")
  }

  private mutating func seal(
    _ type: RecordType, _ payload: [UInt8], _ clear: [(String, Clear)], _ part: RecordPart
  ) throws -> String {
    var canonical: [UInt8] = []
    for (name, value) in clear.sorted(by: { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }) {
      let value = value.canonical
      canonical += [UInt8(name.utf8.count >> 8), UInt8(name.utf8.count & 0xff)] + Array(name.utf8)
      canonical += [UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
    }
    records.append(Record(type: type, part: part, clear: canonical, payload: payload))
    // A part that goes on names the one before it.
    var sealed: [UInt8] = []
    if part.isContinued { sealed.append(bigEndian: segment.lastMark) }
    sealed += payload
    var associatedData = GrowingBuffer()
    segment.appendAssociatedData(type, part, to: &associatedData)
    unsafe associatedData.append(canonical.span.bytes)
    var output = GrowingBuffer()
    try associatedData.withBytes { (data) throws(EnvelopeError) in
      try unsafe segment.seal(sealed.span.bytes, authenticating: data, into: &output)
    }
    return output.withBytes { Base64URL.encode([UInt8](copying: $0)) }
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
