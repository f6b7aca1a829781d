// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Logging
  import TestSupport
  import Testing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20))) struct SealedLogHandlerTests {
    private static let awkward =
      "quote \" backslash \\ line\nfeed \u{0}\u{1f} \u{e9} \u{1f511} \u{2028} {\"sealed\":\"\"}"

    @Test func recordsOpenToWhatWasLogged() async throws {
      let bench = try await LogBench()
      var logger = bench.logger()
      logger[metadataKey: "request"] = "r1"
      logger.info("plain", metadata: ["a": "1", "b": ["x": "y", "z": ["p", "q"]]])
      logger.error("\(Self.awkward)", metadata: ["key \(Self.awkward)": "\(Self.awkward)"])
      logger.debug("below the level")
      let log = try await bench.opened()
      #expect(log.findings.isEmpty && log.others.isEmpty)
      #expect(log.records.map(\.type) == [.begin, .log, .log, .end])
      let (first, second) = (log.logs[0], log.logs[1])
      #expect(first["level"] == "info" && first["label"] == "shop" && first.message == "plain")
      #expect(first.metadata("a") == "1" && first.metadata("request") == "r1")
      #expect(
        first.members["metadata"]?.object["b"] == .object(["x": .text("y"), "z": .array([.text("p"), .text("q")])]))
      #expect(first["source"] == "EnvelopeKitTelemetryTests")
      #expect(second.message == Self.awkward && second.metadata("key \(Self.awkward)") == Self.awkward)
    }

    @Test func onlyRoutingFieldsAreReadable() async throws {
      let bench = try await LogBench()
      bench.logger("label7").warning("message8", metadata: ["key9": "value9"])
      let text = await bench.lines().map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
      for clear in ["label7", "warning", "\"time\":\"20"] { #expect(text.contains(clear)) }
      for sealed in ["message8", "key9", "value9", "EnvelopeKitTelemetryTests"] { #expect(!text.contains(sealed)) }
    }

    @Test func markedValuesAloneAreSealedOnRequest() async throws {
      let bench = try await LogBench()
      let logger = bench.logger(clear: .unmarked)
      logger.info(
        "login",
        metadata: ["user": "\(sealed: "hunter@example.com")", "zone": "eu", "deep": ["a": "\(sealed: "inner7")"]])
      logger.info("nothing to seal")
      logger.info("\(String(repeating: "long", count: 3000))")
      let lines = await bench.lines()
      let text = lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
      #expect(text.contains("\"message\":\"login\"") && text.contains("\"metadata\":{\"zone\":\"eu\"}"))
      for sealed in ["hunter", "inner7", "\"user\"", "longlong"] { #expect(!text.contains(sealed)) }
      let log = try await OpenedLog(lines, context: LogBench.context, using: bench.keyring)
      #expect(log.findings.isEmpty && log.logs.count == 3)
      #expect(log.logs[0].metadata("user") == "hunter@example.com" && log.logs[0].metadata("zone") == "eu")
      #expect(log.logs[1].payload.isEmpty && log.logs[1].message == "nothing to seal")
      #expect(log.logs[2].message?.utf8.count == 12_000)
    }

    @Test(arguments: [0, 1, 100_000, 785_000, 786_000, 790_000, 1_600_000, 5_000_000])
    func longMessagesAreSplitAndJoined(byteCount: Int) async throws {
      let bench = try await LogBench()
      let message = String(repeating: "m", count: byteCount)
      bench.logger().info("\(message)")
      let lines = await bench.lines()
      #expect(lines.allSatisfy { $0.count < RecordState.lineByteLimit })
      let log = try await OpenedLog(lines, context: LogBench.context, using: bench.keyring)
      #expect(log.findings.isEmpty && log.logs.count == 1 && log.logs[0].message == message)
    }

    @Test func messagesBeyondThePayloadLimitAreDroppedAndCounted() async throws {
      let bench = try await LogBench()
      bench.logger().info("\(String(repeating: "m", count: RecordReader.payloadByteLimit))")
      bench.logger().info("after")
      let log = try await bench.opened()
      #expect(log.findings.isEmpty && log.logs.map(\.message) == ["after"])
      #expect(log.records.filter { $0.type == .dropped }.map(\.payload) == [[0, 0, 0, 0, 0, 0, 0, 1]])
    }
  }
#endif
