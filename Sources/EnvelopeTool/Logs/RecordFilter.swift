// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Which opened records are shown.
struct RecordFilter {
  /// The earliest time, in nanoseconds since 1970.
  var since: Int64?
  var level: RecordLevel?
  var pattern: TextPattern?

  /// Whether there is a filter, which leaves lines that are not authenticated out.
  var isSet: Bool { since != nil || level != nil || pattern != nil }

  /// Whether a record is shown.
  ///
  /// One without the member that a filter is about is not.
  func includes(_ members: [MergedRecord.Member], of json: RawSpan) -> Bool {
    guard isSet else { return true }
    func string(_ name: String) -> String? {
      members.first { $0.isNamed(name) }.flatMap { json.string(at: $0.value.lowerBound) }
    }
    if let since {
      guard let time = string("time").flatMap({ TimeText.nanoseconds(of: $0) }), time >= since else { return false }
    }
    if let level {
      guard let own = string("level").flatMap({ RecordLevel(rawValue: $0.lowercased()) }), own >= level else {
        return false
      }
    }
    guard let pattern else { return true }
    return pattern.matches(Self.texts(members, of: json))
  }

  /// The message and the values of the metadata, on a line of its own each.
  private static func texts(_ members: [MergedRecord.Member], of json: RawSpan) -> [UInt8] {
    var text: [UInt8] = []
    func append(_ value: RawSpan) {
      if let string = value.string(at: 0) {
        text += Array(string.utf8)
      } else {
        text += [UInt8](copying: value)
      }
      text.append(.lineFeed)
    }
    if let message = members.first(where: { $0.isNamed("message") }) { append(json.extracting(message.value)) }
    if let metadata = members.first(where: { $0.isNamed("metadata") }) {
      let values = json.extracting(metadata.value)
      if let members = try? MergedRecord.members(of: values) {
        for member in members { append(values.extracting(member.value)) }
      }
    }
    return text
  }
}

/// The levels of log records, from the lowest.
enum RecordLevel: String, CaseIterable, Comparable {
  case trace, debug, info, notice, warning, error, critical

  static func < (a: RecordLevel, b: RecordLevel) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}

extension RawSpan {
  /// The string of JSON that begins at an offset; nil if there is none.
  func string(at offset: Int) -> String? {
    guard byteIfAny(at: offset) == .doubleQuote else { return nil }
    var scanner = JSONScanner(at: offset)
    var bytes: [UInt8] = []
    guard (try? scanner.readString(in: self) { bytes.append($0) }) != nil else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
