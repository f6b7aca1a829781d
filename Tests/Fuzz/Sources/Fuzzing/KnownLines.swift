// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

/// The lines of a segment that is sealed when a fuzzer starts, and what they open to.
package struct KnownLines: Sendable {
  package let lines: [[UInt8]]
  private let records: [SealedLines.Record]
  private let id: String

  package static let suites = AlgorithmSuite.allCases.filter(\.isAvailable)
  /// One of each suite, and another one of the first.
  package static let all = (suites + suites.prefix(1)).map { KnownLines($0) }

  private init(_ suite: AlgorithmSuite) {
    let keyring = Known.keyring
    (lines, records, id) = require("lines are sealed") {
      try immediately {
        var lines = try await SealedLines.begin(context: Known.context, suite: suite, using: keyring)
        let clear: [(String, SealedLines.Clear)] = [("level", .string("info")), ("n", .number(7))]
        try lines.append(clear, payload: "{\"message\":\"one\"}")
        try lines.append([], payload: "{}")
        try lines.append(clear, payload: "{\"message\":", .first)
        try lines.append(clear, payload: "\"two\"", .middle)
        try lines.append(clear, payload: "}", .last)
        try lines.trace("a", id: "b", payload: "{\"name\":\"a\"}", more: "\"annotations\":{},")
        try lines.dropped(3)
        try lines.end()
        return (lines.lines.map { Array($0.utf8) }, lines.records, lines.id)
      }
    }
  }

  /// Whether this was sealed, under this name; a payload that goes on over several records is one.
  package func holds(_ origin: RecordReader.Origin, clear: [UInt8], payload: [UInt8]) -> Bool {
    guard id == "\(origin.segment)", records.indices.contains(origin.sequence) else { return false }
    let record = records[origin.sequence]
    let sealed =
      record.part == .first ? records.filter { $0.part != .whole }.flatMap(\.payload) : record.payload
    return record.type == origin.type && record.clear == clear && sealed == payload
      && (record.part == .whole || record.part == .first)
  }
}
