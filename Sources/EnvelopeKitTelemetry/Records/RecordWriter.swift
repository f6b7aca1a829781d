// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKitFiles
  internal import Synchronization
  public import EnvelopeKit

  /// Seals records in segments, and writes them as lines (`Docs/Format.md`, section Records).
  ///
  /// One writer serves all log handlers and tracers that write to the same place. Each record is written before the call that
  /// logs returns, so a crash loses at most the records that are being written. Nothing waits for a timer: a process that is
  /// frozen between two events, as on AWS Lambda, goes on where it was.
  ///
  /// The data key of the next segment is fetched ahead, in a task of its own. If that fails, the segment goes on, and fetching
  /// is tried again with a later record; after 65,536 records without success, records are dropped and counted.
  public final class RecordWriter: Sendable {
    private let state: Mutex<RecordState>
    private let source: SegmentSource
    private let texts = Mutex<[RecordText]>([])
    private let queue: LineQueue?
    private let report: @Sendable (EnvelopeError) -> Void
    private let fetching = Mutex<Task<Void, Never>?>(nil)

    /// Fetches the first data key and opens the sink.
    ///
    /// - Parameters:
    ///   - sink: Where the lines go.
    ///   - context: Pairs that must be given again to open. The pair `function` narrows local keys.
    ///   - suite: The cipher.
    ///   - limits: When a segment ends.
    ///   - keyring: Generates and wraps a data key for each segment. With one that can wrap and not unwrap, as one of
    ///     recipients, a process that is taken over cannot open what it wrote before.
    ///   - report: Receives why writing or fetching a data key failed. By default the first failure of each kind is printed
    ///     to standard error. It must not log.
    /// - Throws: `unsupportedSuite`, `invalidArgument` for a context that breaks a limit or a keyring of a passphrase,
    ///   `fileFailure`, `fileBusy` if another process writes to the file, or what the keyring throws.
    public init(
      to sink: RecordSink, context: EncryptionContext, suite: AlgorithmSuite = .chaCha20Poly1305,
      limits: SegmentLimits = SegmentLimits(), using keyring: some Keyring,
      reporting report: (@Sendable (EnvelopeError) -> Void)? = nil
    ) async throws {
      queue = if case .queue(let queue) = sink.place { queue } else { nil }
      source = SegmentSource(context: context, suite: suite, keyring: keyring)
      self.report = report ?? Self.printFirst()
      let segment = try await source.make()
      let output = try RecordOutput(sink)
      state = Mutex(RecordState(output, limits, suite))
      let failure = state.withLock { state -> EnvelopeError? in
        state.spare = segment
        return state.begin(at: .now)
      }
      if let failure { throw failure }
    }

    deinit { close() }

    private static func printFirst() -> @Sendable (EnvelopeError) -> Void {
      let printed = Mutex<Set<EnvelopeError.Code>>([])
      return { error in
        guard printed.withLock({ $0.insert(error.code).inserted }) else { return }
        StandardError.writeLine("EnvelopeKit: \(error)")
      }
    }

    /// Whether the system keeps the keys of the current segment out of swap.
    public var isLocked: Bool { state.withLock { $0.isLocked } }

    /// Waits until no data key is on its way; for tests.
    func awaitFetch() async { await fetching.withLock { $0 }?.value }

    /// The length of the text of the segment's header in bytes.
    var headerByteCount: Int { state.withLock { $0.headerByteCount } }

    /// How many records were dropped and have not been reported in the log yet.
    public var droppedRecordCount: UInt64 { state.withLock { $0.droppedCount } }

    /// Writes what is left and waits until the disk has it, if the sink is a file.
    ///
    /// Synchronous, for fatal errors. A record of level critical does the same.
    public func flush() {
      let failure = state.withLock { $0.flush(at: .now) }
      if let failure { report(failure) }
    }

    /// Ends the segment with a final record; what is logged later is dropped.
    ///
    /// To be called at shutdown. A log whose process did not call it shows as unfinished.
    public func close() {
      queue?.stopWaiting()
      let failure = state.withLock { $0.close(at: .now) }
      if let failure { report(failure) }
    }

    /// Lets `body` write a record's text outside of the lock, and then seals and writes it.
    package func write(_ type: RecordType, flushes: Bool = false, _ body: (RecordText, RecordTime) -> Void) {
      let now = RecordTime.now
      let text = texts.withLock { $0.popLast() } ?? RecordText()
      body(text, now)
      let (failure, fetches) = state.withLock { state -> (EnvelopeError?, Bool) in
        let failure = state.write(type, text, at: now)
        return (flushes ? state.flush(at: now) ?? failure : failure, state.startsFetching(at: now))
      }
      text.wipe()
      if text.isSmall { texts.withLock { if $0.count < 64 { $0.append(text) } } }
      if let failure { report(failure) }
      if fetches { fetch() }
    }

    /// Fetches the data key of the next segment.
    private func fetch() {
      let task = Task.detached(priority: .utility) { [source, weak self] in
        do {
          let segment = try await source.make()
          self?.state.withLock { $0.finishFetching(segment) }
        } catch {
          self?.state.withLock { $0.failFetching(at: .now) }
          self?.report(
            error as? EnvelopeError
              ?? EnvelopeError(.keyServiceUnavailable, "Cannot fetch a data key for the log: \(type(of: error))"))
        }
      }
      fetching.withLock { $0 = task }
    }
  }

  extension RecordWriter: CustomReflectable {
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif
