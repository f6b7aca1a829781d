// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import Synchronization
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  /// Collects what a tracer writes.
  final class WrittenDocuments: Sendable {
    private let written = Mutex<[SegmentDocument]>([])

    func tracer(
      service: String = "shop", clear: Set<String> = [], headerByteCount: Int = 2_000, waitingCount: Int = 100,
      readsInvocations: Bool = false
    ) -> SealedTracer {
      SealedTracer(
        service: service, clearAnnotations: clear, headerByteCount: headerByteCount, waitingCount: waitingCount,
        readsInvocations: readsInvocations
      ) { document in
        self.written.withLock { $0.append(document) }
      }
    }

    var count: Int { written.withLock { $0.count } }
    var all: [SegmentDocument] { written.withLock { $0 } }

    /// Returns what was written, each document checked against X-Ray's rules.
    func checked(headerByteCount: Int = 2_000, _ location: SourceLocation = #_sourceLocation) throws -> [WrittenSegment]
    {
      try all.map { document in
        let segment = try WrittenSegment(document)
        try SegmentRules.check(document, headerByteCount: headerByteCount, location)
        return segment
      }
    }

    /// Returns the only document.
    func only(_ location: SourceLocation = #_sourceLocation) throws -> WrittenSegment {
      let all = try checked(location)
      try #require(all.count == 1, sourceLocation: location)
      return all[0]
    }

    /// Returns the subsegment of a span that `body` filled.
    func subsegment(
      kind: SpanKind = .internal, name: String = "span", clear: Set<String> = [], _ body: (SealedSpan) -> Void
    ) throws -> WrittenSegment {
      let tracer = tracer(clear: clear)
      tracer.withSpan("root") { _ in tracer.withSpan(name, ofKind: kind, body) }
      return try #require(try only().subsegments.first)
    }
  }

  /// A segment or subsegment as it was written.
  struct WrittenSegment {
    let json: StrictJSON
    /// The readable members of the document; empty for a subsegment inside another.
    let clear: StrictJSON
    let parent: String?

    init(_ document: SegmentDocument) throws {
      json = try StrictJSON(document.payload)
      clear = try StrictJSON(Array("{".utf8) + SegmentDocument.json(of: document.clear) + Array("}".utf8))
      parent = json["parent_id"]?.text
    }

    private init(_ json: StrictJSON, parent: String?) {
      self.json = json
      clear = .object([:])
      self.parent = parent
    }

    var id: String { json["id"]?.text ?? "" }
    var name: String { json["name"]?.text ?? "" }
    var isSubsegment: Bool { json["type"] == .string("subsegment") }
    var annotations: [String: StrictJSON] { json["annotations"]?.members ?? [:] }
    var metadata: [String: StrictJSON] { json["metadata"]?["default"]?.members ?? [:] }
    var exceptions: [StrictJSON] { json["cause"]?["exceptions"]?.elements ?? [] }
    /// The span whose metadata this subsegment goes on with.
    var continues: String? { json["metadata"]?["span"]?["continues"]?.text }

    /// The marks that are set.
    var marks: Set<String> { Set(["error", "fault", "throttle"].filter { json[$0] == .boolean(true) }) }

    var subsegments: [WrittenSegment] {
      (json["subsegments"]?.elements ?? []).map { WrittenSegment($0, parent: id) }
    }

    /// The segment and all inside it.
    var everything: [WrittenSegment] {
      var all = [self]
      var next = 0
      while next < all.count {
        all += all[next].subsegments
        next += 1
      }
      return all
    }
  }

  extension DefaultTracerClock.Timestamp {
    /// A point in time in milliseconds after the first of the tests.
    static func at(_ milliseconds: UInt64) -> Self {
      .init(nanosecondsSinceEpoch: 1_700_000_000_000_000_000 + milliseconds * 1_000_000)
    }
  }

  extension ServiceContext {
    /// The id of the span that the context belongs to.
    var segmentID: String { xRayTrace?.segmentID ?? "" }
  }
#endif
