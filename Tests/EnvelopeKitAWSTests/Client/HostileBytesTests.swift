// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import EnvelopeKitFiles
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Whatever bytes come, there is a value or a typed error, and no trap.
  @Suite(.timeLimit(.minutes(20))) struct HostileBytesTests {
    private func members(_ text: [UInt8]) throws -> JSONMembers {
      try JSONMembers(
        GuardedMemory(capacity: text.count) { (output) throws(EnvelopeError) in
          unsafe output.append(text.span.bytes)
        })
    }

    private let answer = Array(
      #"{"CiphertextBlob": "AQICAHgAAA==", "Plaintext": "AAECAwQF\/+8=", "n": -1.5e3, "KeyId": "\u0061rn", "x": [1, {"y": null}]}"#
        .utf8)

    @Test func membersAreReadWithTheirEscapes() throws {
      let members = try members(answer)
      #expect(try members.string("KeyId") == "arn" && members.string("none") == nil)
      #expect(try members.bytes("Plaintext")?.withBytes { [UInt8](copying: $0) } == [0, 1, 2, 3, 4, 5, 0xff, 0xef])
    }

    @Test(arguments: [
      "", "{", "}", "[]", "null", "\"a\"", "{}x", "{} {}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\"}", "{a:1}",
      "{\"a\":\"\\x\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"b", "{\"a\":01}", "{\"a\":1,\"a\":1}",
      "{\"a\":1,\"\\u0061\":2}", "\u{feff}{}",
    ])
    func whatIsNotOneObjectIsRefused(text: String) async {
      await expectError(.malformed, at: text) { try members(Array(text.utf8)) }
    }

    @Test(arguments: ["1", "true", "[]", "{}"])
    func aMemberThatIsNoStringIsRefused(value: String) async throws {
      let members = try members(Array("{\"a\": \(value)}".utf8))
      await expectError(.malformed) { try members.string("a") }
      await expectError(.malformed) { try members.bytes("a") }
    }

    private func elements(_ text: String) throws -> XMLElements {
      try XMLElements(GuardedMemory(capacity: text.utf8.count) { $0.append(text) }, in: "C")
    }

    @Test func elementsAreText() async throws {
      let elements = try elements("<?xml?><R><C><A>a+/=</A><B></B></C><D>x</D></R>")
      #expect(try elements.string("A") == "a+/=" && elements.string("B") == "" && elements.string("D") == nil)
      #expect(try elements.string("C") == nil)
    }

    @Test(arguments: [
      "", "<C>", "</C>", "</C><C>", "<C></C><C></C>", "<C></C></C>", "<c></c>", "<C x='y'></C>", "<C/>", "C", "<C",
      "<C><C></C>",
    ])
    func outerElementIsThereOnce(text: String) async { await expectError(.malformed, at: text) { try elements(text) } }

    @Test(arguments: [
      "<A>1</A><A>2</A>", "<A>1", "1</A>", "</A><A>", "<A>&amp;</A>", "<A><B>1</B></A>", "<A>1<!-- --></A>",
      "<A>1>2</A>",
    ])
    func innerElementIsTextAndThereOnce(text: String) async throws {
      let elements = try elements("<C>\(text)</C>")
      if text == "1</A>" || text == "<A>1" || text == "</A><A>" {
        // Half of an element is none, or no element.
        if let found = try? elements.string("A") { Issue.record("\(found)") }
      } else {
        await expectError(.malformed, at: text) { try elements.string("A") }
      }
    }

    @Test(arguments: seeds)
    func elementsOfAnyBytesNeverTrap(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      let parts = ["<C>", "</C>", "<A>", "</A>", "<", ">", "&", "x", "\0", "\u{e9}"]
      var read = 0
      for _ in 0..<2000 {
        let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
          .joined()
        if let elements = try? elements("<C>" + text + "</C>") {
          _ = try? elements.string("A")
          read += 1
        }
      }
      #expect(read > 10, "seed \(seed)")
    }

    @Test(arguments: seeds)
    func alteredAnswersNeverTrap(seed: UInt64) throws {
      var random = SplitMix64(seed: seed)
      var read = 0
      for _ in 0..<400 {
        var text = answer
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: 0..<text.count, using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: text[place] = UInt8.random(in: 0...255, using: &random)
          case 1: text.removeSubrange(place...)
          case 2: text.insert(contentsOf: text[..<place], at: place)
          default: text.remove(at: place)
          }
          if text.isEmpty { break }
        }
        guard let members = try? members(text) else { continue }
        for name in ["CiphertextBlob", "Plaintext", "KeyId", "x", "n"] {
          if (try? members.bytes(name)) != nil { read += 1 }
          _ = try? members.string(name)
        }
      }
      #expect(read > 0, "seed \(seed)")
    }

    @Test(arguments: seeds)
    func sharedFilesOfAnyBytesNeverTrap(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      let parts = ["[a]", "[", "]", "k", "=", ":", "#", ";", " ", "\t", "\r", "\n", "\n", "\u{e9}", "\0", "\u{feff}"]
      var read = 0
      for _ in 0..<2000 {
        let text =
          "[a]\n"
          + (0..<Int.random(in: 0...12, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        do throws(EnvelopeError) {
          _ = try SharedFile(text: SecretBytes(copying: text), path: Path("f")).section(named: "a")?.string(of: "k")
          read += 1
        } catch {
          #expect(error.code == .configurationInvalid, "\(text)")
        }
      }
      #expect(read > 10, "seed \(seed)")
    }

    @Test(arguments: seeds)
    func endpointsARNsAndMomentsOfAnyTextNeverTrap(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      let parts = [
        "https://", "http://", "h", ":", "443", "/", "[", "]", "::1", "arn", "aws", "kms", "123456789012", "key/",
        "alias/", "é", "\0", "T", "Z", "2026-11-24", "02:25:11",
      ]
      for _ in 0..<3000 {
        let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
          .joined()
        _ = try? Endpoint(text, plainHTTP: .toMetadata)
        _ = try? KMSKeyName(text)
        _ = KMSKeyARN(text)
        _ = Timestamp.seconds(of: text)
      }
    }
  }
#endif
