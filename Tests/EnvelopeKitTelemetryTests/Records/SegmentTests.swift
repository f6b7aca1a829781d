// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Logging
  import Synchronization
  import TestSupport
  import Testing

  @testable import EnvelopeKitTelemetry

  /// When segments end, and what a writer does without the next data key.
  @Suite(.timeLimit(.minutes(20))) struct SegmentTests {
    @Test(arguments: [16, 17, 100]) func segmentsEndAtTheirNumberOfRecordsAndNameTheOneBefore(count: Int) async throws {
      let bench = try await LogBench(limits: SegmentLimits(recordCount: count))
      let logger = bench.logger()
      for number in 0..<3 * count {
        logger.info("\(number)")
        await bench.writer.awaitFetch()
      }
      let log = try await bench.opened()
      #expect(log.findings.isEmpty)
      #expect(log.logs.map(\.message) == (0..<3 * count).map { "\($0)" })
      let segments = Set(log.records.map(\.segment))
      #expect(segments.count >= 3)
      for segment in segments {
        let records = log.records.filter { $0.segment == segment }
        #expect(records.count <= count && records.first?.type == .begin && records.last?.type == .end)
        #expect(records.map(\.sequence) == Array(0..<records.count))
      }
      let begins = log.records.filter { $0.type == .begin }
      #expect(begins.first?.payload.isEmpty == true)
      #expect(begins.dropFirst().allSatisfy { $0.payload.count == 24 })
    }

    @Test func segmentsEndAtTheirBytes() async throws {
      let bench = try await LogBench(limits: SegmentLimits(byteCount: 4096))
      let logger = bench.logger()
      for _ in 0..<6 {
        logger.info("\(String(repeating: "x", count: 3000))")
        await bench.writer.awaitFetch()
      }
      let log = try await bench.opened()
      #expect(log.findings.isEmpty && log.logs.count == 6)
      #expect(Set(log.records.map(\.segment)).count >= 5)
    }

    @Test func headersAreRepeated() async throws {
      let bench = try await LogBench()
      for number in 0..<600 { bench.logger().info("\(number)") }
      let lines = await bench.lines()
      let isHeader = lines.map { String(decoding: $0, as: UTF8.self).contains("\"header\"") }
      #expect(isHeader.filter { $0 }.count == 3)
      // A log opens from its middle.
      let log = try await OpenedLog(Array(lines[200...]), context: LogBench.context, using: bench.keyring)
      #expect(log.kinds == [.noHeader, .missing])
      #expect(log.logs.last?.message == "599" && log.logs.first?.message == "255")
    }

    /// A keyring that fails to generate keys for as long as it is told to.
    private final class Failing: Keyring {
      let inner: any Keyring
      let fails = Mutex(false)
      let calls = Mutex(0)

      init(_ inner: any Keyring) { self.inner = inner }

      func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
        calls.withLock { $0 += 1 }
        if fails.withLock({ $0 }) { throw EnvelopeError(.keyServiceUnavailable, "down") }
        return try await inner.generateDataKey(for: context)
      }

      func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
        try await inner.wrap(dataKey, for: context)
      }

      func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
        try await inner.unwrap(wrapped, for: context)
      }
    }

    @Test func aSegmentGoesOnWithoutTheNextKeyUntilItIsFullAndThenRecordsAreDroppedAndCounted() async throws {
      let keyring = Failing(try LogBench.localKeyring())
      let bench = try await LogBench(limits: SegmentLimits(recordCount: 100), keyring: keyring)
      keyring.fails.withLock { $0 = true }
      let logger = bench.logger()
      let count = 65_600
      for _ in 0..<count { logger.info("x") }
      #expect(bench.writer.droppedRecordCount > 0)
      // Fetching waits longer after each failure, and not by a timer.
      #expect(keyring.calls.withLock { $0 } < 20)
      let log = try await bench.opened()
      #expect(log.findings.isEmpty)
      let dropped = log.records.filter { $0.type == .dropped }.reduce(0) { sum, record in
        sum + record.payload.reduce(0) { $0 << 8 | Int($1) }
      }
      #expect(log.logs.count + dropped == count && Set(log.records.map(\.segment)).count == 1)
      #expect(log.records.count <= RecordSegment.recordLimit && log.records.last?.type == .end)
    }

    @Test func theFirstKeyMustBeThere() async throws {
      let keyring = Failing(try LogBench.localKeyring())
      keyring.fails.withLock { $0 = true }
      await #expect(throws: EnvelopeError.self) { try await LogBench(keyring: keyring) }
      let error = await #expect(throws: EnvelopeError.self) {
        let passphrase = SecretBytes(byteCount: 1) { $0.append(UInt8(ascii: "p")) }
        _ = try await LogBench(keyring: PassphraseKeyring(passphrase))
      }
      #expect(error?.code == .invalidArgument)
    }

    @Test func whatIsLoggedAfterTheEndIsDropped() async throws {
      let bench = try await LogBench()
      let logger = bench.logger()
      logger.info("before")
      bench.writer.close()
      logger.info("after")
      bench.writer.close()
      #expect(bench.writer.droppedRecordCount == 1)
      let log = try await bench.opened()
      #expect(log.findings.isEmpty && log.logs.map(\.message) == ["before"])
    }

    @Test func manyTasksLoseNothing() async throws {
      let bench = try await LogBench(limits: SegmentLimits(recordCount: 500))
      let logger = bench.logger()
      await withTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask { for number in 0..<1000 { logger.info("\(task) \(number)") } }
        }
      }
      let log = try await bench.opened()
      #expect(log.findings.isEmpty && log.logs.count == 8000)
      for task in 0..<8 {
        let own = log.logs.compactMap(\.message).filter { $0.hasPrefix("\(task) ") }
        #expect(own == (0..<1000).map { "\(task) \($0)" })
      }
    }
  }
#endif
