// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct EncryptionContextTests {
  @Test func canonicalFormIsSortedByTheBytesOfTheKeys() throws {
    let context: EncryptionContext = ["z": "1", "é": "2", "Z": "3", "a": "4", "aa": "5", "\u{ffff}": "6", "😀": "7"]
    let keys = ["Z", "a", "aa", "z", "é", "\u{ffff}", "😀"]
    let values = ["3", "4", "5", "1", "2", "6", "7"]
    var expected: [UInt8] = []
    for (key, value) in zip(keys, values) {
      for part in [key, value] { expected += [0, UInt8(part.utf8.count)] + Array(part.utf8) }
    }
    #expect(try context.canonicalBytes() == expected)
    #expect(try EncryptionContext(context.pairs.reversed()).canonicalBytes() == expected)
    #expect(try EncryptionContext().canonicalBytes() == [])
  }

  /// Keys are bytes: the two ways to write é are two keys, however equal they are as strings.
  @Test func equivalentKeysAreDifferentKeys() throws {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
    #expect(composed == decomposed)
    let context = EncryptionContext([(composed, "1"), (decomposed, "2")])
    #expect(try context.canonicalBytes().count == 4 * 2 + 5 + 1 + 6 + 1)
    #expect(context[composed] == "1" && context[decomposed] == "2")
    let swapped = EncryptionContext([(composed, "2"), (decomposed, "1")])
    #expect(try context.canonicalBytes() != swapped.canonicalBytes())
    #expect(
      try EncryptionContext([("a", composed)]).canonicalBytes()
        != EncryptionContext([("a", decomposed)]).canonicalBytes())
    // The Kelvin sign is, as a string, equal to K.
    #expect(EncryptionContext([("\u{212a}", "1")])["K"] == nil)
  }

  @Test func pairsThatCannotBeAreRefused() async {
    await expectError(.invalidArgument) { try (["": "1"] as EncryptionContext).canonicalBytes() }
    await expectError(.invalidArgument) { try (["a": ""] as EncryptionContext).canonicalBytes() }
    await expectError(.invalidArgument) { try (["a": "1", "a": "2"] as EncryptionContext).canonicalBytes() }
    await expectError(.invalidArgument) {
      try (["a": "1", "b": "3", "a": "1"] as EncryptionContext).canonicalBytes()
    }
    let function: EncryptionContext = ["function": "f"]
    await expectError(.invalidArgument) { try function.adding("g", for: "function").canonicalBytes() }
  }

  @Test func theLimitIsExact() async throws {
    let limit = EncryptionContext.canonicalByteLimit
    #expect(limit == 8192)
    let fits: EncryptionContext = ["k": String(repeating: "v", count: limit - 5)]
    #expect(try fits.canonicalBytes().count == limit)
    for size in [limit - 4, 65_535, 65_536, 1 << 20] {
      await expectError(.invalidArgument) {
        try (["k": String(repeating: "v", count: size)] as EncryptionContext).canonicalBytes()
      }
      await expectError(.invalidArgument) {
        try ([String(repeating: "v", count: size): "v"] as EncryptionContext).canonicalBytes()
      }
    }
    // Two pairs fill it together, and one byte more is one too many.
    let half = String(repeating: "v", count: limit / 2 - 5)
    #expect(try (["a": half, "b": half] as EncryptionContext).canonicalBytes().count == limit)
    await expectError(.invalidArgument) { try (["a": half, "b": half + "v"] as EncryptionContext).canonicalBytes() }
  }

  /// A length prefix keeps ["ab": "c"] apart from ["a": "bc"].
  @Test func differentPairsNeverHaveOneCanonicalForm() throws {
    let contexts: [EncryptionContext] = [
      [:], ["ab": "c"], ["a": "bc"], ["a": "b", "c": "d"], ["a": "b\0\u{1}c\0\u{1}d"], ["c": "d", "a": "bc"],
    ]
    #expect(try Set(contexts.map { try $0.canonicalBytes() }).count == contexts.count)
  }
}
