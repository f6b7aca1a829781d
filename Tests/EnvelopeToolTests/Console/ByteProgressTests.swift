// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeTool

@Suite("Progress of files", .timeLimit(.minutes(20))) struct ByteProgressTests {
  @Test(arguments: [
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (9999, "9.9 kB"), (10_000, "10 kB"),
    (999_999, "999 kB"), (1_234_567, "1.2 MB"), (1_200_000_000, "1.2 GB"), (.max, "9.2 EB"),
  ]) func lengthsAreShort(byteCount: Int, text: String) { #expect(byteCount.byteText == text) }

  @Test func lineShowsRateAndTimeLeft() {
    let line = ByteProgress.line(500_000_000, of: 2_000_000_000, after: .seconds(2))
    #expect(line == "[#####...............] 500 MB of 2.0 GB, 250 MB/s, 7 s left")
    #expect(ByteProgress.line(500_000_000, of: nil, after: .seconds(2)) == "500 MB, 250 MB/s")
    #expect(ByteProgress.line(0, of: 2_000_000_000, after: .seconds(2)) == "[....................] 0 bytes of 2.0 GB")
    #expect(
      ByteProgress.line(2_000_000_000, of: 2_000_000_000, after: .seconds(4))
        == "[####################] 2.0 GB of 2.0 GB, 500 MB/s")
    #expect(ByteProgress.line(1000, of: 1_000_000, after: .seconds(1)).hasSuffix(", 16 min left"))
  }

  @Test func lineFitsTerminal() {
    for total in [0, 1, 999_999_999, .max] {
      for done in [0, 1, total / 3, total, .max] {
        for elapsed in [Duration.zero, .nanoseconds(1), .seconds(1), .seconds(1 << 40)] {
          let line = ByteProgress.line(done, of: total, after: elapsed)
          #expect(line.count < 80, "\(line)")
        }
      }
    }
  }

  @Test func terminalShowsLineForLongFilesOnly() throws {
    let sandbox = try Sandbox()
    try sandbox.write("", to: "plain")
    try sandbox.resize("plain", to: 80 << 20)
    let long = try sandbox.terminal(["file", "seal", "plain", "-o", "sealed"], steps: [])
    #expect(long.code == 0 && long.shown.contains(" of 83 MB") && long.shown.contains("Sealed plain (83 MB) under"))
    let verified = try sandbox.terminal(["file", "verify", "sealed"], steps: [])
    #expect(verified.shown.contains(" of 83 MB") && verified.shown.hasSuffix("sealed verifies: 83 MB.\r\n"))
    let piped = try sandbox.file("verify", "sealed").succeeded()
    #expect(piped.messages == "sealed verifies: 83 MB.\n")
    try sandbox.resize("plain", to: 1 << 20)
    let short = try sandbox.terminal(["file", "seal", "plain", "-o", "sealed"], steps: [])
    #expect(short.code == 0 && !short.shown.contains(" of 1"))
  }
}
