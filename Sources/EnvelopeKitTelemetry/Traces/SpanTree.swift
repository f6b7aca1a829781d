// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Synchronization

  /// The spans of one trace under one root of this process: the active ones, and the finished ones that wait for the
  /// root.
  final class SpanTree: Sendable {
    private struct State {
      var isClosed = false
      var active: [XRaySegmentID: ActiveSpan] = [:]
      var waiting: [FinishedSpan] = []
      var waitingByteCount = 0

      mutating func takeWaiting() -> [FinishedSpan] {
        waitingByteCount = 0
        let taken = waiting
        waiting = []
        return taken
      }
    }

    private struct ActiveSpan {
      weak var span: SealedSpan?
    }

    let core: TracerCore
    let trace: TraceID
    let root: XRaySegmentID
    private let state = Mutex(State())

    init(core: TracerCore, trace: TraceID, root: XRaySegmentID) {
      self.core = core
      self.trace = trace
      self.root = root
      core.register(self)
    }

    func begin(_ span: SealedSpan, identifiedBy id: XRaySegmentID) {
      state.withLock { $0.active[id] = ActiveSpan(span: span) }
    }

    func activeSpan(identifiedBy id: XRaySegmentID) -> SealedSpan? {
      // The reference leaves the lock: if it is the last one, its release locks again.
      state.withLock { $0.active[id]?.span }
    }

    /// Takes a finished span, and writes the spans that need not wait any longer.
    ///
    /// A span waits for its root, so that one document holds both. It does not wait if the root has ended. All that
    /// wait are written when they are too many.
    func finish(_ span: FinishedSpan) {
      let ready = state.withLock { state -> [FinishedSpan] in
        state.active[span.id] = nil
        state.waiting.append(span)
        state.waitingByteCount += span.byteCount
        if span.id == root { state.isClosed = true }
        let isFull =
          state.waiting.count > core.limits.waitingCount || state.waitingByteCount > TraceLimits.waitingByteCount
        return state.isClosed || isFull ? state.takeWaiting() : []
      }
      if span.id == root { core.unregister(self) }
      write(ready)
    }

    /// Forgets a span that was released without an end.
    ///
    /// If it is the root, nothing waits for it any longer.
    func abandon(_ id: XRaySegmentID) {
      let ready = state.withLock { state -> [FinishedSpan] in
        state.active[id] = nil
        guard id == root else { return [] }
        state.isClosed = true
        return state.takeWaiting()
      }
      if id == root { core.unregister(self) }
      write(ready)
    }

    /// Writes the finished spans that wait.
    func flush() { write(state.withLock { $0.takeWaiting() }) }

    private func write(_ spans: [FinishedSpan]) {
      guard !spans.isEmpty else { return }
      for document in SegmentForest.documents(of: spans, trace: trace, limits: core.limits) { core.write(document) }
    }
  }

  extension SpanTree: CustomReflectable {
    var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif
