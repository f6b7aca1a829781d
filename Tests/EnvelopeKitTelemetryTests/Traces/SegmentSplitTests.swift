// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import TestSupport
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20)))
  struct SegmentSplitTests {
    private let written = WrittenDocuments()

    /// The metadata of a span and its continuations.
    private func metadata(of id: String, in segments: [WrittenSegment]) -> [String: StrictJSON] {
      segments.filter { $0.id == id || $0.continues == id }.reduce(into: [:]) { $0.merge($1.metadata) { a, _ in a } }
    }

    @Test func limitLeavesRoomForSealing() {
      for header in [0, 500, 2_000, 16_384, 100_000] {
        let limits = TraceLimits(headerByteCount: header, waitingCount: 100)
        for clear in [300, 1_000, 9_000] {
          let payload = limits.payloadByteCount(besideClear: clear)
          #expect(limits.sealedByteCount(clear: clear, payload: payload) <= 65_536)
          #expect(limits.sealedByteCount(clear: clear, payload: payload + 3) > 65_536)
          // What is not metadata always fits.
          #expect(payload > 28_000)
        }
      }
    }

    @Test(arguments: seeds, [0, 7, 100, 5_000])
    func everySpanIsWrittenOnceAndFits(seed: UInt64, waitingCount: Int) throws {
      var random = SplitMix64(seed: seed &+ UInt64(waitingCount))
      let written = WrittenDocuments()
      let tracer = written.tracer(clear: ["tenant"], waitingCount: waitingCount)
      var started: [SealedSpan] = []
      var active: [SealedSpan] = []
      var parents: [String: String] = [:]
      var markers: [String: String] = [:]
      for index in 0..<Int.random(in: 1...220, using: &random) {
        // A chain, a star or anything between.
        let parent = Bool.random(using: &random) ? started.last : started.randomElement(using: &random)
        let span = tracer.startSpan(
          "span \(index)", context: parent?.context ?? .topLevel,
          ofKind: [.client, .internal].randomElement(using: &random) ?? .internal)
        let id = span.context.segmentID
        if let parent { parents[id] = parent.context.segmentID }
        markers[id] = "marker \(index)"
        span.attributes["marker"] = "marker \(index)"
        fill(span, using: &random)
        started.append(span)
        active.append(span)
        while active.count > 1, Int.random(in: 0..<3, using: &random) == 0 {
          active.remove(at: Int.random(in: 0..<active.count, using: &random)).end()
        }
        if Int.random(in: 0..<100, using: &random) == 0 { tracer.forceFlush() }
      }
      for span in active.shuffled(using: &random) { span.end() }

      let documents = try written.checked()
      let segments = documents.flatMap(\.everything)
      let spans = segments.filter { $0.continues == nil }
      #expect(spans.count == started.count, "seed \(seed)")
      #expect(Set(spans.map(\.id)) == Set(markers.keys), "seed \(seed)")
      #expect(Set(segments.map(\.id)).count == segments.count, "seed \(seed)")
      for span in spans {
        #expect(span.parent == parents[span.id], "seed \(seed)")
        let marker = span.annotations["marker"]?.text ?? metadata(of: span.id, in: segments)["marker"]?.text
        #expect(marker == markers[span.id], "seed \(seed)")
      }
      for document in documents {
        for span in document.everything where span.annotations["tenant"] != nil {
          #expect(document.clear["annotations"]?["tenant"] == span.annotations["tenant"], "seed \(seed)")
        }
      }
      for part in segments where part.continues != nil {
        #expect(part.parent == part.continues, "seed \(seed)")
        #expect(markers[part.continues ?? ""] != nil, "seed \(seed)")
      }
      #expect(Set(documents.map { $0.json["trace_id"] }).count == 1, "seed \(seed)")
      #expect(documents.filter { !$0.isSubsegment }.count == 1, "seed \(seed)")
      #expect(tracer.core.openTreeCount == 0)
    }

    private func fill(_ span: SealedSpan, using random: inout SplitMix64) {
      if Int.random(in: 0..<10, using: &random) == 0 {
        span.attributes["tenant"] = Int.random(in: 0...2, using: &random)
      }
      for index in 0..<Int.random(in: 0...6, using: &random) {
        let size = [0, 10, 900, 900, 3_000, 20_000].randomElement(using: &random) ?? 0
        let text = String(repeating: ["a", "\u{1}", "\"", "é", "𝒜"].randomElement(using: &random) ?? "a", count: size)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: span.addEvent(.init(name: text, attributes: ["text": .string(text)]))
        case 1: span.attributes.set("array \(index)", value: .stringArray([text, text]))
        case 2: span.setStatus(.init(code: .error, message: text))
        default: span.attributes.set("key \(index)", value: .string(text))
        }
      }
    }

    @Test func treeTooLargeForOneDocumentIsSplit() throws {
      let tracer = written.tracer()
      tracer.withSpan("root") { _ in
        for index in 0..<10 {
          tracer.withSpan("child \(index)") { child in
            child.attributes["large"] = String(repeating: "x", count: 9_000)
            tracer.withSpan("grandchild") { _ in }
          }
        }
      }
      let segments = try written.checked()
      // Five of the ten fit in the document of the root, and each other has its own.
      #expect(segments.count == 6)
      #expect(segments.last?.name == "shop")
      #expect(segments.flatMap(\.everything).count == 21)
      let alone = segments.filter(\.isSubsegment)
      #expect(alone.allSatisfy { $0.parent == segments.last?.id && $0.subsegments.count == 1 })
    }

    @Test func metadataOfLargeSpanGoesOnInSubsegments() throws {
      let tracer = written.tracer()
      let root = tracer.startSpan("root")
      let child = tracer.startSpan("child", context: root.context)
      for index in 0..<12 { child.attributes["key \(index)"] = String(repeating: "x", count: 10_000) }
      child.end()
      root.end()
      let segments = try written.checked().flatMap(\.everything)
      let parts = segments.filter { $0.continues != nil }
      #expect(parts.count >= 2)
      #expect(parts.allSatisfy { $0.parent == child.context.segmentID && $0.name == "child" })
      #expect(
        parts.compactMap { $0.json["metadata"]?["span"]?["part"]?.numberText }
          == (2..<parts.count + 2).map(\.description))
      let all = metadata(of: child.context.segmentID, in: segments)
      #expect(all.count == 12)
      #expect(all.values.allSatisfy { $0.text?.count == 10_000 })
      #expect(segments.reduce(0) { $0 + $1.metadata.count } == 12)
    }

    @Test(arguments: ["x", "\u{1}", "é", "𝒜", "\""])
    func largeValueIsCutAndSaysHowMuch(character: String) throws {
      let text = String(repeating: character, count: 1_000_000)
      written.tracer().withSpan("root") { $0.attributes["large"] = text }
      let value = try #require(try written.only().metadata["large"]?.text)
      let match = try #require(value.wholeMatch(of: /(.*)… \[([0-9]+) bytes cut\]/.dotMatchesNewlines()))
      #expect(text.hasPrefix(match.1))
      #expect(Int(match.2) == text.utf8.count - match.1.utf8.count)
      #expect(match.1.utf8.count > 2_000)
    }

    @Test func valueOfExactlyTheLimitIsWhole() throws {
      let text = String(repeating: "x", count: 16_384)
      written.tracer().withSpan("root") {
        $0.attributes["whole"] = text
        $0.attributes["cut"] = text + "x"
      }
      let segments = try written.checked()
      let all = metadata(of: segments.first { $0.continues == nil }?.id ?? "", in: segments)
      #expect(all["whole"] == .string(text))
      #expect(all["cut"]?.text?.hasSuffix("bytes cut]") == true)
    }

    @Test func largeArraysEventsAndErrorsAreCut() throws {
      struct Long: Error, CustomStringConvertible { let description = String(repeating: "\u{7}", count: 100_000) }
      let text = String(repeating: "x", count: 100_000)
      written.tracer().withSpan("root") { span in
        span.attributes.set("array", value: .int64Array(Array(repeating: .min, count: 100_000)))
        span.attributes.set("strings", value: .stringArray(Array(repeating: text, count: 10)))
        span.addEvent(.init(name: text, attributes: ["a": .string(text), "b": .string(text), "c": 1]))
        span.recordError(Long(), attributes: ["a": .string(text)])
        span.setStatus(.init(code: .error, message: text))
      }
      let segments = try written.checked()
      let array = segments.compactMap { $0.metadata["array"] }.first?.elements ?? []
      #expect(array.last?.text?.hasSuffix("elements cut]") == true)
      #expect(array.count > 700)
      let events = segments.flatMap { $0.json["metadata"]?["events"]?.elements ?? [] }
      let event = try #require(events.first)
      #expect(event["name"]?.text?.hasSuffix("bytes cut]") == true)
      #expect(event["attributes"]?["a"]?.text?.hasSuffix("bytes cut]") == true)
    }

    @Test func tenThousandAttributesAreAllWritten() throws {
      let span = written.tracer().startSpan("root")
      var attributes = SpanAttributes()
      for index in 0..<10_000 { attributes.set("key \(index)", value: .string("value \(index)")) }
      span.attributes = attributes
      span.end()
      let segments = try written.checked()
      let all = metadata(of: span.context.segmentID, in: segments)
      let root = try #require(segments.first { $0.id == span.context.segmentID })
      #expect(all.count + root.annotations.count == 10_000)
      #expect(root.annotations.count == 50)
    }

    @Test func longNamesOfAttributesStayDistinct() throws {
      let name = String(repeating: "n", count: 100_000)
      written.tracer().withSpan("root") { span in
        for index in 0..<20 { span.attributes.set("\(name)\(index)", value: .int64(Int64(index))) }
        span.addEvent(.init(name: "e", attributes: ["\(name)a": 1, "\(name)b": 2]))
      }
      let segments = try written.checked()
      #expect(segments.reduce(0) { $0 + $1.metadata.count } == 20)
      #expect(
        segments.flatMap { $0.json["metadata"]?["events"]?.elements ?? [] }.first?["attributes"]?.members.count == 2)
    }

    @Test func largestAnnotationsRequestAndCauseFit() throws {
      // All that is not metadata at its largest, all of it escaped, with all annotations clear and the longest header.
      let control = String(repeating: "\u{1}", count: 10_000)
      let tracer = written.tracer(
        service: String(repeating: "書", count: 200), clear: Set((0..<60).map { "key \($0)" }), headerByteCount: 16_384)
      tracer.withSpan("root") { span in
        for index in 0..<60 { span.attributes["key \(index)"] = String(control.prefix(900)) }
        span.attributes.set("url.full", value: .string(String(control.prefix(340))))
        span.attributes.set("http.request.method", value: .string(String(control.prefix(85))))
        span.attributes.set("user_agent.original", value: .string(String(control.prefix(85))))
        span.attributes.set("client.address", value: .string(String(control.prefix(85))))
        span.setStatus(.init(code: .error, message: control))
        span.operationName = control
        for _ in 0..<10 { tracer.withSpan("child") { $0.attributes["large"] = control } }
      }
      let segments = try written.checked(headerByteCount: 16_384)
      #expect(segments.flatMap(\.everything).filter { $0.continues == nil }.count == 11)
    }

    @Test func deepChainsNeitherOverflowNorNestTooDeep() throws {
      let depth = 20_000
      let tracer = written.tracer(waitingCount: .max)
      var spans: [SealedSpan] = []
      spans.reserveCapacity(depth)
      for _ in 0..<depth { spans.append(tracer.startSpan("s", context: spans.last?.context ?? .topLevel)) }
      for span in spans.reversed() { span.end() }
      let segments = try written.checked()
      #expect(segments.flatMap(\.everything).count == depth)
      for segment in segments {
        var level = [segment]
        var height = 0
        while !level.isEmpty {
          level = level.flatMap(\.subsegments)
          height += 1
        }
        #expect(height <= 64)
      }
    }

    @Test func wideTreesAreSplit() throws {
      let tracer = written.tracer(waitingCount: .max)
      let root = tracer.startSpan("root")
      for _ in 0..<3_000 { tracer.startSpan("child", context: root.context).end() }
      root.end()
      #expect(try written.checked().flatMap(\.everything).count == 3_001)
    }
  }
#endif
