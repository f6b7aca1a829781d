// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import EnvelopeKitTelemetry
  import Logging
  import Synchronization
  import TestSupport
  import Testing

  @Suite(.timeLimit(.minutes(20))) struct RedactingLogHandlerTests {
    private static let token = "sécret/token \"one\""
    private static let mask = "[redacted:TOKEN]"
    private let recorder = Recorder()
    private let redactor: Redactor

    init() throws {
      redactor = try Redactor(OpenedEnvironment(["TOKEN": Self.token, "PIN": "8675309123", "SHORT": "abc"]))
    }

    private func logger(
      metadata: Logger.Metadata = [:], provider: Logger.MetadataProvider? = nil
    ) -> Logger {
      Logger(label: "test") { _ in
        var inner = RecordingHandler(recorder: recorder)
        inner.metadata = metadata
        inner.metadataProvider = provider
        return RedactingLogHandler(inner, redactor: redactor)
      }
    }

    /// The only event that the inner handler received.
    private func event() throws -> LogEvent {
      let events = recorder.events
      try #require(events.count == 1)
      return events[0]
    }

    @Test func masksTheMessage() throws {
      logger().info("a \(Self.token) b")
      #expect(try event().message == "a [redacted:TOKEN] b")
      #expect(try event().metadata == nil)
    }

    @Test func masksKeysAndValuesAtAnyDepth() throws {
      let token = Self.token
      logger().info(
        "message",
        metadata: [
          "plain": "value", "token": "x\(token)y", "key \(token)": "z",
          "nested": ["list": ["a", "\(token)", ["deep": .string(token), "k\(token)": "v"]], "other": "b"],
          "convertible": .stringConvertible(Box(text: token)),
        ])
      let expected: Logger.Metadata = [
        "plain": "value", "token": "x[redacted:TOKEN]y", "key [redacted:TOKEN]": "z",
        "nested": [
          "list": ["a", "[redacted:TOKEN]", ["deep": "[redacted:TOKEN]", "k[redacted:TOKEN]": "v"]], "other": "b",
        ], "convertible": "[redacted:TOKEN]",
      ]
      #expect(try event().metadata == expected)
      #expect(try event().message == "message")
    }

    @Test func keysThatBecomeOneKeepTheirValues() throws {
      logger().info("m", metadata: [Self.token: "1", "8675309123": "2", "\(Self.token)\(Self.token)": "3"])
      let metadata = try #require(try event().metadata)
      #expect(Set(metadata.values.map(\.description)) == ["1", "2", "3"])
      #expect(metadata.keys.allSatisfy { !$0.contains("cret") })
    }

    @Test func masksASecretThatIsSplitOverFields() throws {
      let token = Array(Self.token)
      for split in 1..<token.count {
        let (head, tail) = (String(token[..<split]), String(token[split...]))
        let splits: [(Logger.Message, Logger.Metadata)] = [
          ("m \(head)", ["a": "\(tail) x"]), ("\(tail) m", ["z": "x \(head)", "a": "other"]),
          ("m", ["a": "x \(head)", "b": "\(tail) y"]), ("m", ["b": "\(tail) y", "a": "x \(head)"]),
          ("m", ["a": ["x", .string(head), .string(tail), "y"]]),
          ("m", ["a": ["b": .string(head), "c": .string(tail)]]),
          ("m", ["a": ["x", .string(head)], "b": .string(tail)]), ("m", [head: .string(tail)]),
          ("m", ["a": .stringConvertible(Box(text: head)), "b": .stringConvertible(Box(text: tail))]),
        ]
        for (message, metadata) in splits {
          recorder.removeAll()
          logger().info(message, metadata: metadata)
          let event = try event()
          let text = "\(event.message) \(event.metadata ?? [:])"
          #expect(text.split(separator: Self.mask, omittingEmptySubsequences: false).count == 3, "\(text)")
          if split > 1 { #expect(!text.contains(head)) }
          if token.count - split > 1 { #expect(!text.contains(tail), "\(text)") }
        }
      }
    }

    @Test func leavesFieldsThatDoNotAdjoinAsTheyAre() throws {
      let (head, tail) = (String(Self.token.prefix(9)), String(Self.token.dropFirst(9)))
      let records: [(Logger.Message, Logger.Metadata)] = [
        ("m", ["a": .string(tail), "b": .string(head)]), ("m", ["a": .string(head), "b": "-", "c": .string(tail)]),
        ("\(tail)", ["a": "x", "b": .string(head), "c": "y"]), ("\(head)-", ["a": .string(tail)]),
        ("m", [tail: .string(head)]),
      ]
      for (message, metadata) in records {
        recorder.removeAll()
        logger().info(message, metadata: metadata)
        #expect(try event().message == message)
        #expect(try event().metadata == metadata)
      }
    }

    @Test func mergesMetadataAsTheStreamHandlerDoes() throws {
      let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "p": "\(Self.token)"] }
      var logger = logger(
        metadata: ["a": "inner", "b": "inner", "c": "inner", "i": "\(Self.token)"], provider: provider)
      logger[metadataKey: "d"] = "handler"
      logger.info("m", metadata: ["b": "event", "e": "event"])
      let expected: Logger.Metadata = [
        "a": "provider", "b": "event", "c": "inner", "d": "handler", "e": "event", "p": "[redacted:TOKEN]",
        "i": "[redacted:TOKEN]",
      ]
      #expect(try event().metadata == expected)
      // The other handler has nothing of its own to add.
      #expect(recorder.ownMetadata == [[:]])
      #expect(recorder.hadProvider == [false])
    }

    @Test func metadataAndLevelAreValues() throws {
      var first = logger()
      first.logLevel = .debug
      first[metadataKey: "only-on"] = "first"
      var second = first
      second.logLevel = .error
      second[metadataKey: "only-on"] = "second"
      #expect(first.logLevel == .debug && second.logLevel == .error)
      #expect(first[metadataKey: "only-on"] == "first" && second[metadataKey: "only-on"] == "second")
      second.info("not logged")
      #expect(recorder.events.isEmpty)
      first.debug("logged")
      #expect(try event().level == .debug)
    }

    private enum Mark: Int64, Logger.MetadataValueAttributes.Attribute { case a = 1, b = 2 }

    @Test func keepsAttributes() throws {
      let attributes: Logger.MetadataValueAttributes = [Mark.b]
      logger().info(
        "m",
        metadata: [
          "a": .attributed("x \(Self.token)", attributes: attributes),
          "b": .attributed("plain", attributes: attributes),
          "c": [.attributed(Self.token, attributes: attributes), "8675309123"],
        ])
      let metadata = try #require(try event().metadata)
      #expect(metadata["a"]?.description == "x [redacted:TOKEN]" && metadata["a"]?.attributes == attributes)
      #expect(metadata["b"]?.description == "plain" && metadata["b"]?.attributes == attributes)
      guard case .array(let array) = metadata["c"] else { return #expect(Bool(false)) }
      #expect(array[0].attributes == attributes && array[0].description == Self.mask)
      #expect(array[1].attributes == .init() && array[1].description == "[redacted:PIN]")
    }

    @Test func numbersStayNumbersUnlessTheyAreSecret() throws {
      logger().info(
        "m",
        metadata: ["a": .stringConvertible(8_675_309_123), "b": .stringConvertible(42), "c": .stringConvertible(true)])
      let metadata = try #require(try event().metadata)
      #expect(metadata["a"] == "[redacted:PIN]")
      guard case .stringConvertible(let b) = metadata["b"] else { return #expect(Bool(false)) }
      #expect(b is Int)
      guard case .stringConvertible(let c) = metadata["c"] else { return #expect(Bool(false)) }
      #expect(c is Bool)
    }

    /// Shows a secret to a handler that encodes or reflects it, or to whoever reads the description again.
    private final class Sly: CustomStringConvertible, Sendable {
      let secret = RedactingLogHandlerTests.token
      private let reads = Atomic(0)
      var description: String { reads.add(1, ordering: .relaxed).oldValue == 0 ? "nothing" : secret }
    }

    @Test func valuesReachTheHandlerAsTheirDescriptions() throws {
      logger().info("m", metadata: ["a": .stringConvertible(Sly()), "b": ["c": [.stringConvertible(Sly())]]])
      let metadata = try #require(try event().metadata)
      #expect(metadata == ["a": "nothing", "b": ["c": ["nothing"]]])
      #expect(!shown(metadata).contains("cret"))
    }

    private struct Failure: Error, CustomStringConvertible {
      let secret: String
      var description: String { "failed with \(secret)" }
    }

    @Test func masksErrors() throws {
      logger().error("m", error: Failure(secret: Self.token))
      let error = try #require(try event().error)
      #expect("\(error)" == "failed with [redacted:TOKEN]")
      #expect(!shown(error).contains("cret"))
      #expect(String(reflecting: type(of: error)).contains("Failure"))
    }

    @Test func errorsShowNothingBesidesTheirDescription() throws {
      struct Quiet: Error, CustomStringConvertible {
        let secret: String
        var description: String { "quiet" }
      }
      logger().error("m", error: Quiet(secret: Self.token))
      let error = try #require(try event().error)
      #expect("\(error)" == "quiet" && !shown(error).contains("cret"))
    }

    @Test func masksThePlace() throws {
      let token = Self.token
      logger().log(level: .info, "m", source: token, file: "/\(token)/f", function: "f(\(token))", line: 7)
      let event = try event()
      #expect(
        event.source == Self.mask && event.file == "/[redacted:TOKEN]/f" && event.function == "f([redacted:TOKEN])")
      #expect(event.line == 7)
    }

    @Test func passesOtherRecordsAsTheyAre() throws {
      let metadata: Logger.Metadata = ["a": "abc", "b": ["c": ["d", .stringConvertible(7)], "e": [:]], "f": []]
      logger().notice("sécret/token", metadata: metadata, source: "S", file: "F/f", function: "g", line: 3)
      let event = try event()
      #expect(event.message == "sécret/token" && event.metadata == metadata && event.level == .notice)
      #expect(
        event.source == "S" && event.file == "F/f" && event.function == "g" && event.line == 3 && event.error == nil)
    }

    @Test func printingShowsNoSecret() {
      let text = shown(RedactingLogHandler(RecordingHandler(recorder: recorder), redactor: redactor))
      #expect(!text.contains("cret/") && !text.contains("8675309123"))
    }
  }

  private struct Box: CustomStringConvertible, Sendable {
    let text: String
    var description: String { text }
  }

  /// What handlers have received.
  private final class Recorder: Sendable {
    private let state = Mutex<(events: [LogEvent], metadata: [Logger.Metadata], providers: [Bool])>(([], [], []))
    var events: [LogEvent] { state.withLock { $0.events } }
    var ownMetadata: [Logger.Metadata] { state.withLock { $0.metadata } }
    var hadProvider: [Bool] { state.withLock { $0.providers } }
    func removeAll() { state.withLock { $0 = ([], [], []) } }
    func add(_ event: LogEvent, _ handler: RecordingHandler) {
      state.withLock {
        $0.events.append(event)
        $0.metadata.append(handler.metadata)
        $0.providers.append(handler.metadataProvider != nil)
      }
    }
  }

  private struct RecordingHandler: LogHandler {
    let recorder: Recorder
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.info
    init(recorder: Recorder) { self.recorder = recorder }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { recorder.add(event, self) }
  }
#endif
