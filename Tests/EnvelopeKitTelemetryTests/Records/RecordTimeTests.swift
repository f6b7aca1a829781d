// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitTelemetry

  @Suite(.timeLimit(.minutes(20))) struct RecordTimeTests {
    private func text(_ milliseconds: Int64) -> String {
      var output = GrowingBuffer()
      RecordTime(milliseconds: milliseconds).append(to: &output)
      return output.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
    }

    @Test(
      arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
      ] as [(Int64, String)]) func daysAroundTheEndOfFebruary(time: (Int64, String))
    {
      #expect(text(time.0) == time.1)
    }

    @Test(arguments: seeds) func agreesWithFoundation(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      let style = Date.ISO8601FormatStyle(includingFractionalSeconds: false)
      for _ in 0..<2000 {
        let seconds = Int64.random(in: 0...253_402_300_799, using: &random)
        let expected = Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(style)
        #expect(text(seconds * 1000 + 7) == expected.dropLast() + ".007Z")
      }
    }

    @Test func aClockThatWasSetBackCountsAsPast() {
      let (early, late) = (RecordTime(milliseconds: 1000), RecordTime(milliseconds: 5000))
      #expect(early.isAfter(late, by: 60_000))
      #expect(late.isAfter(early, by: 4000) && !late.isAfter(early, by: 4001))
    }
  }
#endif
