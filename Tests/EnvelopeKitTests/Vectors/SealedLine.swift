// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

@testable import EnvelopeKit

/// Writes lines of records as tests need them.
enum SealedLine {
  struct Record {
    var payload: [UInt8] = []
    var type = RecordType.log
    var part = RecordPart.whole
    var clear = Clear()
  }

  /// Clear members, whose objects have strings alone.
  struct Clear {
    var strings: [String: String] = [:]
    var numbers: [String: Double] = [:]
    var booleans: [String: Bool] = [:]
    var objects: [String: [String: String]] = [:]

    var object: [String: Any] {
      var object: [String: Any] = strings
      object.merge(numbers) { $1 }
      object.merge(booleans) { $1 }
      object.merge(objects) { $1 }
      return object
    }

    var canonical: [UInt8] {
      var pairs: [(name: [UInt8], value: [UInt8])] = []
      for (name, value) in strings { pairs.append((Array(name.utf8), [0] + value.utf8)) }
      for (name, value) in numbers {
        pairs.append(
          (Array(name.utf8), [1] + (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (56 - 8 * $0)) }))
      }
      for (name, value) in booleans { pairs.append((Array(name.utf8), [value ? 3 : 2])) }
      for (object, members) in objects {
        for (name, value) in members { pairs.append((object.utf8 + [0] + name.utf8, [0] + value.utf8)) }
      }
      return SealedLines.canonical(pairs)
    }

    static func random(_ random: inout SplitMix64, inTrace: Bool) -> Clear {
      let texts = ["", "a", "ordérs λ", "\u{1F511}", "a\"b\\c/\n\u{0}", "e\u{301}", "1", "true"]
      func text() -> String { texts[Int.random(in: texts.indices, using: &random)] }
      var clear = Clear()
      let names = inTrace ? ["name", "id"] : ["time", "level", "é", "e\u{301}", "\u{1F511}", "ｘ"]
      for name in names where Bool.random(using: &random) { clear.strings[name] = text() }
      for name in inTrace ? ["start_time", "end_time"] : ["n", "m"] where Bool.random(using: &random) {
        let number = Double(bitPattern: random.next())
        clear.numbers[name] = number.isFinite ? number : 0.1
      }
      if !inTrace, Bool.random(using: &random) { clear.booleans["ok"] = Bool.random(using: &random) }
      if Bool.random(using: &random) {
        clear.objects[inTrace ? "annotations" : "metadata"] = ["tenant": text(), "a\u{0}b": text(), "b": text()]
      }
      return clear
    }
  }

  /// Seals a segment of records between begin and end, with a second header in the middle.
  static func seal(
    _ records: [Record], context: EncryptionContext, suite: AlgorithmSuite, using keyring: some Keyring
  ) async throws -> [[UInt8]] {
    var lines = try await SealedLines.begin(context: context, suite: suite, using: keyring)
    for (index, record) in records.enumerated() {
      if index == records.count / 2 { lines.writeHeader() }
      var object = record.clear.object
      if record.type == .trace { object["trace_id"] = "1-2-3" }
      let text = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
      let members = object.isEmpty ? "" : String(text.dropFirst().dropLast()) + ","
      try lines.append(record.type, record.payload, members: members, canonical: record.clear.canonical, record.part)
    }
    try lines.end()
    return lines.lines.map { Array($0.utf8) }
  }
}
