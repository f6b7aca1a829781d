// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit
  public import Tracing

  /// Records spans as AWS X-Ray segment documents, which are sealed before they leave the process.
  ///
  /// The first span of a request in this process is a segment with the name of the service. The spans below it are its
  /// subsegments, over child tasks and task groups, and are written together with it. These are written as documents of
  /// their own:
  ///
  /// - spans that end after the segment's span has ended,
  /// - finished spans of a segment that has more than 100 of them, or 1 MiB, before it ends,
  /// - spans for which the document has no room: X-Ray takes 65,536 bytes,
  /// - spans with a clear annotation of the same name as another in the document, with another value.
  ///
  /// The metadata of a span that alone exceeds a document goes on in subsegments of it, whose metadata has the member
  /// `continues` with the id of the span, and `part`. A single value of more than 16 KiB is cut, and says how many
  /// bytes are missing. A span that never ends is not written.
  ///
  /// A sealed document shows the names of the service and of the operation, ids, times, whether the span failed, and
  /// the annotations whose attributes were chosen. Put no secret in the name of an operation. Attributes of HTTP become
  /// the `http` object of a segment; strings of at most 1,000 bytes, numbers and booleans become annotations, 50 and
  /// 8,192 bytes of them at most. All others, events and links are metadata, and errors are exceptions.
  ///
  /// Source: AWS X-Ray, segment documents.
  public struct SealedTracer: Tracer {
    let core: TracerCore

    /// Creates a tracer.
    ///
    /// - Parameters:
    ///   - service: The name of the service; X-Ray's characters, at most 200 of them, others become `_`.
    ///   - clearAnnotations: The names of attributes that stay readable, as the program sets them, `tenant.id` say.
    ///   - headerByteCount: The length of the header's text in each sealed document, at most 16,384.
    ///   - waitingCount: How many finished spans wait for their root.
    ///   - readsInvocations: Whether spans without a context belong to the trace in `_X_AMZN_TRACE_ID`. Nil stands for
    ///     whether AWS Lambda runs the process.
    ///   - write: Writes a document. Called without a lock, from several threads at once, when spans end.
    package init(
      service: String, clearAnnotations: Set<String> = [], headerByteCount: Int = 2_000, waitingCount: Int = 100,
      readsInvocations: Bool? = nil, writing write: @escaping @Sendable (SegmentDocument) -> Void
    ) {
      core = TracerCore(
        service: service, clearAnnotations: clearAnnotations,
        limits: TraceLimits(headerByteCount: headerByteCount, waitingCount: waitingCount),
        readsInvocations: readsInvocations ?? (ProcessEnvironment.value(of: "AWS_LAMBDA_RUNTIME_API") != nil),
        write: write)
    }

    /// Starts a span below the span of the context, or at the root of a trace.
    ///
    /// Without a trace in the context, the span belongs to the current invocation's trace in AWS Lambda, and starts a
    /// trace elsewhere. A span of a trace that is not sampled is not recorded, but its context carries the trace on.
    public func startSpan<Instant: TracerInstant>(
      _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
      at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> SealedSpan {
      var context = context()
      let recording = SpanRecording(name: operationName, kind: kind, start: instant().nanosecondsSinceEpoch)
      let parent =
        context.xRayTrace ?? (core.readsInvocations ? .currentInvocation() : nil)
        ?? TraceContext(trace: TraceID(startingAt: recording.start), segment: nil, isSampled: nil)
      guard parent.isSampled != false else {
        context.xRayTrace = parent
        return SealedSpan(unrecorded: recording, context: context)
      }
      let id = XRaySegmentID()
      if let tree = parent.tree, tree.core === core {
        context.xRayTrace = parent.child(id, in: tree)
        return SealedSpan(
          recording, id: id, parent: parent.segment, isSegment: false, in: tree, context: context)
      }
      let tree = SpanTree(core: core, trace: parent.trace, root: id)
      context.xRayTrace = parent.child(id, in: tree)
      return SealedSpan(
        recording, id: id, parent: parent.segment, isSegment: !parent.isInvocation || parent.segment == nil, in: tree,
        context: context)
    }

    /// Returns the span of the context if it has not ended.
    public func activeSpan(identifiedBy context: ServiceContext) -> SealedSpan? {
      guard let trace = context.xRayTrace, let tree = trace.tree, tree.core === core, let id = trace.segment else {
        return nil
      }
      return tree.activeSpan(identifiedBy: id)
    }

    /// Writes the finished spans that wait for their roots, as subsegments of their own.
    public func forceFlush() { core.flush() }
  }

  extension SealedTracer: CustomReflectable {
    /// A mirror without children, which shows no data of spans.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif
