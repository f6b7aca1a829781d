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

    @Test func fractionsAreLeftOut() {
      #expect(Timestamp.seconds(of: "2026-11-24T02:25:11.123Z") == Timestamp.seconds(of: "2026-11-24T02:25:11Z"))
    }

    @Test(arguments: [
      "", "Z", "2026-11-24", "2026-11-24T02:25:11", "2026-11-24T02:25:11+00:00", "2026-13-24T02:25:11Z",
      "2026-00-24T02:25:11Z", "2026-11-32T02:25:11Z", "2026-11-24T24:25:11Z", "2026-11-24T02:60:11Z",
      "2026-11-24T02:25:61Z", "1969-11-24T02:25:11Z", "20x6-11-24T02:25:11Z", "+026-11-24T02:25:11Z",
      "2026-11-24T02:25:11.Z", "2026-11-24T02:25:11.1x3Z", "2026-11-24 02:25:11Z", "２026-11-24T02:25:1Z",
    ])
    func whatIsNoMomentIsNone(text: String) { #expect(Timestamp.seconds(of: text) == nil) }
  }
#endif
