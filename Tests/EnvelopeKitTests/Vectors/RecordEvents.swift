// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

/// What a reader reports of lines, in the texts of Tests/Python/records.py.
enum RecordEvents {
  static func of(
    _ lines: [[UInt8]], context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws -> [String] {
    var reader = try RecordReader(context: context, using: keyring, anonymousSender: sender)
    var events: [String] = []
    for (index, line) in lines.enumerated() {
      while let header = try unsafe reader.read(
        line.span.bytes,
        { (item, clear, payload) throws(EnvelopeError) in
          events.append(text(of: item, line: index + 1, clear, payload))
        })
      {
        try await reader.unlock(header)
      }
    }
    try reader.finish { (finding) throws(EnvelopeError) in events.append(text(of: finding)) }
    return events
  }

  private static func text(of item: RecordReader.Item, line: Int, _ clear: RawSpan, _ payload: RawSpan) -> String {
    switch item {
    case .other: "other \(line)"
    case .finding(let finding): text(of: finding)
    case .record(let origin):
      "record \(origin.segment.description) \(origin.sequence) \(origin.type.rawValue) \(hex(payload)) \(hex(clear))"
    }
  }

  private static func text(of finding: RecordFinding) -> String {
    let segment = finding.segment ?? "?"
    let (first, last) = (finding.sequences?.lowerBound ?? -1, finding.sequences?.upperBound ?? -1)
    return switch finding.kind {
    case .altered: "altered \(finding.line)"
    case .missing, .incomplete: "\(finding.kind.rawValue) \(segment) \(first) \(last)"
    case .doubled, .copied, .reordered: "\(finding.kind.rawValue) \(segment) \(first)"
    case .noHeader, .unfinished: "\(finding.kind.rawValue) \(segment)"
    case .unopened: "unopened \(segment) \(finding.error?.code.rawValue ?? "?")"
    }
  }

  private static func hex(_ bytes: RawSpan) -> String {
    let digits = Array("0123456789abcdef".utf8)
    guard bytes.byteCount > 0 else { return "-" }
    return String(
      decoding: [UInt8](copying: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
