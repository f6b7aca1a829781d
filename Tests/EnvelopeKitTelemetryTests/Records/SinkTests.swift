// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import Logging
  import TestSupport
  import Testing

  @testable import EnvelopeKitTelemetry

  /// Where lines go, and what happens if they cannot.
  @Suite(.timeLimit(.minutes(20))) struct SinkTests {
    private let folder: TemporaryFolder
    private let keyring: any Keyring
    private var path: String { "\(folder.path)/app.log" }

    init() throws {
      folder = try TemporaryFolder()
      keyring = try LogBench.localKeyring()
    }

    private func writer(
      _ sink: RecordSink, limits: SegmentLimits = SegmentLimits(),
      reporting: (@Sendable (EnvelopeError) -> Void)? = nil
    ) async throws -> RecordWriter {
      try await RecordWriter(
        to: sink, context: LogBench.context, limits: limits, using: keyring, reporting: reporting)
    }

    private func log(_ writer: RecordWriter, _ message: String) {
      Logger(label: "x") { SealedLogHandler(label: $0, writer: writer, metadataProvider: nil) }.info("\(message)")
    }

    private func lines(_ name: String) throws -> [[UInt8]] {
      let bytes = try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)"))
      #expect(bytes.last == UInt8(ascii: "\n"))
      return bytes.split(separator: UInt8(ascii: "\n")).map { [UInt8]($0) }
    }

    private func open(_ names: [String]) async throws -> OpenedLog {
      try await OpenedLog(names.flatMap { try lines($0) }, context: LogBench.context, using: keyring)
    }

    private var files: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    @Test func aFileIsForItsOwnerAndIsAppendedTo() async throws {
      for message in ["first", "second"] {
        let writer = try await writer(.file(path))
        log(writer, message)
        writer.close()
      }
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      let opened = try await open(["app.log"])
      #expect(opened.findings.isEmpty && opened.logs.map(\.message) == ["first", "second"])
    }

    @Test func aLineThatAKilledProcessLeftIsEnded() async throws {
      try Data("{\"time\":\"cut".utf8).write(to: URL(filePath: path))
      let writer = try await writer(.file(path))
      log(writer, "after")
      writer.close()
      let opened = try await open(["app.log"])
      #expect(opened.others == ["{\"time\":\"cut"] && opened.logs.map(\.message) == ["after"])
    }

    @Test func aFileHasOneWriterAndIsNoFolderLinkOrDevice() async throws {
      let first = try await writer(.file(path))
      let busy = await #expect(throws: EnvelopeError.self) { try await writer(.file(path)) }
      #expect(busy?.code == .fileBusy)
      first.close()
      try await writer(.file(path)).close()
      try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: path)
      for other in [folder.path, "/dev/null", "\(folder.path)/link", "\(folder.path)/none/app.log"] {
        let error = await #expect(throws: EnvelopeError.self) { try await writer(.file(other)) }
        #expect(error?.code == .fileFailure)
      }
    }

    @Test func filesEndBetweenSegmentsAndEachOpensByItself() async throws {
      let writer = try await writer(.file(path, rotation: FileRotation(byteCount: 20_000)))
      for number in 0..<400 {
        log(writer, "\(number)")
        if number % 20 == 19 { await writer.awaitFetch() }
      }
      writer.close()
      let names = try files
      #expect(names.count > 3 && names.first == "app.log")
      let ordered = names.dropFirst() + ["app.log"]
      #expect(try await open(Array(ordered)).logs.map(\.message) == (0..<400).map { "\($0)" })
      for name in ordered {
        let opened = try await open([name])
        #expect(opened.findings.allSatisfy { $0.kind == .missing && $0.isBeforeInput })
        #expect(!opened.logs.isEmpty || name == "app.log")
      }
    }

    @Test func olderFilesAreRemovedAndNoOthers() async throws {
      let others = [
        "app.log.1", "app.log.20260101T000000.000Z-notes", "app.log.20260101T000000.000Z-notes.tar.xz", "other.log",
      ]
      for name in others { try Data().write(to: URL(filePath: "\(folder.path)/\(name)")) }
      let writer = try await writer(.file(path, rotation: FileRotation(byteCount: 4096, keptFileCount: 2)))
      for number in 0..<200 {
        log(writer, "\(number)")
        await writer.awaitFetch()
      }
      writer.close()
      let names = Set(try files)
      #expect(names.isSuperset(of: others))
      let ended = names.subtracting(others).subtracting(["app.log"])
      // Two, and the one that has just ended.
      #expect(ended.count == 3)
      let opened = try await open(ended.sorted() + ["app.log"])
      #expect(opened.logs.last?.message == "199" && opened.findings.allSatisfy { $0.isBeforeInput })
    }

    @Test func aFileThatWasRemovedOrRenamedIsMadeAnew() async throws {
      let writer = try await writer(.file(path, rotation: FileRotation(byteCount: 4096)))
      log(writer, "before")
      try FileManager.default.moveItem(atPath: path, toPath: "\(folder.path)/moved")
      for number in 0..<60 {
        log(writer, "\(number)")
        await writer.awaitFetch()
      }
      writer.close()
      let names = try files.filter { $0 != "moved" && $0 != "app.log" }
      let opened = try await open(["moved"] + names + ["app.log"])
      #expect(opened.findings.isEmpty && opened.logs.count == 61)
    }

    #if os(Linux)
      @Test func whatAFullDiskTakesAwayIsReportedAndCounted() async throws {
        let failures = Failures()
        // A limit on the size of files acts as a full disk; the process is another one, which the signal does not end.
        let writer = try await writer(.file(path), reporting: { failures.add($0) })
        log(writer, "before")
        try writer.withFileSizeLimit(of: path) {
          for number in 0..<700 { log(writer, "lost \(number)") }
        }
        log(writer, "after")
        writer.close()
        #expect(failures.codes.allSatisfy { $0 == .fileFailure } && !failures.codes.isEmpty)
        let opened = try await open(["app.log"])
        #expect(opened.logs.first?.message == "before" && opened.logs.last?.message == "after")
        let missing = opened.findings.filter { $0.kind == .missing }.reduce(0) { $0 + ($1.sequences?.count ?? 0) }
        let dropped = opened.records.filter { $0.type == .dropped }.reduce(0) { sum, record in
          sum + record.payload.reduce(0) { $0 << 8 | Int($1) }
        }
        #expect(missing + dropped + opened.logs.count >= 702, "\(missing) missing, \(dropped) dropped")
      }
    #endif

    @Test func aFullQueueDropsAndCounts() async throws {
      let (sink, lines) = RecordSink.lines(byteLimit: 1, whenFull: .drop)
      let writer = try await writer(sink)
      for number in 0..<1000 { log(writer, "\(number)") }
      let dropped = writer.droppedRecordCount
      #expect(dropped > 100)
      var collected: [[UInt8]] = []
      var iterator = lines.makeAsyncIterator()
      while collected.count < 10, let line = await iterator.next() { collected.append(line) }
      log(writer, "after")
      writer.close()
      while let line = await iterator.next() { collected.append(line) }
      let opened = try await OpenedLog(collected, context: LogBench.context, using: keyring)
      #expect(opened.findings.isEmpty && opened.logs.last?.message == "after")
      let counted = opened.records.filter { $0.type == .dropped }.map { $0.payload.reduce(0) { $0 << 8 | UInt64($1) } }
      #expect(counted == [dropped])
    }

    @Test func aFullQueueLetsCallersWaitIfThatIsThePolicy() async throws {
      let (sink, lines) = RecordSink.lines(byteLimit: 1, whenFull: .wait)
      let writer = try await writer(sink)
      let logging = Thread {
        for number in 0..<3000 { self.log(writer, "\(number)") }; writer.close()
      }
      logging.start()
      var collected: [[UInt8]] = []
      for await line in lines { collected.append(line) }
      let opened = try await OpenedLog(collected, context: LogBench.context, using: keyring)
      #expect(opened.findings.isEmpty && opened.logs.count == 3000)
    }

    @Test func nobodyWaitsForAConsumerThatIsGoneOrForAClosedWriter() async throws {
      var consumer: RecordLines?
      let (sink, lines) = RecordSink.lines(byteLimit: 1, whenFull: .wait)
      consumer = lines
      let writer = try await writer(sink)
      withExtendedLifetime(consumer) {}
      // A cancelled consumer makes no room.
      let reading = Task { for await _ in lines {} }
      reading.cancel()
      await reading.value
      for number in 0..<2000 { log(writer, "\(number)") }
      #expect(writer.droppedRecordCount > 0)
      writer.close()
      _ = consumer
    }

    @Test func severalConsumersShareTheLinesAndCancellingOneLeavesTheOthers() async throws {
      let (sink, lines) = RecordSink.lines(byteLimit: 1 << 24)
      let writer = try await writer(sink)
      let consumers = (0..<3).map { _ in
        Task { () -> Int in
          var count = 0
          for await _ in lines { count += 1 }
          return count
        }
      }
      consumers[0].cancel()
      let first = await consumers[0].value
      for number in 0..<100 { log(writer, "\(number)") }
      writer.close()
      let (second, third) = (await consumers[1].value, await consumers[2].value)
      // A header, a begin, the records and an end.
      #expect(first + second + third == 103)
    }

    @Test func aSinkOfLinesIsForOneWriter() async throws {
      let (sink, lines) = RecordSink.lines()
      let first = try await writer(sink)
      let error = await #expect(throws: EnvelopeError.self) { try await writer(sink) }
      #expect(error?.code == .invalidArgument)
      first.close()
      withExtendedLifetime(lines) {}
    }

    private final class Failures: @unchecked Sendable {
      private let lock = NSLock()
      private var seen: [EnvelopeError.Code] = []

      func add(_ error: EnvelopeError) { lock.withLock { seen.append(error.code) } }
      var codes: [EnvelopeError.Code] { lock.withLock { seen } }
    }
  }

  #if os(Linux)
    extension RecordWriter {
      /// Runs `body` while files cannot grow beyond the size that a file has.
      func withFileSizeLimit(of path: String, _ body: () throws -> Void) throws {
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        var old = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        unsafe getrlimit(resource, &old)
        signal(SIGXFSZ, SIG_IGN)
        // A line fits in part, so that one is torn.
        var limit = rlimit(rlim_cur: rlim_t(size + 400), rlim_max: old.rlim_max)
        unsafe setrlimit(resource, &limit)
        defer { unsafe setrlimit(resource, &old) }
        try body()
      }
    }
  #endif
#endif
