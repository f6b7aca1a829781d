// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20)))
  struct SegmentAttributeTests {
    private struct Broken: Error {}

    private let written = WrittenDocuments()

    // MARK: Attributes

    @Test func scalarsAreAnnotationsAndOthersMetadata() throws {
      let segment = try written.subsegment { span in
        span.attributes.merge([
          "a.string": "b", "int": 7, "double": 0.5, "bool": true, "ints": .int64Array([1, 2]),
          "strings": .stringArray(["a", "b"]), "doubles": .doubleArray([0.25, .nan]),
          "bools": .boolArray([true, false]),
          "int32s": .int32Array([]), "convertible": .stringConvertible(12),
          "convertibles": .stringConvertibleArray([1]),
          "long": .string(String(repeating: "x", count: 1_001)), "": "no name",
        ])
      }
      #expect(
        segment.annotations == [
          "a_string": .string("b"), "int": .number("7"), "double": .number("0.5"), "bool": .boolean(true),
        ])
      #expect(
        segment.metadata == [
          "ints": .array([.number("1"), .number("2")]), "strings": .array([.string("a"), .string("b")]),
          "doubles": .array([.number("0.25"), .string("NaN")]), "bools": .array([.boolean(true), .boolean(false)]),
          "int32s": .array([]), "convertible": .string("12"), "convertibles": .array([.string("1")]),
          "long": .string(String(repeating: "x", count: 1_001)), "": .string("no name"),
        ])
    }

    @Test func numbersKeepTheirValue() throws {
      let segment = try written.subsegment { span in
        span.attributes.merge([
          "nan": .double(.nan), "infinity": .double(.infinity), "negative": .double(-.infinity), "min": .int64(.min),
          "max": .int64(.max), "min32": .int32(.min), "tiny": .double(.leastNonzeroMagnitude),
          "huge": .double(.greatestFiniteMagnitude), "zero": .double(-0.0),
        ])
      }
      #expect(
        segment.annotations == [
          "nan": .string("NaN"), "infinity": .string("Infinity"), "negative": .string("-Infinity"),
          "min": .number("-9223372036854775808"), "max": .number("9223372036854775807"),
          "min32": .number("-2147483648"),
          "tiny": .number("5e-324"), "huge": .number("1.7976931348623157e+308"), "zero": .number("-0.0"),
        ])
    }

    @Test func annotationsBeyondTheLimitAreMetadata() throws {
      let segment = try written.subsegment { span in
        for index in 0..<80 { span.attributes["key\(index)"] = index }
      }
      #expect(segment.annotations.count == 50)
      #expect(segment.metadata.count == 30)
    }

    @Test func equalAnnotationNamesKeepBothValues() throws {
      let segment = try written.subsegment(clear: ["a_b"]) { span in
        span.attributes.merge(["a.b": 1, "a-b": 2, "a_b": 3])
      }
      #expect(segment.annotations == ["a_b": .number("3")])
      #expect(segment.metadata == ["a.b": .number("1"), "a-b": .number("2")])
    }

    @Test func eventsAndLinksAreMetadata() throws {
      let linked = WrittenDocuments().tracer().startSpan("linked")
      let segment = try written.subsegment { span in
        span.addEvent(.init(name: "paid", at: DefaultTracerClock.Timestamp.at(1), attributes: ["amount": 12]))
        span.addEvent("plain")
        span.addLink(.init(context: linked.context, attributes: ["why": "retry"]))
        span.addLink(.init(context: .topLevel, attributes: [:]))
      }
      let events = segment.json["metadata"]?["events"]?.elements ?? []
      #expect(events.map { $0["name"] } == [.string("paid"), .string("plain")])
      #expect(events.first?["time"] == .number("1700000000.001"))
      #expect(events.first?["attributes"] == .object(["amount": .number("12")]))
      let links = segment.json["metadata"]?["links"]?.elements ?? []
      #expect(links.first?["id"] == .string(linked.context.segmentID))
      #expect(links.first?["trace_id"]?.text == linked.context.xRayTrace?.traceID)
      #expect(links.last == .object([:]))
      #expect(links.count == 2)
    }

    @Test func occurrencesBeyondTheLimitAreCounted() throws {
      let tracer = written.tracer()
      tracer.withSpan("root") { span in
        for _ in 0..<1_005 {
          span.addEvent("e")
          span.addLink(.init(context: .topLevel, attributes: [:]))
          span.recordError(Broken())
        }
      }
      let segments = try written.checked()
      let root = try #require(segments.first { $0.continues == nil })
      for name in ["dropped_events", "dropped_links", "dropped_exceptions"] {
        #expect(root.json["metadata"]?["span"]?[name] == .number("5"))
      }
      #expect(segments.reduce(0) { $0 + ($1.json["metadata"]?["events"]?.elements.count ?? 0) } == 1_000)
      #expect(segments.reduce(0) { $0 + ($1.json["metadata"]?["links"]?.elements.count ?? 0) } == 1_000)
    }

    @Test func eventsOfLongSpanTakeBoundedMemory() throws {
      let tracer = written.tracer()
      tracer.withSpan("root") { span in
        for _ in 0..<100 {
          span.addEvent(.init(name: "e", attributes: ["a": .string(String(repeating: "a", count: 100_000))]))
        }
      }
      let root = try #require(try written.checked().first { $0.continues == nil })
      #expect(root.json["metadata"]?["span"]?["dropped_events"] == .number("89"))
    }

    // MARK: The clear part

    @Test func onlyChosenAnnotationsAreClear() throws {
      let tracer = written.tracer(clear: ["tenant.id", "missing", "long", "list", "http.request.method"])
      tracer.withSpan("root") { root in
        root.attributes.merge([
          "tenant.id": "a", "tenant_id": "hunter2", "tenant.idx": "hunter2", "password": "hunter2",
          "long": .string(String(repeating: "hunter2", count: 200)), "list": .stringArray(["hunter2"]),
          "http.request.method": "GET", "url.full": "https://hunter2/", "Tenant.id": "hunter2",
        ])
        root.addEvent(.init(name: "hunter2", attributes: ["tenant.id": "hunter2"]))
        root.addLink(.init(context: .topLevel, attributes: ["tenant.id": "hunter2"]))
        root.setStatus(.init(code: .error, message: "hunter2"))
        root.recordError(Broken(), attributes: ["tenant.id": "hunter2"])
        tracer.withSpan("child") { $0.attributes["password"] = "hunter2" }
      }
      let segment = try written.only()
      #expect(
        segment.clear["annotations"]
          == .object(["tenant_id": .string("a"), "http_request_method": .string("GET")]))
      #expect(segment.annotations["tenant_id"] == .string("a"))
      #expect(segment.metadata["tenant_id"] == .string("hunter2"))
      let document = try #require(written.all.first)
      #expect(!String(decoding: SegmentDocument.json(of: document.clear), as: UTF8.self).contains("hunter2"))
      #expect(!"\(document.clear)".contains("hunter2"))
    }

    @Test func equivalentUnicodeIsNotTheChosenName() throws {
      // The same for Swift's strings, and not the same bytes.
      let segment = try written.subsegment(clear: ["caf\u{E9}"]) { $0.attributes["cafe\u{301}"] = "hunter2" }
      #expect(segment.annotations == ["cafe_": .string("hunter2")])
      #expect(try written.only().clear["annotations"] == nil)
    }

    @Test func clearIntegersBeyondDoublesAreStrings() throws {
      let tracer = written.tracer(clear: ["a", "b", "c"])
      tracer.withSpan("root") { $0.attributes.merge(["a": .int64(.max), "b": .int64(1 << 53), "c": .double(1e300)]) }
      #expect(
        try written.only().clear["annotations"]
          == .object([
            "a": .string("9223372036854775807"), "b": .number("9007199254740992"), "c": .number("1e+300"),
          ]))
    }

    @Test func clearAnnotationsOfDescendantsShowUnlessTheyContradict() throws {
      let tracer = written.tracer(clear: ["tenant", "order"])
      tracer.withSpan("root") { root in
        root.attributes["tenant"] = "a"
        tracer.withSpan("same") { same in
          same.attributes["tenant"] = "a"
          same.attributes["order"] = 7
        }
        tracer.withSpan("none") { _ in tracer.withSpan("other") { $0.attributes["tenant"] = "b" } }
        tracer.withSpan("other type") { $0.attributes["order"] = "7" }
      }
      let segments = try written.checked()
      let root = try #require(segments.first { $0.name == "shop" })
      #expect(root.clear["annotations"] == .object(["tenant": .string("a"), "order": .number("7")]))
      #expect(root.everything.map(\.name) == ["shop", "same"])
      let none = try #require(segments.first { $0.name == "none" })
      #expect(none.clear["annotations"] == .object(["tenant": .string("b")]))
      #expect(segments.contains { $0.name == "other type" && $0.isSubsegment })
      #expect(segments.count == 3)
    }
  }
#endif
