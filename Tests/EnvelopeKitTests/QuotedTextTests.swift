// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite("Quoted text", .timeLimit(.minutes(20))) struct QuotedTextTests {
  @Test func listShowsAtMostTwentyNames() {
    let names = (1...22).map { "N\($0)" }
    #expect(EnvelopeError.listed([]) == "")
    #expect(EnvelopeError.listed(["A", "B"]) == "A, B")
    #expect(EnvelopeError.listed(Array(names.prefix(20))) == names.prefix(20).joined(separator: ", "))
    #expect(EnvelopeError.listed(Array(names.prefix(21))).hasSuffix("N19, N20 and 1 more"))
    #expect(EnvelopeError.listed(names).hasSuffix("N19, N20 and 2 more"))
  }

  /// Every scalar that Unicode calls a control, format, separator, surrogate, private or unassigned character, and every
  /// one that is not shown.
  @Test func nothingThatSteersIsLeft() {
    for value in UInt32(0)...0x10ffff {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let properties = scalar.properties
      let steers =
        [.control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned].contains(
          properties.generalCategory) || properties.isDefaultIgnorableCodePoint
        || properties.isBidiControl || properties.isNoncharacterCodePoint
      guard steers else { continue }
      let text = "a\(scalar)b"
      let escape = "\\u{\(String(value, radix: 16))}"
      guard EnvelopeError.quoted(text) == "'a\(escape)b'", EnvelopeError.shown(text) == "'a\(escape)b'",
        EnvelopeError.escaped(text) == "a\(escape)b"
      else {
        Issue.record("U+\(String(value, radix: 16)) is shown as it is")
        return
      }
    }
  }

  @Test(arguments: [
    ("a", "a"), ("./a-b_c.env", "./a-b_c.env"), ("über.env", "über.env"), ("十二", "十二"),
    ("a@b%c,d=e~f+g:h", "a@b%c,d=e~f+g:h"),
    ("", "''"), ("a b", "'a b'"), ("a'b", "'a\\'b'"), ("a\\u{1b}", "'a\\\\u{1b}'"), ("a\u{1b}", "'a\\u{1b}'"),
    ("a\nb", "'a\\u{a}b'"),
    ("a\u{a0}b", "'a\\u{a0}b'"), ("a;b", "'a;b'"), ("\r\n", "'\\u{d}\\u{a}'"), ("\u{fffd}", "'\u{fffd}'"),
  ])
  func namesAreQuotedOnlyIfTheyMust(name: String, shown: String) {
    #expect(EnvelopeError.shown(name) == shown)
    // Whole lines are escaped once more, which must change nothing.
    #expect(EnvelopeError.escaped(shown) == shown)
  }

  @Test func longTextIsCut() {
    #expect(EnvelopeError.quoted(String(repeating: "a", count: 64)) == "'" + String(repeating: "a", count: 64) + "'")
    #expect(EnvelopeError.quoted(String(repeating: "a", count: 65)) == "'" + String(repeating: "a", count: 64) + "…'")
    #expect(EnvelopeError.quoted(String(repeating: "é", count: 33)) == "'" + String(repeating: "é", count: 32) + "…'")
    #expect(EnvelopeError.shown(String(repeating: " ", count: 5_000)).utf8.count == 4_096 + 5)
  }

  @Test func twoTextsAreNeverShownAlike() {
    let texts = ["a", "'a'", "a\\", "a\\u{1b}", "a\u{1b}", "a'", "a\\'", "\\u{a}", "\n"]
    #expect(Set(texts.map(EnvelopeError.shown)).count == texts.count)
    #expect(Set(texts.map { EnvelopeError.quoted($0) }).count == texts.count)
  }
}
