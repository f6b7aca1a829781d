// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20)))
  struct SegmentMappingTests {
    private struct Broken: Error {}

    private let written = WrittenDocuments()

    // MARK: Failures

    @Test(arguments: [
      (200, []), (302, []), (404, ["error"]), (429, ["error", "throttle"]), (499, ["error"]), (500, ["fault"]),
      (599, ["fault"]),
    ])
    func statusMarksFailure(status: Int, marks: [String]) throws {
      for name in ["http.response.status_code", "http.status_code"] {
        let written = WrittenDocuments()
        written.tracer().withSpan("root") { $0.attributes.set(name, value: .int64(Int64(status))) }
        let segment = try written.only()
        #expect(segment.marks == Set(marks))
        #expect(segment.json["http"]?["response"]?["status"] == .number("\(status)"))
        #expect(segment.annotations.isEmpty)
      }
    }

    @Test func statusDecidesBeforeThrownError() throws {
      let segment = try written.subsegment { span in
        span.recordError(Broken())
        span.setStatus(.init(code: .error))
        span.attributes.set("http.response.status_code", value: .int64(404))
      }
      #expect(segment.marks == ["error"])
      #expect(segment.exceptions.count == 1)
    }

    @Test func errorStatusIsFaultWithItsMessage() throws {
      let segment = try written.subsegment { $0.setStatus(.init(code: .error, message: "no stock")) }
      #expect(segment.marks == ["fault"])
      #expect(segment.exceptions.map { $0["message"] } == [.string("no stock")])
      #expect(segment.exceptions.first?["type"] == nil)
    }

    @Test func handledErrorIsNoFault() throws {
      let segment = try written.subsegment { span in
        span.recordError(Broken())
        span.setStatus(.init(code: .ok))
      }
      #expect(segment.marks.isEmpty)
      #expect(segment.exceptions.count == 1)
    }

    @Test func recordedErrorIsFault() throws {
      #expect(try written.subsegment { $0.recordError(Broken()) }.marks == ["fault"])
    }

    @Test func errorKeepsItsAttributesAndTime() throws {
      let segment = try written.subsegment {
        $0.recordError(Broken(), attributes: ["order": 7], at: DefaultTracerClock.Timestamp.at(250))
      }
      let exception = try #require(segment.json["metadata"]?["exceptions"]?.elements.first)
      #expect(exception["attributes"] == .object(["order": .number("7")]))
      #expect(exception["time"] == .number("1700000000.25"))
    }

    @Test func errorsBeyondTheCauseGoOnInMetadata() throws {
      struct Long: Error, CustomStringConvertible { let description: String }
      let segment = try written.subsegment { span in
        for index in 0..<10 { span.recordError(Long(description: "\(index)" + String(repeating: "x", count: 3_000))) }
      }
      let rest = segment.json["metadata"]?["exceptions"]?.elements ?? []
      #expect(segment.exceptions.count == 2)
      #expect((segment.exceptions + rest).compactMap { $0["message"]?.text?.first } == Array("0123456789"))
    }

    // MARK: HTTP

    @Test func requestAndResponseComeFromSemanticAttributes() throws {
      let segment = try written.subsegment(kind: .client) { span in
        span.attributes.merge([
          "http.request.method": "POST", "url.full": "https://a.example/b?c=d", "user_agent.original": "curl/8",
          "client.address": "192.0.2.1", "http.response.status_code": 201, "http.response.body.size": 12,
          "server.address": "a.example",
        ])
      }
      #expect(
        segment.json["http"]
          == .object([
            "request": .object([
              "method": .string("POST"), "url": .string("https://a.example/b?c=d"), "user_agent": .string("curl/8"),
              "client_ip": .string("192.0.2.1"),
            ]), "response": .object(["status": .number("201"), "content_length": .number("12")]),
          ]))
      #expect(segment.annotations == ["server_address": .string("a.example")])
      #expect(segment.json["namespace"] == .string("remote"))
    }

    @Test func composesURLOfItsParts() throws {
      let segment = try written.subsegment(kind: .client) { span in
        span.attributes.merge([
          "http.request.method": "GET", "url.scheme": "https", "server.address": "a.example", "server.port": 8_443,
          "url.path": "/b", "url.query": "c=d",
        ])
      }
      #expect(segment.json["http"]?["request"]?["url"] == .string("https://a.example:8443/b?c=d"))
    }

    @Test func serverOfOtherProtocolHasNoHTTP() throws {
      let segment = try written.subsegment(kind: .client) {
        $0.attributes.merge(["db.system": "postgresql", "server.address": "db", "server.port": 5_432])
      }
      #expect(segment.json["http"] == nil)
      #expect(segment.annotations.count == 3)
    }

    @Test func wrongTypesOfHTTPAttributesStayAttributes() throws {
      let segment = try written.subsegment { span in
        span.attributes.set("http.request.method", value: .int64(1))
        span.attributes.set("http.response.status_code", value: .string("200\",\"fault\":true"))
        span.attributes.set("http.response.body.size", value: .int64(-1))
        span.attributes.set("url.full", value: .string(String(repeating: "a", count: 3_000)))
        span.attributes.set("http.status_code", value: .int64(.max))
      }
      #expect(segment.json["http"] == nil)
      #expect(segment.marks.isEmpty)
      #expect(segment.annotations["http_request_method"] == .number("1"))
      #expect(segment.annotations["http_response_status_code"] == .string("200\",\"fault\":true"))
      #expect(segment.metadata["url.full"]?.text?.count == 3_000)
    }

    // MARK: Kinds and names

    @Test(arguments: [
      (SpanKind.client, true), (.producer, true), (.server, false), (.consumer, false), (.internal, false),
    ])
    func callsToOthersAreRemote(kind: SpanKind, isRemote: Bool) throws {
      let segment = try written.subsegment(kind: kind) { _ in }
      #expect(segment.json["namespace"] == (isRemote ? .string("remote") : nil))
    }

    @Test func rootIsNeverRemote() throws {
      let tracer = written.tracer()
      tracer.withSpan("root", ofKind: .client) { _ in }
      #expect(try written.only().json["namespace"] == nil)
    }

    @Test(arguments: [
      ("GET /users/{id}", "GET /users/_id_"), ("", "unnamed"), ("a\nb\tc", "a b c"), ("\u{0}\"<", "___"),
      ("Bücher 書籍", "Bücher 書籍"), ("a\u{202E}b", "a_b"), ("a\u{2028}b", "a b"), ("👍", "_"), ("a\\b", "a\\b"),
    ])
    func namesHaveCharactersOfXRay(name: String, expected: String) throws {
      let segment = try written.subsegment(name: name) { _ in }
      #expect(segment.name == expected)
      #expect(segment.json["metadata"]?["span"]?["operation"] == (name == expected ? nil : .string(name)))
      let other = WrittenDocuments()
      other.tracer(service: name).withSpan("root") { _ in }
      #expect(try other.only().name == expected)
    }

    @Test func longNamesAreCut() throws {
      let segment = try written.subsegment(name: String(repeating: "a", count: 1_000_000)) { _ in }
      #expect(segment.name.count == 200)
      #expect(segment.json["metadata"]?["span"]?["operation"]?.text?.hasSuffix("bytes cut]") == true)
      let wide = WrittenDocuments()
      wide.tracer(service: String(repeating: "𝒜", count: 150)).withSpan("root") { _ in }
      #expect(try wide.only().name.utf16.count == 200)
    }
  }
#endif
