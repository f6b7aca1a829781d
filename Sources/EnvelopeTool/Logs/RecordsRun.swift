// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit
  import EnvelopeKitFiles

  /// Receives what is found in logs and traces.
  protocol RecordConsumer: AnyObject {
    var report: FindingReport { get }
    func take(
      _ origin: RecordReader.Origin, clear: RawSpan, payload: RawSpan, at place: LinePlaces.Place
    ) throws(EnvelopeError)
    func takeForeign(_ line: RawSpan) throws(EnvelopeError)
    /// Called when all that has arrived was read.
    func flush() throws(EnvelopeError)
    /// Called at the end, after the last finding.
    func end(segmentCount: Int) throws(EnvelopeError)
  }

  /// Reads the records of some inputs, one after the other, as one log.
  struct RecordsRun: ~Copyable {
    private var reader: RecordReader
    private var places = LinePlaces()
    private let keyring: OpeningKeyring
    private let consumer: any RecordConsumer
    private let findsSubsegments: Bool

    /// - Parameter order: `.any` also reads the documents that are embedded in others.
    init(
      _ settings: FileSettings, _ sender: AnonymousSender, order: RecordReader.Order,
      to consumer: any RecordConsumer
    ) throws(EnvelopeError) {
      keyring = OpeningKeyring(settings)
      reader = try RecordReader(
        context: settings.context, using: keyring, anonymousSender: sender, order: order)
      self.consumer = consumer
      findsSubsegments = order == .any
    }

    /// Writes what came of what was read.
    func flush() throws(EnvelopeError) { try consumer.flush() }

    /// Begins another file; what it holds belongs to the same log.
    mutating func begin(_ file: String) { places.begin(file) }

    /// Reads what has arrived.
    mutating func read(_ input: inout LogInput) async throws {
      while let line = input.next() {
        switch line.form {
        case .line: try await read(line, input)
        case .malformed: consumer.report.reportDamagedExport(at: places.note(line, at: reader.lineCount + 1))
        case .compressed: throw EnvelopeError.isCompressed
        case .tooLong:
          consumer.report.reportTooLong(at: places.note(line, at: reader.lineCount + 1))
          try input.withLine { (bytes) throws(EnvelopeError) in try consumer.takeForeign(bytes) }
        }
      }
    }

    private mutating func read(_ line: LogInput.Line, _ input: borrowing LogInput) async throws {
      guard findsSubsegments else { return try await read(line, input, 0..<Int.max) }
      for range in input.withLine({ TraceDocuments.ranges(in: $0) }) { try await read(line, input, range) }
    }

    private mutating func read(_ line: LogInput.Line, _ input: borrowing LogInput, _ range: Range<Int>) async throws {
      let place = places.note(line, at: reader.lineCount + 1)
      while true {
        let header = try input.withLine { (bytes) throws(EnvelopeError) in
          try readOnce(bytes.extracting(range.clamped(to: 0..<bytes.byteCount)), place)
        }
        guard let header else { return }
        try await reader.unlock(header)
      }
    }

    private mutating func readOnce(_ bytes: RawSpan, _ place: LinePlaces.Place) throws(EnvelopeError) -> [UInt8]? {
      let consumer = consumer
      return try reader.read(bytes) { (item, clear, payload) throws(EnvelopeError) in
        switch item {
        case .record(let origin):
          if origin.type == .dropped { consumer.report.reportDropped(payload, at: place) }
          try consumer.take(origin, clear: clear, payload: payload, at: place)
          consumer.report.countRecord(origin)
        case .other:
          consumer.report.countForeign()
          try consumer.takeForeign(bytes)
        case .finding(let finding): consumer.report.report(finding, at: place)
        }
      }
    }

    /// Ends the log.
    ///
    /// - Throws: Why no segment opened, if none did; `noHeader` if nothing is sealed; `ExitCode` if something was found.
    mutating func finish(_ files: [String]) async throws {
      let (consumer, places) = (consumer, places)
      try reader.finish { (finding) throws(EnvelopeError) in
        consumer.report.report(finding, at: places.place(of: finding.line))
      }
      try consumer.flush()
      if reader.segmentCount == 0, let error = consumer.report.firstError {
        try await EnvelopeError.advisingOptions(opening: keyring.entries) { throw error }
      }
      consumer.report.reportUnopened()
      if reader.segmentCount > 0 || consumer.report.failureCount > 0 {
        try consumer.end(segmentCount: reader.segmentCount)
      }
      consumer.report.finish()
      guard consumer.report.failureCount == 0 else { throw ExitCode(ExitStatus.dataError.rawValue) }
      guard reader.segmentCount > 0 else {
        throw EnvelopeError(
          .noHeader, "Nothing in \(EnvelopeError.listed(files.map(\.shownInput))) is sealed",
          advice: "See what it is: envelope inspect FILE")
      }
    }
  }

  extension EnvelopeError {
    fileprivate static let isCompressed = EnvelopeError(
      .usage, "The input is compressed, and gzip is not read",
      advice: "Decompress it: gzip -dc FILE | envelope logs open")
  }
#endif
