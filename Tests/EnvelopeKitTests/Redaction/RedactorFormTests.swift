// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeKit

/// Every written form of a secret is masked, and nothing around it.
@Suite(.timeLimit(.minutes(20))) struct RedactorFormTests {
  /// Secrets with bytes that encoders treat differently.
  static let secrets: [[UInt8]] = [
    Array("correct-horse.battery_staple~42".utf8), Array("it's \"quoted\" \\ and $HOME `x` !bang #hash 100%".utf8),
    Array("/slash/and+plus/and=equals&more?<>".utf8), Array("line one of three\nline two of three\r\n\tshort\n".utf8),
    Array("pässwörd→🔑\u{2028}\u{7f}\u{8}\u{c}\u{1b}\u{0}end".utf8), Array(0x78...0xff), Array("~#,;:{}[]()|&^*".utf8),
    [0xff, 0xfe, 0xc3, 0x28, 0xe2, 0x82, 0x41, 0x42, 0xf0, 0x9f, 0x94, 0x43, 0x44, 0x45],
    Array("    12345678    ".utf8),
  ]

  static let pem = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
    OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
    1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
    -----END PRIVATE KEY-----

    """

  private func expectMasked(_ form: [UInt8], _ redactor: Redactor, _ location: SourceLocation = #_sourceLocation) {
    for (before, after) in [("<", ">"), ("", ""), ("key: ", "."), ("\u{e9}", "\u{e9}\n")] {
      let text = Array(before.utf8) + form + Array(after.utf8)
      let expected = Array("\(before)[redacted:SECRET]\(after)".utf8)
      let comment = Comment(rawValue: String(decoding: form, as: UTF8.self))
      #expect(redactor.redacted(text) == expected, comment, sourceLocation: location)
      #expect(redactor.redacted(parts: text.map { [$0] }) == expected, comment, sourceLocation: location)
    }
  }

  private func expectMasked(_ form: String, _ redactor: Redactor, _ location: SourceLocation = #_sourceLocation) {
    expectMasked(Array(form.utf8), redactor, location)
    #expect(redactor.redact("<\(form)>") == "<[redacted:SECRET]>", "\(form)", sourceLocation: location)
  }

  @Test(arguments: secrets) func masksRawBytes(secret: [UInt8]) throws {
    try expectMasked(secret, Redactor(["SECRET": secret]))
  }

  @Test(arguments: secrets) func masksHexadecimal(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    expectMasked(secret.hex, redactor)
    expectMasked(secret.hex.uppercased(), redactor)
    expectMasked(secret.map { "\\x" + [$0].hex }.joined(), redactor)
    // Not with separators, and not without a digit; but without white space around it.
    let digits = Redactor.hexadecimalContent(of: secret)
    for text in [digits.dropLast(), digits.dropFirst()] { #expect(redactor.redact(String(text)) == text) }
    let separated = secret.map { [$0].hex }.joined(separator: ":")
    #expect(redactor.redact(separated) == separated)
  }

  @Test(arguments: secrets) func masksBase64(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    let base64 = Data(secret).base64EncodedString()
    for text in [base64, base64.filter { $0 != "=" }] {
      expectMasked(text, redactor)
      expectMasked(text.replacing("+", with: "-").replacing("/", with: "_"), redactor)
    }
    let flipped = String(base64.map { $0.isUppercase ? Character($0.lowercased()) : Character($0.uppercased()) })
    #expect(redactor.redact(flipped) == flipped)
  }

  /// The characters that depend on the secret alone are those that other neighbours do not change.
  @Test(arguments: secrets) func masksBase64InsideLongerData(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    for (before, after) in (0..<6).flatMap({ before in (0..<5).map { (before, $0) } }) {
      let texts = ([0x55, 0xff] as [UInt8]).map { neighbour in
        let ends = Data(repeating: neighbour, count: before) + secret + Data(repeating: neighbour, count: after)
        return Array(ends.base64EncodedString().utf8)
      }
      let own = texts[0].indices.filter { texts[0][$0] == texts[1][$0] }
      let first = try #require(own.first)
      let end = after == 0 ? texts[0].count : try #require(own.last { texts[0][$0] != .equals }) + 1
      for text in texts {
        for isURL in [false, true] {
          let text =
            isURL
            ? text.map {
              $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
            } : text
          let expected = text[..<first] + Array("[redacted:SECRET]".utf8) + text[end...]
          #expect(redactor.redacted(text) == Array(expected), "\(before) bytes before, \(after) after")
        }
      }
    }
  }

  @Test(arguments: [76, 64]) func masksBase64InLines(length: Int) throws {
    var random = SplitMix64(seed: UInt64(length))
    let secret = random.bytes(200)
    let redactor = try Redactor(["SECRET": secret])
    let base64 = Array(Data(secret).base64EncodedString().utf8)
    let lines = stride(from: 0, to: base64.count, by: length).map {
      String(decoding: base64[$0..<min($0 + length, base64.count)], as: UTF8.self)
    }
    for separator in ["\n", "\r\n", "\\n", "\n    "] {
      let text = redactor.redact(lines.joined(separator: separator))
      for line in lines where line.count >= 16 || separator == "\n" || separator == "\r\n" {
        #expect(!text.contains(line.filter { $0 != "=" }), "\(text)")
      }
      #expect(text.contains("[redacted:SECRET]\(separator)[redacted:SECRET]"))
    }
  }

  @Test(arguments: secrets) func masksPercentEncodings(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    let kept: [(String, space: String)] = [
      ("-._~", "%20"), ("-_.!~*'()", "%20"), ("*-._", "+"), ("*-._", "%20"), ("-._", "%20"), ("-._~/", "%20"),
      ("-._~;,/?:@&=+$!*'()#", "%20"),
    ]
    for (characters, space) in kept {
      for isUpper in [false, true] {
        let form = secret.map { byte -> String in
          let character = Character(UnicodeScalar(byte))
          if byte == .space { return space }
          if byte < 0x80, character.isLetter || character.isNumber || characters.contains(character) {
            return String(character)
          }
          return "%" + (isUpper ? [byte].hex.uppercased() : [byte].hex)
        }.joined()
        expectMasked(form, redactor)
      }
    }
    expectMasked(secret.map { "%" + [$0].hex }.joined(), redactor)
    expectMasked(secret.map { "%" + [$0].hex.uppercased() }.joined(), redactor)
  }

  @Test(arguments: secrets) func masksJSON(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    let string = String(decoding: secret, as: UTF8.self)
    for options in [[], .withoutEscapingSlashes] as [JSONEncoder.OutputFormatting] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = options
      expectMasked(
        String(decoding: try encoder.encode(string), as: UTF8.self).dropFirst().dropLast().description, redactor)
    }
    for escaped in ["", "/", "<>&", "<>&=\u{27}"] {
      for isASCII in [false, true] {
        for isUpper in [false, true] {
          let short: [UnicodeScalar: String] = [
            "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{8}": "\\b", "\u{c}": "\\f", "\\": "\\\\", "\"": "\\\"",
          ]
          let form = string.unicodeScalars.map { scalar -> String in
            if let short = short[scalar] { return short }
            if scalar == "/", escaped == "/" { return "\\/" }
            let isSeparator = scalar == "\u{2028}" && escaped.contains("<")
            guard
              scalar.value < 0x20 || escaped.unicodeScalars.contains(scalar) || isASCII && scalar.value > 0x7f
                || isSeparator
            else {
              return String(scalar)
            }
            return String(scalar).utf16.map { unit in
              let digits = String(unit, radix: 16, uppercase: isUpper)
              return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
          }.joined()
          expectMasked(form, redactor)
        }
      }
    }
  }

  @Test(arguments: secrets) func masksJSONInsideJSONAndDescriptions(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    let encoder = JSONEncoder()
    for options in [[], .withoutEscapingSlashes] as [JSONEncoder.OutputFormatting] {
      encoder.outputFormatting = options
      let inner = String(decoding: try encoder.encode(String(decoding: secret, as: UTF8.self)), as: UTF8.self)
      let json = String(inner.dropFirst().dropLast())
      expectMasked(String(json.debugDescription.dropFirst().dropLast()), redactor)
      expectMasked(
        String(decoding: try encoder.encode(json), as: UTF8.self).dropFirst().dropLast().description, redactor)
    }
  }

  @Test(arguments: secrets) func masksDescriptionsOfSwift(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    let string = String(decoding: secret, as: UTF8.self)
    expectMasked(String("\([string])".dropFirst(2).dropLast(2)), redactor)
    expectMasked(String(string.debugDescription.dropFirst().dropLast()), redactor)
    expectMasked(string.unicodeScalars.map { $0.escaped(asASCII: true) }.joined(), redactor)
    expectMasked(string, redactor)
  }

  @Test func masksShellQuoting() throws {
    let redactor = try Redactor(secret: "it's \"q\" \\ $HOME `x` a,b;c|d&e~f#g!\té\n\u{1b}\u{7}")
    for form in [
      "it'\\''s \"q\" \\ $HOME `x` a,b;c|d&e~f#g!\té\n\u{1b}\u{7}",
      "it'\"'\"'s \"q\" \\ $HOME `x` a,b;c|d&e~f#g!\té\n\u{1b}\u{7}",
      "it's \\\"q\\\" \\\\ \\$HOME \\`x\\` a,b;c|d&e~f#g!\té\n\u{1b}\u{7}",
      "it\\'s \"q\" \\\\ $HOME `x` a,b;c|d&e~f#g!\\té\\n\\E\\a",
      "it\\'s \"q\" \\\\ $HOME `x` a,b;c|d&e~f#g!\\t\\303\\251\\n\\E\\a",
      "it\\'s \"q\" \\\\ $HOME `x` a,b;c|d&e~f#g!\\té\\n\\e\\a",
      "it\\'s \"q\" \\\\ $HOME `x` a,b;c|d&e~f#g!\\t\\xc3\\xa9\\n\\x1b\\x07",
    ] { expectMasked(form, redactor) }
    // As bash prints it.
    let plain = try Redactor(secret: "a b'c\"d$e`f!g,h{i}j~k#l=m%n^o")
    expectMasked("a\\ b\\'c\\\"d\\$e\\`f\\!g\\,h\\{i\\}j~k#l=m%n\\^o", plain)
    expectMasked("a b'\\''c\"d$e`f!g,h{i}j~k#l=m%n^o", plain)
    expectMasked("\\#abcdefg\\ h", try Redactor(secret: "#abcdefg h"))
    expectMasked("\\~abcdefg\\ h", try Redactor(secret: "~abcdefg h"))
  }

  @Test func masksSecretsOfSeveralLinesAsAWholeAndByLine() throws {
    let redactor = try Redactor(["SECRET": Array(Self.pem.utf8)])
    expectMasked(Self.pem, redactor)
    expectMasked(String(Self.pem.dropLast()), redactor)
    expectMasked(String(Self.pem.dropLast()).replacing("\n", with: "\\n"), redactor)
    let lines = Self.pem.split(separator: "\n")
    for line in lines {
      let isMarker = line.hasPrefix("-----")
      #expect(redactor.redact("key \(line)\n") == (isMarker ? "key \(line)\n" : "key [redacted:SECRET]\n"))
      #expect(redactor.redact(String(line.dropLast())) == line.dropLast())
    }
    let other = lines.map { "  \($0)" }.joined(separator: "\r\n")
    #expect(
      redactor.redact(other)
        == lines.map { $0.hasPrefix("-----") ? "  \($0)" : "  [redacted:SECRET]" }.joined(separator: "\r\n"))
  }

  @Test func doesNotMaskShortLines() throws {
    let redactor = try Redactor(secret: "fifteen bytes..\nsixteen bytes...\n{\n\n}")
    #expect(redactor.redact("fifteen bytes..") == "fifteen bytes..")
    #expect(redactor.redact("sixteen bytes...") == "[redacted:SECRET]")
    #expect(redactor.redact("{\n\n}") == "{\n\n}")
  }

  @Test func masksAValueWithoutTheWhiteSpaceAroundIt() throws {
    let redactor = try Redactor(secret: "  a token from a file\n")
    expectMasked("a token from a file", redactor)
    expectMasked("a%20token%20from%20a%20file", redactor)
    expectMasked(Data("a token from a file".utf8).base64EncodedString(), redactor)
    let short = try Redactor(secret: "abc   \n\n\n")
    #expect(short.redact("abc") == "abc")
  }

  @Test(arguments: secrets) func leavesNearMissesAsTheyAre(secret: [UInt8]) throws {
    let redactor = try Redactor(["SECRET": secret])
    // A change inside the part that is masked without white space around it, too.
    let middle = secret.count / 2
    for changed in [UInt8(ascii: "Z"), 0x01] {
      let near = secret[..<middle] + [changed] + secret[(middle + 1)...]
      for text in [Array(near), Array(Array(near).hex.utf8), Array(near.map { "%" + [$0].hex }.joined().utf8)] {
        let result = redactor.redacted(text)
        // Lines that are still whole are masked.
        if !secret.contains(.lineFeed) {
          #expect(result == text)
        } else {
          #expect(result != Array("[redacted:SECRET]".utf8))
        }
      }
    }
  }
}

extension Redactor {
  /// The hexadecimal of a secret without the white space around it.
  fileprivate static func hexadecimalContent(of secret: [UInt8]) -> String {
    let content = secret.drop { [9, 10, 13, 32].contains($0) }
    return Array(content.reversed().drop { [9, 10, 13, 32].contains($0) }.reversed()).hex
  }
}
