// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// The search finds what a comparison at every place finds.
@Suite(.timeLimit(.minutes(20))) struct RedactorSearchTests {
  /// Masks raw secrets by comparing each of them at every place.
  private func reference(_ text: [UInt8], _ secrets: [[UInt8]]) -> [UInt8] {
    var ranges: [(range: Range<Int>, name: Int, length: Int)] = []
    for end in 0...text.count {
      // The longest match that ends here.
      let matches = secrets.enumerated().filter { _, secret in
        secret.count <= end && text[(end - secret.count)..<end].elementsEqual(secret)
      }
      guard let match = matches.max(by: { ($0.element.count, $1.offset) < ($1.element.count, $0.offset) }) else {
        continue
      }
      var next = (range: end - match.element.count..<end, name: match.offset, length: match.element.count)
      while let last = ranges.last, last.range.upperBound > next.range.lowerBound {
        next.range = min(last.range.lowerBound, next.range.lowerBound)..<end
        if last.length >= next.length { (next.name, next.length) = (last.name, last.length) }
        ranges.removeLast()
      }
      ranges.append(next)
    }
    var (result, position) = ([UInt8](), 0)
    for (range, name, _) in ranges {
      result += text[position..<range.lowerBound] + Array("[redacted:S\(name)]".utf8)
      position = range.upperBound
    }
    return result + text[position...]
  }

  private func redactor(_ secrets: [[UInt8]]) throws -> Redactor {
    let named = secrets.enumerated().map { (key: "S\($0.offset)", value: $0.element) }
    return try Redactor(OpenedEnvironment(bytes: named), minimumByteCount: 4)
  }

  private func parts(_ bytes: [UInt8], _ random: inout SplitMix64) -> [[UInt8]] {
    var (parts, position) = ([[UInt8]](), 0)
    while position < bytes.count {
      let count = min(Int.random(in: 0...9, using: &random), bytes.count - position)
      parts.append(Array(bytes[position..<position + count]))
      position += count
    }
    return parts
  }

  @Test(arguments: seeds) func findsWhatComparingAtEveryPlaceFinds(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for round in 0..<400 {
      let letters = Array("abcd".utf8.prefix(Int.random(in: 2...4, using: &random)))
      func word(_ lengths: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: lengths, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
      }
      // One digit of names, so that their order is that of the numbers.
      let secrets = (0..<Int.random(in: 1...8, using: &random)).map { _ in word(4...12) }
      var text = word(0...200)
      for secret in secrets where Bool.random(using: &random) {
        text.insert(contentsOf: secret, at: Int.random(in: 0...text.count, using: &random))
      }
      let redactor = try redactor(secrets)
      let expected = reference(text, secrets)
      #expect(redactor.redacted(text) == expected, "seed \(seed), round \(round)")
      #expect(redactor.redacted(parts: parts(text, &random)) == expected, "seed \(seed), round \(round)")
      #expect(redactor.redact(String(decoding: text, as: UTF8.self)).utf8.elementsEqual(expected))
      let fields = parts(text, &random).map { String(decoding: $0, as: UTF8.self) }
      let joined = redactor.redact(fields).joined()
      // Each field that a secret touches has a mask of its own.
      #expect(unmasked(joined) == unmasked(String(decoding: expected, as: UTF8.self)), "seed \(seed), round \(round)")
    }
  }

  private func unmasked(_ text: String) -> String {
    text.split(separator: "[", omittingEmptySubsequences: false).map { part in
      part.contains("]") ? part.drop { $0 != "]" }.dropFirst() : part
    }.joined()
  }

  @Test func masksASecretThatIsSplitAtAnyPlace() throws {
    let secret = Array("sécret/of \"many\" bytes".utf8)
    let redactor = try Redactor(["TOKEN": secret])
    let text = Array("before ".utf8) + secret + Array(" after".utf8)
    let expected = Array("before [redacted:TOKEN] after".utf8)
    for first in 0...text.count {
      for second in first...text.count {
        let parts = [Array(text[..<first]), Array(text[first..<second]), Array(text[second...])]
        #expect(redactor.redacted(parts: parts) == expected)
      }
    }
  }

  @Test func masksASplitSecretInEachField() throws {
    let redactor = try Redactor(secret: "0123456789")
    for split in 1..<10 {
      let (head, tail) = ("0123456789".prefix(split), "0123456789".dropFirst(split))
      #expect(redactor.redact(["a\(head)", "\(tail)b"]) == ["a[redacted:SECRET]", "[redacted:SECRET]b"])
      #expect(redactor.redact(["a\(head)", "", "\(tail)b"]) == ["a[redacted:SECRET]", "", "[redacted:SECRET]b"])
      #expect(redactor.redact(["a\(head)", "-", "\(tail)b"]) == ["a\(head)", "-", "\(tail)b"])
      #expect(redactor.redact(["\(tail)", "\(head)"]) == ["\(tail)", "\(head)"])
    }
    #expect(redactor.redact("0123456789".map(String.init)) == Array(repeating: "[redacted:SECRET]", count: 10))
  }

  @Test func leavesOtherTextAsItIs() throws {
    let redactor = try Redactor(secret: "correct horse")
    for text in [
      "", "c", "correct", "correct hors", "orrect horse", "correct  horse", "Correct horse",
      "correct horsecorrect hors",
      "correct\u{a0}horse", "esroh tcerroc", "corect horse", "correct horsf", "636f7272656374", "Y29ycmVjdCA",
    ] {
      // The next to last has the secret itself.
      let expected = text.contains("correct horse") ? "[redacted:SECRET]correct hors" : text
      #expect(redactor.redact(text) == expected)
      #expect(redactor.redacted(Array(text.utf8)) == Array(expected.utf8))
      #expect(redactor.redacted(parts: text.utf8.map { [$0] }) == Array(expected.utf8))
    }
  }

  @Test func overlappingSecretsHaveOneMask() throws {
    let redactor = try Redactor(
      ["A": Array("abcdefgh".utf8), "B": Array("efghijklm".utf8), "C": Array("xxabcdefghyy".utf8)])
    #expect(redactor.redact("-abcdefghijklm-") == "-[redacted:B]-")
    #expect(redactor.redact("-xxabcdefghyy-") == "-[redacted:C]-")
    #expect(redactor.redact("-xxabcdefghy-") == "-xx[redacted:A]y-")
    #expect(redactor.redact("-xxabcdefghijklm-") == "-xx[redacted:B]-")
    #expect(redactor.redact("abcdefghabcdefgh") == "[redacted:A][redacted:A]")
    #expect(redactor.redact("xxabcdefghyyabcdefghijklm") == "[redacted:C][redacted:B]")
  }

  @Test func aPrefixOfALongerSecretIsMaskedAlone() throws {
    let redactor = try Redactor(["LONG": Array("password-and-more".utf8), "SHORT": Array("password".utf8)])
    #expect(redactor.redact("password-and-mor") == "[redacted:SHORT]-and-mor")
    #expect(redactor.redact("password-and-more") == "[redacted:LONG]")
    for split in 0...17 {
      let text = Array("password-and-more".utf8)
      #expect(
        redactor.redacted(parts: [Array(text[..<split]), Array(text[split...])]) == Array("[redacted:LONG]".utf8))
    }
  }

  @Test func aSecretOfOneLetterRepeatedIsMaskedOnce() throws {
    let redactor = try Redactor(secret: "aaaaaaaa")
    for count in 0..<8 { #expect(redactor.redact(String(repeating: "a", count: count)).utf8.count == count) }
    for count in 8..<40 { #expect(redactor.redact(String(repeating: "a", count: count)) == "[redacted:SECRET]") }
  }

  @Test func streamHoldsBackOnlyWhatMayBecomeASecret() throws {
    let redactor = try Redactor(secret: "0123456789")
    var stream = RedactionStream(redactor)
    var output: [UInt8] = []
    unsafe stream.append(Array("no secret zzz".utf8).span.bytes) { output += $0.array }
    #expect(stream.heldByteCount == 0)
    unsafe stream.append(Array("0123456".utf8).span.bytes) { output += $0.array }
    #expect(stream.heldByteCount == 7)
    unsafe stream.append(Array("x".utf8).span.bytes) { output += $0.array }
    #expect(stream.heldByteCount == 0)
    unsafe stream.append(Array("01234".utf8).span.bytes) { output += $0.array }
    stream.finish { output += $0.array }
    #expect(output == Array("no secret zzz0123456x01234".utf8))
  }

  @Test func withoutSecretsEverythingPasses() throws {
    for redactor in [try Redactor(OpenedEnvironment([:])), try Redactor(["SHORT": [1, 2, 3], "EMPTY": []])] {
      #expect(redactor.redact("\u{1}\u{2}\u{3}") == "\u{1}\u{2}\u{3}")
      #expect(redactor.redact(["a", "b"]) == ["a", "b"])
      #expect(redactor.redacted([0, 255]) == [0, 255])
      #expect(redactor.redacted(parts: [[1, 2], [3]]) == [1, 2, 3])
      #expect(redactor.isLocked)
    }
  }

  /// The number of steps depends on the length of a text alone, however it was chosen.
  @Test func hostileTextTakesLinearTime() throws {
    var random = SplitMix64(seed: 7)
    var secrets = (0..<40).map { (key: "R\($0)", value: random.bytes(24)) }
    secrets.append((key: "PERIODIC", value: Array(repeating: UInt8(ascii: "a"), count: 500)))
    secrets.append((key: "NEARLY", value: Array(repeating: UInt8(ascii: "a"), count: 499) + [UInt8(ascii: "b")]))
    secrets.append((key: "LATE", value: Array("bbbb".utf8) + Array(repeating: UInt8(ascii: "a"), count: 300)))
    let redactor = try Redactor(OpenedEnvironment(bytes: secrets))
    let count = 60_000
    let a = UInt8(ascii: "a")
    func repeated(_ bytes: [UInt8]) -> [UInt8] { (0..<count).map { bytes[$0 % bytes.count] } }
    let texts: [[UInt8]] = [
      repeated([a]), repeated(Array(repeating: a, count: 498) + [UInt8(ascii: "c")]),
      repeated(Array(repeating: a, count: 499) + [UInt8(ascii: "b")]), repeated(Array("bbbbaaaaaaaac".utf8)),
      repeated(Array("aaab".utf8)), repeated(Array(secrets[0].value.dropLast())),
      repeated(Array(secrets[1].value.prefix(4))),
      repeated(secrets.flatMap { $0.value.prefix(4) }), repeated(secrets.flatMap { $0.value.prefix(5) }),
      random.bytes(count),
      repeated(Array("%61%61%6".utf8)), repeated(Array("YWFhYWFh".utf8)), repeated(Array("6161616".utf8)),
    ]
    for (index, text) in texts.enumerated() {
      for partLength in [count, 1, 7, 1000] {
        var stream = RedactionStream(redactor)
        for start in stride(from: 0, to: count, by: partLength) {
          let part = Array(text[start..<min(start + partLength, count)])
          unsafe stream.append(part.span.bytes) { _ in }
          #expect(stream.heldByteCount <= 2000)
        }
        #expect(stream.stepCount <= 12 * count, "text \(index) in parts of \(partLength)")
      }
    }
  }
}
