// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct Base64URLTests {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  @Test func knownAnswers() {
    #expect(Base64URL.encode([]) == "")
    #expect(Base64URL.encode(Array("f".utf8)) == "Zg")
    #expect(Base64URL.encode(Array("fo".utf8)) == "Zm8")
    #expect(Base64URL.encode(Array("foo".utf8)) == "Zm9v")
    #expect(Base64URL.encode([0xfb, 0xef, 0xff]) == "--__")
    #expect(Base64URL.decode("Zm9v".utf8) == Array("foo".utf8))
  }

  @Test func roundTrips() {
    let seed: UInt64 = 0x5eed_0003
    var random = SplitMix64(seed: seed)
    for length in 0...300 {
      let bytes = random.bytes(length)
      let text = Base64URL.encode(bytes)
      #expect(text.utf8.count == Base64URL.encodedLength(of: length))
      #expect(Base64URL.decode(text.utf8) == bytes, "seed \(seed), length \(length)")
    }
  }

  /// With two characters over, four spare bits must be zero; with three over, two.
  @Test(arguments: [("", 16), ("A", 4), ("AAAA", 16), ("AAAAA", 4)])
  func onlyCanonicalTrailingCharactersAreTaken(prefix: String, step: Int) {
    for (value, digit) in Self.digits.enumerated() {
      let text = Array((prefix + "A").utf8) + [digit]
      #expect((Base64URL.decode(text) != nil) == value.isMultiple(of: step), "\(prefix)A and digit \(value)")
    }
  }

  /// In every place of a group, and in the group that is left over.
  @Test(arguments: [6, 7, 8, 11]) func onlyTheAlphabetIsTaken(length: Int) {
    for position in 0..<length - 1 {
      for byte in UInt8.min...UInt8.max {
        var text = [UInt8](repeating: UInt8(ascii: "A"), count: length)
        text[position] = byte
        #expect((Base64URL.decode(text) != nil) == Self.digits.contains(byte), "byte \(byte) at \(position)")
      }
    }
  }

  @Test(arguments: [
    "A", "AAAAA", "AAAAAAAAA", "AA==", "AAA=", "AAAA=", "AA=", "=", "AA A", " AAAA", "AAAA ", "AAAA\n", "AA+A", "AA/A",
    "AA.A", "AAÄA", "AAA\0", "ＡAAA",
  ])
  func otherTextIsRefused(text: String) {
    #expect(Base64URL.decode(text.utf8) == nil)
  }
}
