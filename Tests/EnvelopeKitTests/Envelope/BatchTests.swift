// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct BatchTests {
  /// Below, at and above the hundred whose nonces are drawn together.
  @Test(arguments: [0, 1, 2, 99, 100, 101, 200, 257], AlgorithmSuite.here)
  func roundTrips(count: Int, suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let seed: UInt64 = 0x5eed_0301
    var random = SplitMix64(seed: seed)
    let plaintexts = (0..<count).map { _ in random.bytes(Int(random.next() % 200)) }
    let rows = rows(count)
    let envelopes = try sealer.seal(plaintexts, authenticating: rows)
    #expect(envelopes.map(\.count) == plaintexts.map { $0.count + sealer.overheadByteCount })
    for (index, envelope) in envelopes.enumerated() {
      let opened = try opener.open(envelope, authenticating: rows[index])
      #expect(opened.copy() == plaintexts[index], "seed \(seed), index \(index)")
    }
    // Those that are given one by one are no different.
    var given: [[UInt8]] = []
    try sealer.seal(plaintexts, authenticating: rows) { index, envelope in
      #expect(index == given.count)
      given.append([UInt8](copying: envelope))
    }
    #expect(given.count == count && Set(given + envelopes).count == 2 * count)
    for envelopes in [envelopes, given] {
      var opened: [[UInt8]] = []
      try opener.open(envelopes, authenticating: rows) { index, plaintext in
        #expect(index == opened.count)
        opened.append([UInt8](copying: plaintext))
      }
      #expect(opened == plaintexts, "seed \(seed)")
    }
  }

  /// Values long enough that few, one or none of them fit beside another into one draw.
  @Test(arguments: AlgorithmSuite.here) func longValuesRoundTrip(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let lengths = [65_535, 1, 1, 65_536, 0, 65_537, 30_000, 30_000, 30_000, 1 << 20, 7]
    let plaintexts = lengths.enumerated().map { [UInt8](repeating: UInt8($0), count: $1) }
    var envelopes = try sealer.seal(plaintexts, authenticating: rows(lengths.count))
    var opened: [[UInt8]] = []
    try opener.open(envelopes, authenticating: rows(lengths.count)) { opened.append([UInt8](copying: $1)) }
    #expect(opened == plaintexts)
    (envelopes, opened) = ([], [])
    try sealer.seal(plaintexts, authenticating: rows(lengths.count)) { envelopes.append([UInt8](copying: $1)) }
    try opener.open(envelopes, authenticating: rows(lengths.count)) { opened.append([UInt8](copying: $1)) }
    #expect(opened == plaintexts)
  }

  @Test(arguments: AlgorithmSuite.here) func envelopesSealedOneByOneOpenAsABatch(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let envelopes = try rows(5).map { try sealer.seal($0, authenticating: $0) }
    var opened: [[UInt8]] = []
    try opener.open(envelopes, authenticating: rows(5)) { opened.append([UInt8](copying: $1)) }
    #expect(opened == rows(5))
  }

  @Test(arguments: AlgorithmSuite.here) func noNonceIsUsedTwice(suite: AlgorithmSuite) async throws {
    let (sealer, _) = try await pair(suite)
    let start = sealer.overheadByteCount - suite.aead.overheadByteCount
    let envelopes =
      try sealer.seal(Array(repeating: [1, 2, 3], count: 1000), authenticating: rows(1000))
      + sealer.seal(Array(repeating: [1, 2, 3], count: 1000), authenticating: rows(1000))
    let wordCount = suite.aead.nonceByteCount / 8
    #expect(Set(envelopes.map { $0[start..<start + 8 * wordCount] }).count == 2000)
    // Nor do two of them overlap, as they would were they cut from one draw at the wrong step.
    let words = envelopes.flatMap { envelope in
      (0..<wordCount).map { Array(envelope[start + $0 * 8..<start + $0 * 8 + 8]) }
    }
    #expect(Set(words).count == 2000 * wordCount)
  }

  @Test(arguments: AlgorithmSuite.here) func everyValueNeedsAssociatedData(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let plaintexts = [[UInt8]](repeating: Array(Planted.token.utf8), count: 150)
    for count in [0, 149, 151] {
      await expectError(.invalidArgument) { try sealer.seal(plaintexts, authenticating: rows(count)) }
    }
    for index in [0, 99, 100, 149] {
      var rows = rows(150)
      rows[index] = []
      let error = await expectError(.invalidArgument) { try sealer.seal(plaintexts, authenticating: rows) }
      #expect(error?.message.contains("index \(index) of the batch") == true)
      var given: [Int] = []
      let other = await expectError(.invalidArgument) {
        try sealer.seal(plaintexts, authenticating: rows) { index, _ in given.append(index) }
      }
      #expect(other == error && given == Array(0..<index / 100 * 100))
    }
    for count in [0, 149, 151] {
      await expectError(.invalidArgument) {
        try sealer.seal(plaintexts, authenticating: rows(count)) { _, _ in Issue.record("nothing must be sealed") }
      }
    }
    let envelopes = try sealer.seal(plaintexts, authenticating: rows(150))
    for count in [0, 149, 151] {
      await expectError(.invalidArgument) {
        try opener.open(envelopes, authenticating: rows(count)) { _, _ in Issue.record("nothing must be opened") }
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func whatDoesNotOpenIsNamedAndNothingOfItIsGiven(suite: AlgorithmSuite)
    async throws
  {
    let (sealer, opener) = try await pair(suite)
    let plaintexts = (0..<20).map { Array("\(Planted.token) \($0)".utf8) }
    let envelopes = try sealer.seal(plaintexts, authenticating: rows(20))
    for index in envelopes.indices {
      let altered = [
        (envelopes[index].flipping(bit: 1, of: envelopes[index].count - 1), EnvelopeError.Code.payloadAltered),
        (envelopes[index].flipping(bit: 1, of: 20), .headerUnknown),
        (Array(envelopes[index].prefix(sealer.overheadByteCount - 1)), .malformed), ([], .malformed),
      ]
      for (envelope, code) in altered {
        var batch = envelopes
        batch[index] = envelope
        var opened: [[UInt8]] = []
        let error = await expectError(code) {
          try opener.open(batch, authenticating: rows(20)) { opened.append([UInt8](copying: $1)) }
        }
        #expect(opened == Array(plaintexts[..<index]))
        #expect(error?.message.contains("index \(index) of the batch") == true)
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func swappedValuesDoNotOpen(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    var envelopes = try sealer.seal([[1], [2], [3]], authenticating: rows(3))
    envelopes.swapAt(1, 2)
    var opened: [Int] = []
    let error = await expectError(.payloadAltered) {
      try opener.open(envelopes, authenticating: rows(3)) { index, _ in opened.append(index) }
    }
    #expect(opened == [0])
    #expect(error?.message.contains("index 1 of the batch") == true)
  }

  private struct Stop: Error {}

  @Test(arguments: AlgorithmSuite.here) func anErrorOfTheCallersEndsIt(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let envelopes = try sealer.seal([[1], [2], [3]], authenticating: rows(3))
    var opened: [Int] = []
    #expect(throws: Stop.self) {
      try opener.open(envelopes, authenticating: rows(3)) { index, _ in
        opened.append(index)
        if index == 1 { throw Stop() }
      }
    }
    #expect(opened == [0, 1])
    var sealed: [Int] = []
    #expect(throws: Stop.self) {
      try sealer.seal([[1], [2], [3]], authenticating: rows(3)) { index, _ in
        sealed.append(index)
        if index == 1 { throw Stop() }
      }
    }
    #expect(sealed == [0, 1])
  }

  private func rows(_ count: Int) -> [[UInt8]] { (0..<count).map { Array("tokens/\($0)".utf8) } }

  private func pair(_ suite: AlgorithmSuite) async throws -> (Sealer, Opener) {
    let keyring = KeysetKeyring(try .generate())
    let context: EncryptionContext = ["table": "tokens"]
    let sealer = try await Sealer(context: context, suite: suite, using: keyring)
    let opener = try await Opener(for: sealer.seal([], authenticating: [1]), context: context, using: keyring)
    return (sealer, opener)
  }
}
