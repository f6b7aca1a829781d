// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  public import Tracing

  /// Identifies the trace and the segment that new spans belong to, as AWS X-Ray does.
  ///
  /// ``SealedTracer`` keeps one in the `ServiceContext` of each span and of each request whose tracing header it read.
  /// Source: AWS X-Ray, tracing header and segment documents.
  public struct TraceContext: Sendable {
    let trace: TraceID
    let segment: XRaySegmentID?
    /// Whether the trace is recorded: false means that spans are not recorded, nil that no service has decided yet.
    public let isSampled: Bool?
    /// Further fields of the tracing header, `Lineage=…` say, each behind a semicolon; passed on unchanged.
    let furtherFields: String
    /// Whether AWS Lambda writes the segment itself, so that roots of this process are subsegments of it.
    let isInvocation: Bool
    /// The tree that `segment` is a span of, if this process records it.
    let tree: SpanTree?

    init(
      trace: TraceID, segment: XRaySegmentID?, isSampled: Bool?, furtherFields: String = "", isInvocation: Bool = false,
      tree: SpanTree? = nil
    ) {
      self.trace = trace
      self.segment = segment
      self.isSampled = isSampled
      self.furtherFields = furtherFields
      self.isInvocation = isInvocation
      self.tree = tree
    }

    /// The id of the trace: `1-`, eight hexadecimal digits, `-` and 24 hexadecimal digits.
    public var traceID: String { trace.text }

    /// The id of the segment that is the parent of new spans: 16 hexadecimal digits, or nil if there is none yet.
    public var segmentID: String? { segment?.text }

    /// Returns the context of a span of the same trace.
    func child(_ id: XRaySegmentID, in tree: SpanTree) -> TraceContext {
      TraceContext(
        trace: trace, segment: id, isSampled: true, furtherFields: furtherFields, isInvocation: isInvocation, tree: tree
      )
    }
  }

  extension TraceContext: CustomStringConvertible, CustomReflectable {
    /// The text of the tracing header for requests to other services.
    public var description: String { header }

    /// A mirror without children, which shows no data of spans.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }

  private enum TraceContextKey: ServiceContextKey {
    typealias Value = TraceContext
    static var nameOverride: String? { "xray-trace" }
  }

  extension ServiceContext {
    /// The trace that new spans of this context belong to.
    ///
    /// Defaults to none: a span then starts a trace.
    public var xRayTrace: TraceContext? {
      get { self[TraceContextKey.self] }
      set { self[TraceContextKey.self] = newValue }
    }
  }
#endif
