// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Logging
  import TestSupport
  import Testing

  @testable import EnvelopeKitTelemetry

  /// What swift-log expects of every handler.
  @Suite(.timeLimit(.minutes(20))) struct HandlerConformanceTests {
    @TaskLocal static var request = "none"

    @Test func handlersAreValues() async throws {
      let bench = try await LogBench()
      var first = bench.logger()
      first.logLevel = .warning
      first[metadataKey: "only"] = "first"
      var second = first
      second.logLevel = .trace
      second[metadataKey: "only"] = "second"
      #expect(first.logLevel == .warning && second.logLevel == .trace)
      #expect(first[metadataKey: "only"] == "first" && second[metadataKey: "only"] == "second")
      second[metadataKey: "only"] = nil
      #expect(first[metadataKey: "only"] == "first" && second[metadataKey: "only"] == nil)
      first.info("not logged")
      first.warning("logged")
      second.trace("logged as well")
      let log = try await bench.opened()
      #expect(log.logs.map(\.message) == ["logged", "logged as well"])
      #expect(log.logs.map { $0["level"] } == ["warning", "trace"])
      #expect(log.logs.map { $0.metadata("only") } == ["first", nil])
    }

    @Test(arguments: Logger.Level.allCases) func everyLevelIsNamed(level: Logger.Level) async throws {
      let bench = try await LogBench()
      var logger = bench.logger()
      logger.logLevel = level
      for other in Logger.Level.allCases { logger.log(level: other, "\(other)") }
      let log = try await bench.opened()
      #expect(log.logs.compactMap(\.message) == Logger.Level.allCases.filter { $0 >= level }.map { "\($0)" })
      #expect(log.logs.compactMap { $0["level"] } == log.logs.compactMap(\.message))
    }

    @Test func providersAreAskedInTheTaskThatLogsAndTheMoreSpecificValueCounts() async throws {
      let bench = try await LogBench()
      let provider = Logger.MetadataProvider {
        ["request": "\(HandlerConformanceTests.request)", "a": "provider", "b": "provider", "c": "provider"]
      }
      var logger = Logger(label: "x") {
        SealedLogHandler(label: $0, writer: bench.writer, metadataProvider: provider)
      }
      logger[metadataKey: "a"] = "logger"
      logger[metadataKey: "b"] = "logger"
      logger[metadataKey: "d"] = "logger"
      let shared = logger
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask {
            Self.$request.withValue("r\(number)") { shared.info("\(number)", metadata: ["a": "event"]) }
          }
        }
      }
      let log = try await bench.opened()
      #expect(log.logs.count == 20)
      for record in log.logs {
        #expect(record.metadata("request") == "r\(record.message ?? "")")
        let found = ["a", "b", "c", "d"].map { record.metadata($0) }
        #expect(found == ["event", "provider", "provider", "logger"])
      }
    }

    @Test func errorsBecomeMetadata() async throws {
      let bench = try await LogBench()
      bench.logger().error("failed", error: EnvelopeError(.malformed, "why"))
      let log = try await bench.opened()
      #expect(log.logs.first?.metadata("error.message") == "why")
      #expect(log.logs.first?.metadata("error.type") == "EnvelopeKit.EnvelopeError")
    }

    @Test func valuesThatLogWhileTheyAreDescribedDoNotBlock() async throws {
      struct Talkative: CustomStringConvertible, Sendable {
        let logger: Logger
        var description: String {
          logger.info("from a description")
          return "described"
        }
      }
      let bench = try await LogBench()
      let logger = bench.logger()
      logger.info("outer", metadata: ["value": .stringConvertible(Talkative(logger: logger))])
      let log = try await bench.opened()
      #expect(log.findings.isEmpty)
      #expect(Set(log.logs.compactMap(\.message)) == ["outer", "from a description"])
    }

    @Test func bothSuitesOpen() async throws {
      for suite in AlgorithmSuite.allCases where suite.isAvailable {
        let bench = try await LogBench(suite: suite)
        bench.logger().info("x")
        #expect(try await bench.opened().logs.map(\.message) == ["x"])
      }
      if !AlgorithmSuite.aegis256.isAvailable {
        let error = await #expect(throws: EnvelopeError.self) { try await LogBench(suite: .aegis256) }
        #expect(error?.code == .unsupportedSuite)
      }
    }

    @Test func awkwardKeysAndValuesStayBoundToWhatIsWritten() async throws {
      let awkward = ["", "envelope", "a\u{0}b", "segment", "sealed", "\"", "\\", "\u{1}", "\u{e9}", "e\u{301}", "x.y"]
      let bench = try await LogBench()
      let logger = bench.logger("sealed", clear: .unmarked)
      for key in awkward { logger.info("\(key)", metadata: [key: "\(key)", "other": "1"]) }
      logger.info("all", metadata: Dictionary(awkward.map { ($0, "\($0)") }) { $1 })
      let many = Dictionary(uniqueKeysWithValues: (0..<5000).map { ("k\($0)", Logger.MetadataValue.string("v")) })
      logger.info("many", metadata: many)
      logger.info(
        "\(String(repeating: "\u{1}", count: 8192))", metadata: ["a": "\(String(repeating: "\u{1}", count: 8192))"])
      let log = try await bench.opened()
      #expect(log.findings.isEmpty && log.logs.count == awkward.count + 3)
      for (record, key) in zip(log.logs, awkward) {
        #expect(record.message == key && record.metadata(key) == key && record.metadata("other") == "1")
      }
      #expect(log.logs[awkward.count + 1].members["metadata"]?.object.count == 5000)
    }
  }
#endif
