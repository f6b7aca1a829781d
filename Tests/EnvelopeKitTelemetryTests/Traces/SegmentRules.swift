// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import Testing

  @testable import EnvelopeKitTelemetry

  /// The rules of AWS X-Ray for segment documents.
  enum SegmentRules {
    private static let members: Set<String> = [
      "name", "id", "start_time", "end_time", "error", "fault", "throttle", "http", "cause", "annotations", "metadata",
      "subsegments",
    ]
    private static let httpMembers = [
      "request": Set(["method", "url", "user_agent", "client_ip"]), "response": ["status", "content_length"],
    ]

    static func check(_ document: SegmentDocument, headerByteCount: Int, _ location: SourceLocation) throws {
      let json = try StrictJSON(document.payload)
      // Foundation has to agree.
      _ = try JSONSerialization.jsonObject(with: Data(document.payload))
      checkSize(document, headerByteCount: headerByteCount, location)

      var independent: Set<String> = ["trace_id", "parent_id", "type"]
      let isSubsegment = json["type"] != nil
      if isSubsegment {
        #expect(json["type"] == .string("subsegment"), sourceLocation: location)
        #expect(json["parent_id"] != nil, sourceLocation: location)
        independent.insert("namespace")
      }
      let traceID = json["trace_id"]?.text ?? ""
      #expect(isTraceID(traceID), sourceLocation: location)
      if let parent = json["parent_id"] {
        #expect(isID(parent), sourceLocation: location)
      }
      try check(json, allowing: independent, location)
      try checkClear(document, json, location)

      var nested = json["subsegments"]?.elements ?? []
      while let subsegment = nested.popLast() {
        try check(subsegment, allowing: ["namespace"], location)
        nested += subsegment["subsegments"]?.elements ?? []
      }
    }

    /// Builds the sealed document as long as it can be.
    private static func checkSize(_ document: SegmentDocument, headerByteCount: Int, _ location: SourceLocation) {
      let sealed = String(repeating: "A", count: ((document.payload.count + 64) * 4 + 2) / 3)
      let header = String(repeating: "A", count: headerByteCount)
      let outer =
        "{" + String(decoding: SegmentDocument.json(of: document.clear), as: UTF8.self)
        + #","metadata":{"envelope":{"header":"\#(header)","segment":"AbCdEfGhIjKl","sequence":65535,"#
        + #""record":"trace","continues":true,"sealed":"\#(sealed)"}}}"#
      #expect(outer.utf8.count <= 65_536, sourceLocation: location)
    }

    private static func check(_ json: StrictJSON, allowing others: Set<String>, _ location: SourceLocation) throws {
      let unknown = Set(json.members.keys).subtracting(members).subtracting(others)
      #expect(unknown.isEmpty, sourceLocation: location)
      #expect(isID(json["id"]), sourceLocation: location)
      let name = try #require(json["name"]?.text, sourceLocation: location)
      #expect(isName(name), "\(name)", sourceLocation: location)
      let start = try #require(seconds(json["start_time"]), sourceLocation: location)
      let end = try #require(seconds(json["end_time"]), sourceLocation: location)
      #expect(start <= end, sourceLocation: location)
      for mark in ["error", "fault", "throttle"] {
        #expect([nil, .boolean(true)].contains(json[mark]), sourceLocation: location)
      }
      if let namespace = json["namespace"] { #expect(namespace == .string("remote"), sourceLocation: location) }
      checkAnnotations(json["annotations"], location)
      for (part, values) in json["http"]?.members ?? [:] {
        let allowed = try #require(httpMembers[part], sourceLocation: location)
        #expect(Set(values.members.keys).subtracting(allowed).isEmpty, sourceLocation: location)
        for number in ["status", "content_length"] where values[number] != nil {
          #expect(values[number]?.numberText.flatMap { Int($0) } != nil, sourceLocation: location)
        }
      }
      if let cause = json["cause"] {
        #expect(Set(cause.members.keys) == ["exceptions"], sourceLocation: location)
        for exception in cause["exceptions"]?.elements ?? [] {
          #expect(isID(exception["id"]), sourceLocation: location)
          #expect(
            Set(exception.members.keys).subtracting(["id", "type", "message"]).isEmpty, sourceLocation: location)
        }
      }
      if let metadata = json["metadata"] { #expect(!metadata.members.isEmpty, sourceLocation: location) }
    }

    private static func checkAnnotations(_ annotations: StrictJSON?, _ location: SourceLocation) {
      guard let annotations else { return }
      #expect((1...50).contains(annotations.members.count), sourceLocation: location)
      for (name, value) in annotations.members {
        #expect(isAnnotationName(name), sourceLocation: location)
        #expect(value.isScalar, sourceLocation: location)
      }
    }

    /// The readable members say the same as the document.
    private static func checkClear(_ document: SegmentDocument, _ json: StrictJSON, _ location: SourceLocation) throws {
      let clear = try WrittenSegment(document).clear
      let shown: Set<String> = [
        "name", "id", "trace_id", "parent_id", "type", "start_time", "end_time", "error", "fault", "throttle",
        "annotations",
      ]
      #expect(Set(clear.members.keys).isSubset(of: shown), sourceLocation: location)
      for name in shown where name != "annotations" {
        #expect(clear[name] == json[name], "\(name)", sourceLocation: location)
      }
      checkAnnotations(clear["annotations"], location)
    }

    private static func isName(_ name: String) -> Bool {
      !name.isEmpty && name.utf16.count <= 200
        && name.unicodeScalars.allSatisfy { scalar in
          "_.:/%&#=+\\-@ ".unicodeScalars.contains(scalar) || CharacterSet.alphanumerics.contains(scalar)
        }
    }

    private static func isAnnotationName(_ name: String) -> Bool {
      (1...500).contains(name.utf8.count)
        && name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || SegmentName.isLetterOrDigit($0) }
    }

    private static func isHexadecimal(_ text: some Collection<UInt8>, digits: Int) -> Bool {
      text.count == digits
        && text.allSatisfy {
          (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }

    private static func isID(_ value: StrictJSON?) -> Bool {
      isHexadecimal(Array((value?.text ?? "").utf8), digits: 16)
    }

    private static func isTraceID(_ text: String) -> Bool {
      let parts = Array(text.utf8).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
      return parts.count == 3 && parts[0].elementsEqual("1".utf8) && isHexadecimal(parts[1], digits: 8)
        && isHexadecimal(parts[2], digits: 24)
    }

    /// Returns nil unless the number has no exponent and at most six decimals, the last of them not zero.
    private static func seconds(_ value: StrictJSON?) -> Double? {
      guard let text = value?.numberText, !text.contains("e"), !text.contains("-") else { return nil }
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      if parts.count > 1 {
        guard (1...6).contains(parts[1].count), parts[1].last != "0" else { return nil }
      }
      return Double(text)
    }
  }
#endif
