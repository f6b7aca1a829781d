// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct TimestampTests {
    /// Foundation's calendar is the peer.
    @Test(arguments: seeds)
    func everySecondIsWrittenAsFoundationWritesIt(seed: UInt64) {
      let peer = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
      let spaced = Date.ISO8601FormatStyle()
      var random = SplitMix64(seed: seed)
      var moments: [UInt64] = [0, 951_782_399, 951_782_400, 951_868_800, 4_107_542_399, 4_107_542_400]
      moments += (0..<200).map { _ in UInt64.random(in: 0..<7_000_000_000, using: &random) }
      for moment in moments {
        let date = Date(timeIntervalSince1970: TimeInterval(moment))
        #expect(Timestamp.basic(moment) == date.formatted(peer), "seed \(seed): \(moment)")
        #expect(Timestamp.seconds(of: date.formatted(spaced)) == moment, "seed \(seed): \(moment)")
      }
    }

    /// 2026-11-24T02:25:11Z in other forms of ISO 8601.
    @Test(arguments: [
      "2026-11-24T02:25:11Z", "2026-11-24T02:25:11.123Z", "2026-11-24T02:25:11,5Z", "2026-11-24T02:25:11.123456789Z",
      "2026-11-24t02:25:11z", "2026-11-24 02:25:11Z", "20261124T022511Z", "20261124T022511.25Z",
      "2026-11-24T02:25:11+00:00", "2026-11-24T02:25:11-00:00", "2026-11-24T02:25:11+0000", "2026-11-24T02:25:11+00",
      "2026-11-24T07:55:11+05:30", "2026-11-23T18:25:11-08:00", "20261123T182511-0800", "2026-11-24T02:25:11.9-00",
      "2026-11-24T022511Z", "20261124T02:25:11Z",
    ])
    func readsEveryFormOfISO8601(text: String) {
      #expect(Timestamp.seconds(of: text) == 1_795_487_111)
    }

    @Test func readsTimesWithoutSeconds() {
      #expect(Timestamp.seconds(of: "2026-11-24T02:25Z") == 1_795_487_100)
      #expect(Timestamp.seconds(of: "20261124T0225+01") == 1_795_483_500)
      #expect(Timestamp.seconds(of: "2024-02-29T00:00:00Z") == 1_709_164_800)
    }

    @Test(arguments: [
      "", "Z", "T", "2026-11-24", "2026-11-24T", "2026-11-24Z", "2026-11-24T02:25:11", "2026-11-24T02Z",
      "2026-13-24T02:25:11Z", "2026-00-24T02:25:11Z", "2026-11-32T02:25:11Z", "2026-11-31T02:25:11Z",
      "2026-02-29T02:25:11Z", "2026-11-00T02:25:11Z", "2026-11-24T24:25:11Z", "2026-11-24T02:60:11Z",
      "2026-11-24T02:25:61Z", "1969-11-24T02:25:11Z", "1970-01-01T00:00:00+00:01", "20x6-11-24T02:25:11Z",
      "+026-11-24T02:25:11Z", "2026-11-24T02:25:11.Z", "2026-11-24T02:25:11.1x3Z", "2026-11-24  02:25:11Z",
      "２026-11-24T02:25:1Z", "2026-11-24T02:25:11Z ", " 2026-11-24T02:25:11Z", "2026-11-24T02:25:11ZZ",
      "2026-11-24T02:25:11+24:00", "2026-11-24T02:25:11+01:60", "2026-11-24T02:25:11+1:00", "2026-11-24T02:25:11+01:",
      "2026-11-24T02:25:11+01:0", "2026-1124T02:25:11Z", "2026-11-24T02:2511Z", "2026-W48-2T02:25:11Z",
      "2026-328T02:25:11Z", "1795487111", "tomorrow",
    ])
    func refusesTextThatIsNoMoment(text: String) { #expect(Timestamp.seconds(of: text) == nil) }
  }
#endif
