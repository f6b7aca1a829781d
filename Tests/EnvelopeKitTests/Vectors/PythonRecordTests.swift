// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Sealed records, in both directions and judged alike by an implementation in another language.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct PythonRecordTests {
  private static let context = ["app": "shop", "function": "ordérs λ"]

  private let python: PythonPeer
  private let store: KeyStore
  private let text: String

  init() throws {
    python = try PythonPeer("records.py")
    var store = KeyStore()
    try store.add(.generate(), alias: "key")
    self.store = store
    text = try Here.text(of: store)
  }

  private static func records(_ count: Int, _ random: inout SplitMix64) -> [SealedLine.Record] {
    var records: [SealedLine.Record] = []
    while records.count < count {
      let type: RecordType = [.log, .log, .log, .trace, .dropped][Int.random(in: 0..<5, using: &random)]
      guard type != .dropped else {
        records.append(
          SealedLine.Record(payload: [0, 0, 0, 0, 0, 0, 0, UInt8.random(in: 1...9, using: &random)], type: type))
        continue
      }
      let clear = SealedLine.Clear.random(&random, inTrace: type == .trace)
      let parts: [RecordPart] = [[.whole], [.whole], [.first, .last], [.first, .middle, .middle, .last]][
        Int.random(in: 0..<4, using: &random)]
      for part in parts {
        let payload = random.bytes(Int.random(in: 0..<300, using: &random))
        records.append(SealedLine.Record(payload: payload, type: type, part: part, clear: clear))
      }
    }
    return records
  }

  /// The events of a segment of which nothing is missing, without the segment's name.
  private static func expected(of records: [SealedLine.Record]) -> [String] {
    func hex(_ bytes: [UInt8]) -> String {
      bytes.isEmpty
        ? "-"
        : bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    var events = ["0 3 - -"]
    var (first, payload): (Int, [UInt8]) = (0, [])
    for (index, record) in records.enumerated() {
      if !record.part.isContinued { (first, payload) = (index + 1, []) }
      payload += record.payload
      guard !record.part.goesOn else { continue }
      events.append("\(first) \(record.type.rawValue) \(hex(payload)) \(hex(record.clear.canonical))")
    }
    return events + ["\(records.count + 1) 1 - -"]
  }

  @Test(arguments: AlgorithmSuite.here) func recordsOpenBothWays(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 1)
    let context = Here.context(Self.context)
    for count in [0, 1, 2, 10, 40, 300] {
      let records = Self.records(count, &random)
      let here = try await SealedLine.seal(records, context: context, suite: suite, using: store.keyring())
      let there = try python.sealRecords(records, context: Self.context, by: .store(text), suite: suite)
      // The end that Swift writes is a record of its own; Python writes those that it is given.
      for (lines, events) in [
        (here, try python.openRecords(here, context: Self.context, by: .store(text))),
        (here, try await RecordEvents.of(here, context: context, using: store.keyring())),
        (there, try await RecordEvents.of(there, context: context, using: store.keyring())),
      ] {
        let opened = events.filter { $0.hasPrefix("record ") }.map { $0.dropFirst(20) }
        let all = Self.expected(of: records)
        let isWhole = lines.count == here.count
        #expect(opened.elementsEqual((isWhole ? all : all.dropLast()).map { $0[...] }))
        #expect(events.count == opened.count + (isWhole ? 0 : 1))
        #expect(isWhole || events.last?.hasPrefix("unfinished ") == true)
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func recordsForARecipientOpenBothWays(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 2)
    let identity = try Keyset.generate(.identity)
    var keys = KeyStore()
    try keys.add(identity)
    let (recipient, secret) = (try identity.recipient(), try Here.text(of: keys))
    let (records, context) = (Self.records(10, &random), Here.context(Self.context))
    let here = try await SealedLine.seal(records, context: context, suite: suite, using: RecipientKeyring([recipient]))
    let there = try python.sealRecords(
      records, context: Self.context, by: .recipient(recipient.description), suite: suite)
    for lines in [here, there] {
      for sender in [AnonymousSender.accepted, .refused] {
        let events = try python.openRecords(lines, context: Self.context, by: .store(secret), anonymousSender: sender)
        #expect(
          try await RecordEvents.of(lines, context: context, using: keys.keyring(), anonymousSender: sender) == events)
        #expect(events.contains { $0.hasSuffix(" anonymousSender") } == (sender == .refused))
        #expect(events.contains { $0.hasPrefix("record ") } == (sender == .accepted))
      }
    }
  }

  @Test(arguments: [UInt64(3), 4, 5], AlgorithmSuite.here)
  func alteredLinesAreJudgedAlike(seed: UInt64, suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: seed)
    let context = Here.context(Self.context)
    var lines: [[UInt8]] = []
    for _ in 0..<2 {
      lines += try await SealedLine.seal(
        Self.records(8, &random), context: context, suite: suite, using: store.keyring())
      lines.append(Array(#"{"level":"info","message":"not sealed"}"#.utf8))
    }
    let records = Self.records(8, &random)
    lines += try python.sealRecords(records, context: Self.context, by: .store(text), suite: suite)
    let whole = try await RecordEvents.of(lines, context: context, using: store.keyring())
    for _ in 0..<200 {
      let altered = Self.altered(lines, &random)
      let here = try await RecordEvents.of(altered, context: context, using: store.keyring())
      let there = try python.openRecords(altered, context: Self.context, by: .store(text))
      if here != there {
        let changed = altered.filter { !lines.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
        Issue.record(
          "Swift \(Self.short(here, without: there)), Python \(Self.short(there, without: here)): \(changed)")
      }
      // Nothing comes out that was not sealed.
      #expect(Set(here.filter { $0.hasPrefix("record ") }).isSubset(of: whole))
    }
  }

  /// The beginnings of events that others do not have.
  private static func short(_ events: [String], without others: [String]) -> [String] {
    events.filter { !others.contains($0) }.map { String($0.prefix(40)) }
  }

  private static func altered(_ lines: [[UInt8]], _ random: inout SplitMix64) -> [[UInt8]] {
    var altered = lines
    let index = Int.random(in: lines.indices, using: &random)
    let other = Int.random(in: lines.indices, using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0: altered.remove(at: index)
    case 1: altered.insert(lines[other], at: index)
    case 2: altered.swapAt(index, other)
    case 3: altered.removeSubrange(min(index, other)..<max(index, other))
    case 4: altered.insert(Here.altered(lines[other], &random), at: index)
    case 5:
      altered[index] = Array(lines[index].prefix(lines[index].count / 2)) + lines[other].suffix(lines[other].count / 2)
    default: altered[index] = Here.altered(lines[index], &random)
    }
    return altered
  }
}
