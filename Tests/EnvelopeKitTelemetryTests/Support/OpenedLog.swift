// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import TestSupport

  @testable import EnvelopeKitTelemetry

  /// What a reader makes of lines.
  struct OpenedLog {
    struct Record: Equatable {
      var type: RecordType
      var segment: String
      var sequence: Int
      /// The clear and the sealed members, joined.
      var members: [String: Member] = [:]
      var payload: [UInt8]

      var message: String? { members["message"]?.text }
      subscript(name: String) -> String? { members[name]?.text }
      func metadata(_ key: String) -> String? { members["metadata"]?.object[key]?.text }
    }

    indirect enum Member: Equatable {
      case text(String)
      case object([String: Member])
      case array([Member])

      var text: String? { if case .text(let text) = self { text } else { nil } }
      var object: [String: Member] { if case .object(let object) = self { object } else { [:] } }
    }

    var records: [Record] = []
    var others: [String] = []
    var findings: [RecordFinding] = []

    var logs: [Record] { records.filter { $0.type == .log } }
    var kinds: [RecordFinding.Kind] { findings.map(\.kind) }

    init(
      _ lines: [[UInt8]], context: EncryptionContext, using keyring: any Keyring, sender: AnonymousSender = .refused,
      order: RecordReader.Order = .complete, finishes: Bool = true
    ) async throws {
      var reader = try RecordReader(context: context, using: keyring, anonymousSender: sender, order: order)
      for line in lines {
        var header = try read(line, with: &reader)
        if let bytes = header {
          try await reader.unlock(bytes)
          header = try read(line, with: &reader)
        }
        guard header == nil else { throw EnvelopeError(.malformed, "A header is asked for twice") }
      }
      guard finishes else { return }
      var found: [RecordFinding] = []
      try reader.finish { (finding) throws(EnvelopeError) in found.append(finding) }
      findings += found
    }

    private mutating func read(_ line: [UInt8], with reader: inout RecordReader) throws -> [UInt8]? {
      var (records, others, findings) = ([Record](), [String](), [RecordFinding]())
      let header = try unsafe reader.read(line.span.bytes) { (item, clear, payload) throws(EnvelopeError) in
        switch item {
        case .other: others.append(String(decoding: line, as: UTF8.self))
        case .finding(let finding): findings.append(finding)
        case .record(let origin):
          var record = Record(
            type: origin.type, segment: origin.segment.description, sequence: origin.sequence,
            payload: [UInt8](copying: payload))
          var metadata: [String: Member] = [:]
          ClearPairs.forEach(in: clear) { object, name, tag, value in
            let text = Member.text(String(decoding: [UInt8](copying: value), as: UTF8.self))
            let name = String(decoding: [UInt8](copying: name), as: UTF8.self)
            if object == nil { record.members[name] = text } else { metadata[name] = text }
          }
          if origin.type == .log, !payload.isEmpty {
            let sealed = try? JSONSerialization.jsonObject(with: Data([UInt8](copying: payload))) as? [String: Any]
            for (name, value) in sealed ?? ["unparsable": ""] {
              let member = Member(value)
              if name == "metadata" { metadata.merge(member.object) { $1 } } else { record.members[name] = member }
            }
          }
          if !metadata.isEmpty { record.members["metadata"] = .object(metadata) }
          records.append(record)
        }
      }
      self.records += records
      self.others += others
      self.findings += findings
      return header
    }
  }

  extension OpenedLog.Member {
    init(_ value: Any) {
      switch value {
      case let object as [String: Any]: self = .object(object.mapValues { Self($0) })
      case let array as [Any]: self = .array(array.map { Self($0) })
      default: self = .text("\(value)")
      }
    }
  }
#endif
