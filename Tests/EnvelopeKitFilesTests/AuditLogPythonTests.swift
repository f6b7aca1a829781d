// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeKit
@testable import EnvelopeKitFiles

/// Logs of uses, verified here and by an implementation in another language, which was written from the format's page.
@Suite(.timeLimit(.minutes(20))) struct AuditLogPythonTests {
  private let folder: TemporaryFolder
  private let log: AuditLog
  private let key: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    key = Array(0..<32)
    let bytes = key
    let memory = try GuardedMemory(capacity: 32) { output in
      for byte in bytes { output.append(byte) }
    }
    log = AuditLog(at: folder.path + "/log", key: try WrappingKey(in: memory, at: 0))
  }

  /// As the format's page shows it.
  private static let written = #"""
    {"entry":1,"time":1750000001,"operation":"wrap","key":"Vh0dNZkcTqfV","version":1,"function":"orders","outcome":"success","chain":"ZdJfYxL_gU-yoRgOMqMfkEnCMusZR6eN2yae6EWxySg"}
    {"entry":2,"time":1750000002,"operation":"unwrap","key":"Vh0dNZkcTqfV","version":1,"function":"a \"q\" \\ é\u000a\u007f","outcome":"keyDisabled","chain":"0ot6sIM4xRECUDD1prsxoFP1okfMafQUu247sNbfkMI"}
    {"entry":3,"time":1750000003,"operation":"export","key":"Vh0dNZkcTqfV","outcome":"success","chain":"cftHcM1xvmer1E_5k-cPV4yfuprXpW3HirPF1_uFo28"}

    """#
  private static let head = "cftHcM1xvmer1E_5k-cPV4yfuprXpW3HirPF1_uFo28"

  private func put(_ bytes: some Sequence<UInt8>) throws {
    try write(bytes, to: log.location)
    try folder.setMode(0o600, of: log.location)
  }

  private func append(_ number: Int) throws {
    let functions = [
      nil, "checkout", "\"quoted\\\"", "tab\t\u{1}\u{7f}\u{0}", "ordérs λ 🔑", "e\u{301}", "\",\"chain\":\"",
    ]
    let keys = ["Vh0dNZkcTqfV.1", "Vh0dNZkcTqfV", "b3M-_0mZQ1aX.4294967295"]
    try log.append(
      KeyUse(
        number % 5 == 0 ? .wrap : .unwrap, of: KeyID(keys[number % 3]), function: functions[number % 7],
        failure: number % 4 == 0 ? .keyDisabled : nil))
  }

  @Test func aLogThatWasWrittenInAnotherLanguageVerifies() throws {
    let uses: [[Any]] = [
      [1_750_000_001, "wrap", "Vh0dNZkcTqfV.1", "orders", "success"],
      [1_750_000_002, "unwrap", "Vh0dNZkcTqfV.1", "a \"q\" \\ é\n\u{7f}", "keyDisabled"],
      [1_750_000_003, "export", "Vh0dNZkcTqfV", NSNull(), "success"],
    ]
    let answer = try answers(to: [["command": "write-log", "key": Base64URL.encode(key), "uses": uses]])[0]
    #expect(answer["log"] as? String == Self.written)
    try put(Self.written.utf8)
    #expect(try log.verify().description == "3:\(Self.head)")
    try log.append(KeyUse(.wrap, of: KeyID("Vh0dNZkcTqfV.1")))
    #expect(try log.verify(against: AuditLog.Checkpoint("3:\(Self.head)")).count == 4)
  }

  @Test func aLogThatWasWrittenHereVerifiesThere() throws {
    var requests: [[String: Any]] = []
    var checkpoints = [try log.verify().description]
    try put([])
    requests.append(request([]))
    for number in 1...30 {
      try append(number)
      requests.append(request(try bytes(of: log.location)))
      checkpoints.append(try log.verify().description)
    }
    let answers = try answers(to: requests)
    #expect(answers.map { $0["checkpoint"] as? String } == checkpoints)
    // Each line is the JSON that it looks like.
    for (line, number) in zip(try bytes(of: log.location).split(separator: 10), 1...) {
      let entry = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
      #expect(entry["entry"] as? Int == number)
      let functions = [
        nil, "checkout", "\"quoted\\\"", "tab\t\u{1}\u{7f}\u{0}", "ordérs λ 🔑", "e\u{301}", "\",\"chain\":\"",
      ]
      #expect((entry["function"] as? String).map { Array($0.utf8) } == functions[number % 7].map { Array($0.utf8) })
    }
  }

  @Test(arguments: seeds)
  func aDamagedLogIsRefusedAtTheSamePlace(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for number in 1...12 { try append(number) }
    let whole = try bytes(of: log.location)
    let checkpoint = try log.verify()
    var (requests, places) = ([[String: Any]](), [Int?]())
    for _ in 0..<150 {
      let damaged = Self.damaged(whole, &random)
      let text = String(decoding: damaged, as: UTF8.self)
      try put(damaged)
      requests += [request(damaged, checkpoint.description), request(damaged)]
      let (against, alone) = (place { try log.verify(against: checkpoint) }, place { try log.verify() })
      places += [against, alone]
      // Whatever was done, the checkpoint finds it; without one, whole lines may be missing at the end.
      #expect((against == nil) == (damaged == whole), "\(text)")
      #expect((alone == nil) == (whole.starts(with: damaged) && damaged.last ?? 10 == 10), "\(text)")
    }
    #expect(try answers(to: requests).map { ($0["detail"] as? String).flatMap(Int.init) } == places)
  }

  @Test func aLogIsRefusedAgainstAnotherCheckpointAtTheSamePlace() throws {
    for number in 1...5 { try append(number) }
    let whole = try bytes(of: log.location)
    let lines = whole.split(separator: 10).map { Array($0) + [10] }
    let zeros = String(repeating: "A", count: 43)
    var requests: [[String: Any]] = []
    var places: [Int?] = []
    for kept in 0...5 {
      try put(lines[..<kept].joined())
      for count in 0...6 {
        try put(lines[..<min(count, 5)].joined())
        let right = try log.verify().description.split(separator: ":")[1]
        try put(lines[..<kept].joined())
        for text in ["\(count):\(right)", "\(count):\(zeros)"] {
          let checkpoint = try AuditLog.Checkpoint(text)
          requests.append(request(lines[..<kept].flatMap { $0 }, text))
          places.append(place { try log.verify(against: checkpoint) })
          let isRight = text == "0:\(zeros)" || (1...5).contains(count) && text.hasSuffix(right) && count <= kept
          #expect((places[places.count - 1] == nil) == isRight, "\(kept) \(text)")
        }
      }
    }
    #expect(try answers(to: requests).map { ($0["detail"] as? String).flatMap(Int.init) } == places)
  }

  /// The longest line that there is, and one that is a byte longer, both chained rightly: by whoever has the key.
  @Test(arguments: [0, 1])
  func aLineThatIsTooLongIsRefused(beyond: Int) throws {
    let body = "{\"entry\":1,\"x\":\"" + String(repeating: "x", count: 65536 - 16 - 1 - 55 - 1 + beyond) + "\""
    let chain = try AuditEntry.chain(over: Array(body.utf8), after: [UInt8](repeating: 0, count: 32), key: log.key)
    let line = Array((body + ",\"chain\":\"" + Base64URL.encode(chain) + "\"}\n").utf8)
    #expect(line.count == 65536 + beyond)
    try put(line)
    #expect(place { try log.verify() } == (beyond == 0 ? nil : 1))
    let answer = try answers(to: [request(line)])[0]
    #expect(answer["detail"] as? String == (beyond == 0 ? nil : "1"))
  }

  @Test func aLogWhoseLastNumberIsTheLastThereIsTakesNoMore() throws {
    for (number, fits) in [("18446744073709551615", false), ("18446744073709551614", true)] {
      let line = Self.written.split(separator: "\n")[0].replacing("{\"entry\":1,", with: "{\"entry\":\(number),")
      try put((line + "\n").utf8)
      let before = try bytes(of: log.location)
      if fits {
        try append(1)
      } else {
        let error = #expect(throws: EnvelopeError.self) { try append(1) }
        #expect(try error?.code == .auditLogAltered && bytes(of: log.location) == before)
      }
      #expect(place { try log.verify() } == 1)
    }
  }

  /// The number of the entry that is not as it must be, as the message tells it; nil where the log verifies.
  private func place(_ verify: () throws -> AuditLog.Checkpoint) -> Int? {
    do {
      _ = try verify()
      return nil
    } catch {
      guard let error = error as? EnvelopeError, error.code == .auditLogAltered,
        let match = error.message.firstMatch(of: /(after )?entry ([0-9]+)/), let number = Int(match.2)
      else {
        Issue.record("\(error)")
        return nil
      }
      return match.1 == nil ? number : number + 1
    }
  }

  private static func damaged(_ log: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var lines = log.split(separator: 10).map { Array($0) + [10] }
    let (line, other) = (Int.random(in: lines.indices, using: &random), Int.random(in: lines.indices, using: &random))
    var bytes = log
    let index = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0: lines.remove(at: line)
    case 1: lines.swapAt(line, other)
    case 2: lines.insert(lines[other], at: line)
    case 3: lines.removeSubrange(line...)
    case 4: lines.removeSubrange(..<line)
    case 5:
      bytes.removeSubrange(index...)
      return bytes
    case 6:
      bytes.remove(at: index)
      return bytes
    case 7:
      bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
      return bytes
    default:
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      return bytes
    }
    return lines.flatMap { $0 }
  }

  private func request(_ log: [UInt8], _ checkpoint: String? = nil) -> [String: Any] {
    var request = ["command": "verify-log", "log": Base64URL.encode(log), "key": Base64URL.encode(key)]
    request["checkpoint"] = checkpoint
    return request
  }

  /// Asks envelope.py, one line of JSON each.
  private func answers(to requests: [[String: Any]]) throws -> [[String: Any]] {
    let python = try #require(
      ProcessInfo.processInfo.environment["ENVELOPE_TEST_PYTHON"], "Tests/run sets ENVELOPE_TEST_PYTHON")
    var lines = Data()
    for request in requests { lines += try JSONSerialization.data(withJSONObject: request) + [10] }
    let questions = folder.path + "/questions"
    try lines.write(to: URL(filePath: questions))
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(filePath: python)
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    process.arguments = ["-B", tests.appending(path: "Python/envelope.py").path, "serve"]
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: questions))
    process.standardOutput = output
    try process.run()
    let answered = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let answers = try answered.split(separator: 10).map {
      try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
    }
    try #require(answers.count == requests.count)
    return answers
  }
}
