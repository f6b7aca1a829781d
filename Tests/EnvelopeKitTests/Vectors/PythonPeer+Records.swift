// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import EnvelopeKit

/// Tests/Python/records.py.
extension PythonPeer {
  /// Opens the lines of a sealed log.
  func openRecords(
    _ lines: [[UInt8]], context: [String: String], by holder: Holder, anonymousSender sender: AnonymousSender = .refused
  ) throws -> [String] {
    let answer = try ask(
      "open-records", holder,
      ["context": context, "anonymous": sender == .accepted, "lines": lines.map { Self.text(of: $0) }])
    guard let events = answer["events"] as? [String] else { throw Failure(description: "\(answer)") }
    return events
  }

  /// Seals a segment of records.
  func sealRecords(
    _ records: [SealedLine.Record], context: [String: String], by holder: Holder, suite: AlgorithmSuite
  ) throws -> [[UInt8]] {
    let records = records.map { record in
      var fields: [String: Any] = ["payload": Self.text(of: record.payload), "clear": record.clear.object]
      fields["type"] = (record.type.name ?? "log").description
      fields["part"] = record.part.name?.description
      return fields
    }
    let answer = try ask(
      "seal-records", holder,
      ["context": context, "suite": Int(suite.rawValue), "header": records.count / 2, "records": records])
    guard let lines = answer["lines"] as? [String] else { throw Failure(description: "\(answer)") }
    return try lines.map { try Self.bytes(of: $0) }
  }
}
