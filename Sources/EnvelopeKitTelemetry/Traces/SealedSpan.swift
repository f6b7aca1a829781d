// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Synchronization
  public import Tracing

  /// A span of ``SealedTracer``.
  ///
  /// All references to a span share its data. A span ends once: later ends and changes are ignored. A span that is
  /// released without an end is not written; its finished children are, as subsegments of their own.
  ///
  /// A span keeps at most 1,000 events, 1,000 links and 1,000 errors, and about 1 MiB of them. The document says how
  /// many were dropped.
  public final class SealedSpan: Span {
    private struct State {
      var recording: SpanRecording
      var isEnded: Bool
    }

    /// The context of the span, with its trace and segment.
    public let context: ServiceContext
    private let id: XRaySegmentID
    private let parent: XRaySegmentID?
    private let isSegment: Bool
    /// The tree that records the span; nil if the trace is not sampled.
    private let tree: SpanTree?
    private let state: Mutex<State>

    /// Starts a span that is recorded.
    init(
      _ recording: SpanRecording, id: XRaySegmentID, parent: XRaySegmentID?, isSegment: Bool, in tree: SpanTree,
      context: ServiceContext
    ) {
      self.context = context
      self.id = id
      self.parent = parent
      self.isSegment = isSegment
      self.tree = tree
      state = Mutex(State(recording: recording, isEnded: false))
      tree.begin(self, identifiedBy: id)
    }

    /// Starts a span that is not recorded.
    init(unrecorded recording: SpanRecording, context: ServiceContext) {
      self.context = context
      id = XRaySegmentID()
      parent = nil
      isSegment = false
      tree = nil
      state = Mutex(State(recording: recording, isEnded: true))
    }

    deinit {
      guard let tree, !state.withLock({ $0.isEnded }) else { return }
      tree.abandon(id)
    }

    /// Whether the span records: false for a trace that is not sampled, and after the end.
    public var isRecording: Bool { state.withLock { !$0.isEnded } }

    /// The name of the operation.
    ///
    /// X-Ray shows it, restricted to its characters, as the readable name of a subsegment.
    public var operationName: String {
      get { state.withLock { $0.recording.name } }
      set { change { $0.name = newValue } }
    }

    /// The attributes of the span: annotations, the `http` object or metadata of its segment.
    public var attributes: SpanAttributes {
      get { state.withLock { $0.recording.attributes } }
      set {
        // The former values leave the lock: their release may run foreign code.
        var attributes = newValue
        change { swap(&$0.attributes, &attributes) }
      }
    }

    /// Sets whether the operation failed, with an optional message.
    public func setStatus(_ status: SpanStatus) { change { $0.status = status } }

    /// Adds an event, which becomes metadata of the segment.
    public func addEvent(_ event: SpanEvent) { change { $0.append(event) } }

    /// Adds a link to another span, which becomes metadata of the segment.
    public func addLink(_ link: SpanLink) { change { $0.append(link) } }

    /// Records an error, which becomes an exception of the segment with its type and description.
    public func recordError<Instant: TracerInstant>(
      _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
      guard isRecording else { return }
      // Foreign code describes the error, so without the lock.
      let failure = SpanRecording.Failure(
        type: String(reflecting: type(of: error)), message: String(describing: error), attributes: attributes,
        nanoseconds: instant().nanosecondsSinceEpoch)
      change { $0.append(failure) }
    }

    /// Ends the span: it is written with its root, or at once if the root has ended.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
      let end = instant().nanosecondsSinceEpoch
      let recording = state.withLock { state -> SpanRecording? in
        guard !state.isEnded else { return nil }
        state.isEnded = true
        let recording = state.recording
        state.recording.removeOccurrences()
        return recording
      }
      guard let recording, let tree else { return }
      let renderer = SpanRenderer(
        id: id, parent: parent, isSegment: isSegment, service: tree.core.service,
        clearAnnotations: tree.core.clearAnnotations, limits: tree.core.limits)
      tree.finish(renderer.render(recording, end: end))
    }

    private func change(_ body: (inout SpanRecording) -> Void) {
      state.withLock { state in
        guard !state.isEnded else { return }
        body(&state.recording)
      }
    }
  }

  extension SealedSpan: CustomStringConvertible, CustomReflectable {
    /// The ids of the span, as in a tracing header.
    public var description: String { context.xRayTrace?.header ?? "" }

    /// A mirror without children, which shows no data of the span.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif
