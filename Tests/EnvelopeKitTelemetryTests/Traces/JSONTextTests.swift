// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import Foundation
  import TestSupport
  import Testing
  import Tracing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20)))
  struct JSONTextTests {
    @Test(arguments: [
      (0, "0"), (1, "0"), (999, "0"), (1_000, "0.000001"), (999_999_999, "0.999999"), (1_000_000_000, "1"),
      (1_478_293_361_271_000_000, "1478293361.271"), (1_478_293_361_000_449_999, "1478293361.000449"),
      (1_500_000_000, "1.5"), (10_000_000_000, "10"), (10_100_000_000, "10.1"), (UInt64.max, "18446744073.709551"),
    ])
    func secondsHaveAtMostSixDecimals(nanoseconds: UInt64, text: String) {
      #expect(JSONText.seconds(nanoseconds) == text)
    }

    @Test(arguments: [
      "", "\"", "\\", "\\\"", "\u{0}", "\u{1F}\u{7F}\u{80}\u{9B}31m\u{9F}", "\u{A0}¢", "é𝒜👩‍👩‍👧", "\u{FFFD}",
      "\u{2028}\u{2029}", "\"},\"fault\":true,{\"", "\u{1B}[2J", "\r\n\t\u{8}\u{C}", "</script>",
      String(decoding: [0xFF, 0xC2, 0xC2, 0x80, 0xED, 0xA0, 0x80], as: UTF8.self),
    ])
    func hostileStringsSurvive(_ string: String) throws {
      var text = JSONText()
      text.append(string: string)
      #expect(try StrictJSON(text.bytes) == .string(string))
      let decoded = try JSONSerialization.jsonObject(with: Data(text.bytes), options: .fragmentsAllowed)
      #expect((decoded as? String).map { Array($0.utf8) } == Array(string.utf8))
    }

    @Test func foreignStringsOfFoundationSurvive() throws {
      let string = NSString(string: "é\u{1}\"") as String
      var text = JSONText()
      text.append(string: string)
      #expect(try StrictJSON(text.bytes) == .string("é\u{1}\""))
    }

    @Test(arguments: seeds)
    func randomStringsSurviveOrAreCut(seed: UInt64) throws {
      var random = SplitMix64(seed: seed)
      for _ in 0..<500 {
        let string = String(
          decoding: random.bytes(Int.random(in: 0...200, using: &random)), as: UTF8.self)
        let limit = Int.random(in: 0...300, using: &random)
        var text = JSONText()
        let isWhole = text.append(string: string, limit: limit)
        let read = try #require(try StrictJSON(text.bytes).text, "seed \(seed)")
        #expect(text.count <= limit + 40, "seed \(seed)")
        if isWhole {
          #expect(Array(read.utf8) == Array(string.utf8), "seed \(seed)")
        } else {
          let note = try #require(read.range(of: "… [", options: [.backwards, .literal]))
          let kept = Array(read[..<note.lowerBound].utf8)
          #expect(Array(string.utf8).starts(with: kept), "seed \(seed)")
          #expect(read[note.lowerBound...] == "… [\(string.utf8.count - kept.count) bytes cut]", "seed \(seed)")
        }
      }
    }

    @Test func hostileTextForgesNoMember() throws {
      let hostile = "x\",\"id\":\"0000000000000000\",\"fault\":true,\"y\":\"\\"
      let written = WrittenDocuments()
      let tracer = written.tracer(service: hostile, clear: [hostile])
      tracer.withSpan(hostile) { span in
        span.attributes[hostile] = hostile
        span.attributes.set("array", value: .stringArray([hostile]))
        span.attributes.set("http.request.method", value: .string(hostile))
        span.addEvent(.init(name: hostile, attributes: [hostile: .string(hostile)]))
        tracer.withSpan(hostile) { _ in }
      }
      let segment = try written.only()
      #expect(segment.marks.isEmpty)
      #expect(segment.id != "0000000000000000")
      #expect(segment.clear["annotations"]?.members.values.map(\.text) == [hostile])
      #expect(segment.subsegments.count == 1)
    }
  }
#endif
