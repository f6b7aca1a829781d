// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Headers made by hand: announced lengths and counts are never believed.
@Suite(.timeLimit(.minutes(20))) struct HeaderParsingTests {
  @Test func aHeaderMadeByHandParses() throws {
    let header = try parse(RawHeader())
    #expect(header.wrappedKeys.map(\.keyID.string) == ["abcdefghijkl.1"])
    #expect(header.bytes == RawHeader().bytes)
  }

  @Test(arguments: [0, 17, 18, 128, 255] as [UInt8]) func keyCountsThatThereAreNot(count: UInt8) async {
    await expectError(.malformed) { try parse(RawHeader(keyCount: count)) }
    // Refused for the count, not only because the entries end.
    let many = (0..<255).map { RawHeader.Entry(keyID: Array("k\($0)".utf8)) }
    await expectError(.malformed) { try parse(RawHeader(keyCount: count, entries: many)) }
  }

  @Test func sixteenKeysParseAndFewerThanAnnouncedDoNot() async throws {
    let entries = (0..<16).map { RawHeader.Entry(keyID: Array("k\($0)".utf8)) }
    #expect(try parse(RawHeader(entries: entries)).wrappedKeys.count == 16)
    await expectError(.malformed) { try parse(RawHeader(keyCount: 16, entries: entries.dropLast(), rest: [])) }
  }

  @Test func announcedLengthsWithNothingBehindThem() async {
    for scheme in [1, 2, 3, 4, 5, 0x7f, 0xff] as [UInt8] {
      for length in [0, 1, 71, 73, 6145, 65535] as [UInt16] {
        let entry = RawHeader.Entry(scheme: scheme, wrapped: [], wrappedLength: length)
        await expectError(.malformed) { try parse(RawHeader(entries: [entry], rest: [])) }
      }
    }
    await expectError(.malformed) {
      try parse(RawHeader(entries: [.init(keyID: [], keyIDLength: 255, wrapped: [], wrappedLength: 0)], rest: []))
    }
    await expectError(.malformed) { try parse(RawHeader(entries: [.init(keyIDLength: 255)])) }
  }

  @Test(
    arguments: [
      (1, [0, 1, 71, 73, 184]), (2, [0, 72, 79, 81]), (3, [0, 6145, 65535]), (4, [0, 72, 89, 91]),
      (5, [0, 80, 1167, 1169]),
      (0x7f, [0]),
    ] as [(UInt8, [Int])])
  func wrongLengthsForTheScheme(scheme: UInt8, lengths: [Int]) async {
    for length in lengths {
      let entry = RawHeader.Entry(scheme: scheme, wrapped: [UInt8](repeating: 1, count: length))
      await expectError(.malformed) { try parse(RawHeader(entries: [entry])) }
    }
  }

  @Test func oneEntryForAKeyID() async {
    await expectError(.malformed) { try parse(RawHeader(entries: [.init(), .init()])) }
    let other = RawHeader.Entry(scheme: 3, wrapped: [1, 2, 3])
    await expectError(.malformed) { try parse(RawHeader(entries: [.init(), other])) }
  }

  @Test func aPassphraseStandsAlone() async throws {
    let passphrase = RawHeader.Entry(scheme: 4, keyID: [0x70], wrapped: [UInt8](repeating: 1, count: 90))
    #expect(try parse(RawHeader(entries: [passphrase])).wrappedKeys.count == 1)
    await expectError(.malformed) { try parse(RawHeader(entries: [passphrase, .init()])) }
    await expectError(.malformed) { try parse(RawHeader(entries: [.init(), passphrase])) }
  }

  @Test(
    arguments: [
      [], [0x20], [0x61, 0x00], [0x7f], [0x80], [0xff, 0xfe], Array("é".utf8), [0x1b, 0x5b, 0x6d], [0xc0, 0x80],
      Array("\u{feff}a".utf8),
    ] as [[UInt8]])
  func keyIDsThatAreNotPrintable(id: [UInt8]) async {
    await expectError(.malformed) { try parse(RawHeader(entries: [.init(keyID: id)])) }
  }

  @Test func versionsKindsAndSuites() async {
    for byte in UInt8.min...UInt8.max {
      if byte != 1 {
        await expectError(.unsupportedVersion) { try parse(RawHeader(version: byte)) }
        if byte != 2 { await expectError(.unsupportedSuite) { try parse(RawHeader(suite: byte)) } }
        await expectError((2...5).contains(byte) ? .malformed : .unsupportedVersion) {
          try parse(RawHeader(kind: byte))
        }
      }
    }
    #expect(throws: Never.self) { try #expect(parse(RawHeader(suite: 2)).suite == .aegis256) }
    await expectError(.malformed) { try parse(RawHeader(magic: Array("ek".utf8))) }
  }

  /// Whatever bytes come: an error with a code, never a trap.
  @Test func anyBytes() async {
    let seed: UInt64 = 0x5eed_0004
    var random = SplitMix64(seed: seed)
    for round in 0..<4000 {
      var bytes = RawHeader().bytes
      for _ in 0...random.next() % 4 {
        let index = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 3 {
        case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.removeSubrange(index...)
        default: bytes.insert(contentsOf: random.bytes(Int(random.next() % 9)), at: index)
        }
        if bytes.isEmpty { break }
      }
      do {
        var reader = ByteReader(bytes)
        let header = try Header(from: &reader, expecting: .value)
        #expect(header.bytes == reader.consumed, "seed \(seed), round \(round)")
      } catch {
        #expect(
          [.malformed, .unsupportedVersion, .unsupportedSuite].contains(error.code), "seed \(seed), round \(round)")
      }
    }
  }

  private func parse(_ raw: RawHeader) throws -> Header {
    var reader = ByteReader(raw.bytes)
    return try Header(from: &reader, expecting: .value)
  }
}
