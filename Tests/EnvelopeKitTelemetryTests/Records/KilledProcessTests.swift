// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKit

  /// A service that logs from many tasks at once is killed again and again.
  @Suite(.serialized, .timeLimit(.minutes(20))) struct KilledProcessTests {
    /// More than usual if somebody wants to know: `ENVELOPE_LOG_KILLS`.
    private static let kills = Int(ProcessInfo.processInfo.environment["ENVELOPE_LOG_KILLS"] ?? "") ?? 6

    @Test(arguments: 1...Self.kills) func everyCompleteLineOfAPipeOpens(seed: Int) async throws {
      var random = SplitMix64(seed: UInt64(seed))
      let service = try LogService()
      let output = Pipe()
      let process = try service.start("log", tasks: 8, output: output)
      var bytes = Data()
      let wanted = Int.random(in: 0...400_000, using: &random)
      while bytes.count < wanted { bytes += output.fileHandleForReading.availableData }
      kill(process.processIdentifier, SIGKILL)
      bytes += try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      let (lines, isCut) = LogService.lines(of: bytes)
      let log = try await service.open(lines)
      #expect(log.others.isEmpty)
      // The first segment may not have begun.
      #expect(log.kinds == (lines.count > 1 ? [.unfinished] : []) || lines.count <= 1)
      Self.expectAllRecords(log)
      _ = isCut
    }

    @Test(arguments: 1...Self.kills) func everyCompleteLineOfAFileOpensAndEachCutIsReported(seed: Int) async throws {
      var random = SplitMix64(seed: UInt64(1000 + seed))
      let service = try LogService()
      let folder = try TemporaryFolder()
      let path = "\(folder.path)/app.log"
      // Several processes, one after the other, each of which is killed; rotation is among what it may hit.
      let count = 3
      for _ in 0..<count {
        let progress = Pipe()
        let process = try service.start("log", file: path, tasks: 8, error: progress)
        // A line for each hundred records of a task; the kill comes a moment after one of them, whenever that is.
        var (read, wanted) = (0, Int.random(in: 1...40, using: &random))
        while read < wanted {
          let lines = progress.fileHandleForReading.availableData.count
          wanted = lines == 0 ? read : wanted
          read += lines
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
      }
      var lines: [[UInt8]] = []
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted(by: Self.isOlder) {
        let bytes = try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)"))
        let read = LogService.lines(of: bytes)
        lines += read.lines
        // A later process ends the line that one before it left.
        #expect(!read.isCut || name == "app.log")
      }
      let log = try await service.open(lines)
      // A process that was killed before its first line, or between two segments, left none open.
      let open = Set(log.records.map(\.segment)).subtracting(log.records.filter { $0.type == .end }.map(\.segment))
      let unfinished = log.findings.filter { $0.kind == .unfinished }.compactMap(\.segment)
      #expect(open.isSubset(of: unfinished) && unfinished.count <= count && !log.logs.isEmpty, "\(log.findings)")
      #expect(log.kinds.allSatisfy { $0 == .unfinished || $0 == .altered }, "\(log.findings)")
      // A line that was cut is followed by the next process's lines, and is damaged or of unknown origin.
      #expect(log.kinds.filter { $0 == .altered }.count + log.others.count < count)
      Self.expectAllRecords(log)
    }

    /// Of each task, all records from the first on are there.
    private static func expectAllRecords(_ log: OpenedLog) {
      var next: [String: Int] = [:]
      for record in log.logs {
        guard let task = record.metadata("task"), let number = record.metadata("record").flatMap({ Int($0) }) else {
          Issue.record("\(record)")
          continue
        }
        // Each process counts from zero.
        #expect(number == next[task] || number == 0)
        next[task] = number + 1
      }
    }

    /// Ended files have the time in their names; the one that is written has none.
    private static func isOlder(_ a: String, _ b: String) -> Bool {
      if (a == "app.log") != (b == "app.log") { return b == "app.log" }
      return a < b
    }
  }
#endif
