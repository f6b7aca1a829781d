// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import TestSupport
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  private struct Headers: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? {
      carrier.first { $0.key.lowercased() == key.lowercased() }?.value
    }

    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
  }

  @Suite(.timeLimit(.minutes(20)))
  struct TraceHeaderTests {
    private static let root = "1-5759e988-bd862e3fe1be46a994272793"
    private static let parent = "53995c3f42cd8ad8"
    private static let header = "Root=\(root);Parent=\(parent);Sampled=1"

    @Test(arguments: [
      header, "Root=\(root)", "Root=\(root);Sampled=0", "Root=\(root);Parent=\(parent)",
      "\(header);Lineage=a87bd80c:1|68fd508a:5", "Root=1-00000000-000000000000000000000000",
    ])
    func headerSurvivesRoundTrip(_ header: String) {
      #expect(TraceContext(header: header)?.header == header)
    }

    @Test func readsTheFields() throws {
      let context = try #require(TraceContext(header: Self.header))
      #expect(context.traceID == Self.root)
      #expect(context.segmentID == Self.parent)
      #expect(context.isSampled == true)
      let undecided = try #require(TraceContext(header: "Root=\(Self.root);Sampled=?"))
      #expect(undecided.segmentID == nil)
      #expect(undecided.isSampled == nil)
    }

    @Test(arguments: [
      " Root=\(root) ; Parent=\(parent)\t;Sampled=1;", "Sampled=1;Parent=\(parent);Root=\(root)",
      "Self=1-67891234-12456789abcdef012345678;\(header)", ";;\(header);nothing;=;a=;=b",
      header.replacingOccurrences(of: "bd862e3f", with: "BD862E3F"),
    ])
    func acceptsOtherSpellings(_ header: String) {
      #expect(TraceContext(header: header)?.header == Self.header)
    }

    static let malformed = [
      "", ";", "Root", "Root=", "root=\(root)", "Parent=\(parent);Sampled=1", root, "Root=\(root)0",
      "Root=1-5759e988-bd862e3fe1be46a99427279", "Root=2-5759e988-bd862e3fe1be46a994272793",
      "Root=1-5759e98g-bd862e3fe1be46a994272793", "Root=1-5759e988-bd862e3fe1be46a9942727-93",
      "Root=15759e988bd862e3fe1be46a994272793", "Root=1--bd862e3fe1be46a994272793",
      "Root=1-+759e988-bd862e3fe1be46a994272793",
      "Root=\(root);Root=\(root)", "Root=\(root);Parent=", "Root=\(root);Parent=53995c3f42cd8ad",
      "Root=\(root);Parent=53995c3f42cd8ad8;Parent=53995c3f42cd8ad8", "Root=\(root);Parent=\(parent)\u{0}",
      "Root=\(root);Parent=53995c3f42cd8aé", header + ";Filler=" + String(repeating: "a", count: 1_024),
      "Root = \(root)", "\u{FEFF}\(header)", "Root=\"\(root)\"", "Root=\(root),Parent=\(parent)",
    ]

    @Test(arguments: malformed)
    func refusesMalformedHeader(_ header: String) { #expect(TraceContext(header: header) == nil) }

    @Test(arguments: [
      "a b=c", "Lineage=a\r\nSet-Cookie: b", "Lineage=\u{1}", "é=1", "Lineage=é", "Lineage=a=b", "Lineage=\"",
      "Lineage=" + String(repeating: "a", count: 256),
    ])
    func dropsFurtherFieldsThatCouldHarmOthers(_ field: String) {
      #expect(TraceContext(header: "\(Self.header);\(field)")?.header == Self.header)
    }

    @Test(arguments: seeds)
    func randomHeadersNeitherTrapNorForgeFields(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      for _ in 0..<2_000 {
        var bytes = Array(Self.header.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
        guard let context = TraceContext(header: String(decoding: bytes, as: UTF8.self)) else { continue }
        #expect(TraceContext(header: context.header)?.header == context.header, "seed \(seed)")
        #expect(context.header.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "seed \(seed)")
      }
    }

    @Test func requestContinuesTheTraceOfItsHeader() throws {
      let written = WrittenDocuments()
      let tracer = written.tracer()
      var context = ServiceContext.topLevel
      tracer.extract(["x-amzn-trace-id": Self.header + ";Lineage=a:1"], into: &context, using: Headers())
      var outgoing: [String: String] = [:]
      tracer.withSpan("GET", context: context, ofKind: .server) { span in
        tracer.inject(span.context, into: &outgoing, using: Headers())
      }
      let segment = try written.only()
      #expect(segment.json["trace_id"] == .string(Self.root))
      #expect(segment.parent == Self.parent)
      #expect(!segment.isSubsegment)
      #expect(outgoing == ["X-Amzn-Trace-Id": "Root=\(Self.root);Parent=\(segment.id);Sampled=1;Lineage=a:1"])
    }

    @Test func noDecisionIsRecordedAndPassedOnAsSampled() throws {
      let written = WrittenDocuments()
      let tracer = written.tracer()
      var context = ServiceContext.topLevel
      context.xRayTrace = TraceContext(header: "Root=\(Self.root)")
      tracer.withSpan("GET", context: context) { #expect($0.context.xRayTrace?.isSampled == true) }
      #expect(try written.only().parent == nil)
    }

    @Test func unsampledTraceIsNotRecordedButPassedOn() {
      let written = WrittenDocuments()
      let tracer = written.tracer()
      var context = ServiceContext.topLevel
      let header = "Root=\(Self.root);Parent=\(Self.parent);Sampled=0"
      tracer.extract([TraceContext.headerName: header], into: &context, using: Headers())
      tracer.withSpan("GET", context: context) { span in
        #expect(!span.isRecording)
        span.attributes["a"] = 1
        span.addEvent("event")
        #expect(span.attributes.isEmpty)
        #expect(span.operationName == "GET")
        #expect(tracer.activeSpan(identifiedBy: span.context) == nil)
        tracer.withSpan("inner") { inner in
          #expect(!inner.isRecording)
          var outgoing: [String: String] = [:]
          tracer.inject(inner.context, into: &outgoing, using: Headers())
          #expect(outgoing == [TraceContext.headerName: header])
        }
      }
      tracer.forceFlush()
      #expect(written.count == 0)
    }

    @Test func malformedHeaderStartsNewTrace() throws {
      let written = WrittenDocuments()
      let tracer = written.tracer()
      var context = ServiceContext.topLevel
      context.xRayTrace = TraceContext(header: Self.header)
      tracer.extract([TraceContext.headerName: "Root=\(Self.root);Parent=x"], into: &context, using: Headers())
      tracer.withSpan("GET", context: context) { _ in }
      let segment = try written.only()
      #expect(segment.json["trace_id"] != .string(Self.root))
      #expect(segment.parent == nil)
    }

    @Test func missingHeaderLeavesContextAlone() {
      let tracer = WrittenDocuments().tracer()
      var context = ServiceContext.topLevel
      tracer.extract([:], into: &context, using: Headers())
      #expect(context.xRayTrace == nil)
      context.xRayTrace = TraceContext(header: Self.header)
      tracer.extract([:], into: &context, using: Headers())
      #expect(context.xRayTrace?.header == Self.header)
      var outgoing: [String: String] = [:]
      tracer.inject(.topLevel, into: &outgoing, using: Headers())
      #expect(outgoing.isEmpty)
    }

    @Test func rootTraceHasTimeOfItsStart() throws {
      let written = WrittenDocuments()
      written.tracer().startSpan("root", at: DefaultTracerClock.Timestamp.at(0)).end()
      #expect(try written.only().json["trace_id"]?.text?.hasPrefix("1-6553f100-") == true)
    }

    @Test func idsDiffer() {
      let tracer = WrittenDocuments().tracer()
      let contexts = (0..<1_000).map { _ in tracer.startSpan("a").context }
      #expect(Set(contexts.map(\.segmentID)).count == 1_000)
      #expect(Set(contexts.map { $0.xRayTrace?.traceID }).count == 1_000)
    }

    @Test func rootOfInvocationIsSubsegmentOfTheFunction() throws {
      let written = WrittenDocuments()
      let tracer = written.tracer()
      var context = ServiceContext.topLevel
      context.xRayTrace = TraceContext(invocationHeader: Self.header)
      tracer.withSpan("handle", context: context) { _ in tracer.withSpan("inner") { _ in } }
      let segment = try written.only()
      #expect(segment.isSubsegment)
      #expect(segment.name == "handle")
      #expect(segment.parent == Self.parent)
      #expect(segment.subsegments.map(\.name) == ["inner"])
    }

    @Test func invocationWithoutSegmentHasItsOwn() throws {
      let written = WrittenDocuments()
      var context = ServiceContext.topLevel
      context.xRayTrace = TraceContext(invocationHeader: "Root=\(Self.root);Sampled=1")
      written.tracer().withSpan("handle", context: context) { _ in }
      #expect(try !written.only().isSubsegment)
    }
  }

  /// The variable is the process's, so these tests run one after another and no others read it.
  @Suite(.serialized, .timeLimit(.minutes(20)))
  struct InvocationVariableTests {
    private static let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled="

    private func with(_ value: String?, _ body: () -> Void) {
      if let value { unsafe setenv("_X_AMZN_TRACE_ID", value, 1) } else { unsafe unsetenv("_X_AMZN_TRACE_ID") }
      defer { unsafe unsetenv("_X_AMZN_TRACE_ID") }
      body()
    }

    @Test func eachInvocationHasItsTrace() throws {
      let written = WrittenDocuments()
      let tracer = written.tracer(readsInvocations: true)
      with(Self.header + "1") {
        tracer.withSpan("first") { _ in }
      }
      #expect(try written.only().parent == "53995c3f42cd8ad8")
      with(Self.header.replacingOccurrences(of: "53995", with: "63995") + "1") {
        tracer.withSpan("second") { _ in }
      }
      #expect(try written.checked().map(\.parent) == ["53995c3f42cd8ad8", "63995c3f42cd8ad8"])
    }

    @Test func unsampledInvocationIsNotRecorded() {
      let written = WrittenDocuments()
      with(Self.header + "0") { written.tracer(readsInvocations: true).withSpan("a") { #expect(!$0.isRecording) } }
      #expect(written.count == 0)
    }

    @Test(arguments: [nil, "", "Root=1"])
    func unusableVariableStartsNewTrace(_ value: String?) throws {
      let written = WrittenDocuments()
      with(value) {
        #expect(TraceContext.currentInvocation() == nil)
        written.tracer(readsInvocations: true).withSpan("a") { _ in }
      }
      #expect(try written.only().parent == nil)
    }

    @Test func contextComesBeforeVariable() throws {
      let written = WrittenDocuments()
      var context = ServiceContext.topLevel
      context.xRayTrace = TraceContext(header: "Root=1-6759e988-bd862e3fe1be46a994272793")
      with(Self.header + "1") { written.tracer(readsInvocations: true).withSpan("a", context: context) { _ in } }
      #expect(try written.only().json["trace_id"] == .string("1-6759e988-bd862e3fe1be46a994272793"))
    }

    @Test func variableCountsOnlyInLambda() throws {
      let written = WrittenDocuments()
      with(Self.header + "1") { written.tracer(readsInvocations: false).withSpan("a") { _ in } }
      #expect(try written.only().parent == nil)
    }
  }
#endif
