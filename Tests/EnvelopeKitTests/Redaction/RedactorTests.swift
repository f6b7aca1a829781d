// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct RedactorTests {
  private let environment: OpenedEnvironment
  init() throws {
    environment = try OpenedEnvironment([
      "LONG": "a secret of some length", "OTHER": "another one of them", "SHORT": "1234567", "EMPTY": "", "TINY": "x",
    ])
  }

  @Test func listsSecretsThatAreTooShort() throws {
    #expect(try Redactor(environment).unmaskedNames == ["SHORT", "TINY"])
    #expect(try Redactor(environment, minimumByteCount: 7).unmaskedNames == ["TINY"])
    #expect(try Redactor(environment, minimumByteCount: 20).unmaskedNames == ["OTHER", "SHORT", "TINY"])
    #expect(try Redactor(environment, names: ["LONG", "EMPTY"]).unmaskedNames == [])
  }

  @Test func doesNotMaskSecretsThatAreTooShort() throws {
    #expect(try Redactor(environment).redact("1234567 x") == "1234567 x")
    #expect(try Redactor(environment, minimumByteCount: 7).redact("1234567 x") == "[redacted:SHORT] x")
  }

  @Test func masksOnlyTheNamedVariables() throws {
    let redactor = try Redactor(environment, names: ["OTHER"])
    let text = "a secret of some length, another one of them"
    #expect(redactor.redact(text) == "a secret of some length, [redacted:OTHER]")
  }

  @Test(arguments: [["MISSING"], ["LONG", "missing"], [""]])
  func refusesVariablesThatTheEnvironmentLacks(names: [String]) async {
    await expectError(.variableMissing) { try Redactor(environment, names: names) }
  }

  @Test(arguments: [3, 0, -1, Int.min]) func refusesMinimumsBelowFour(minimum: Int) async {
    await expectError(.invalidArgument) { try Redactor(environment, minimumByteCount: minimum) }
  }

  @Test func masksSecretsThatAreAddedLater() async throws {
    let redactor = try Redactor(environment, names: ["LONG"])
    let added = try unsafe redactor.adding(Array("password in a URL".utf8).span.bytes, named: "PASSWORD")
    #expect(redactor.redact("password in a URL") == "password in a URL")
    #expect(added.redact("password in a URL, a secret of some length") == "[redacted:PASSWORD], [redacted:LONG]")
    #expect(try added.adding(environment).redact("another one of them") == "[redacted:OTHER]")
    for name in ["", "a]b", "a b", "\n"] {
      await expectError(.invalidArgument) {
        try unsafe redactor.adding(Array("password in a URL".utf8).span.bytes, named: name)
      }
    }
  }

  @Test func secretsOfOneNameAreAllMasked() throws {
    let first = try OpenedEnvironment(["TOKEN": "the first token"])
    let redactor = try Redactor(first).adding(OpenedEnvironment(["TOKEN": "the second token"]))
    #expect(redactor.redact("the first token, the second token") == "[redacted:TOKEN], [redacted:TOKEN]")
  }

  @Test func equalSecretsHaveTheFirstName() throws {
    let redactor = try Redactor(["A": Array("the same value".utf8), "B": Array("the same value".utf8)])
    #expect(redactor.redact("the same value") == "[redacted:A]")
  }

  @Test func printingShowsNoSecret() throws {
    let redactor = try Redactor(environment)
    let text = shown(redactor) + shown([redactor]) + shown(Optional(redactor) as Any)
    #expect(text.contains("Redactor(2 secrets)"))
    for secret in environment.secrets where secret.byteCount > 1 {
      #expect(try !text.contains(secret.revealingString()))
      #expect(!text.contains(secret.name))
    }
  }

  @Test func unchangedTextIsTheSameString() throws {
    let redactor = try Redactor(environment)
    let text = String(repeating: "no secret here ", count: 10)
    let redacted = redactor.redact(text)
    // Both share their storage.
    let addresses = [text, redacted].map { text in
      unsafe text.utf8.withContiguousStorageIfAvailable { UInt(bitPattern: $0.baseAddress) }
    }
    #expect(addresses[0] != nil && addresses[0] == addresses[1])
    #expect(unsafe redactor.redact(Array(text.utf8).span.bytes) == nil)
  }

  @Test func maskInsideACharacterLeavesValidText() throws {
    // The second byte of é, and more.
    let redactor = try Redactor(["BYTES": [0xa9] + Array("1234567".utf8)])
    #expect(redactor.redact("é1234567") == "\u{fffd}[redacted:BYTES]")
    #expect(redactor.redacted(Array("é1234567".utf8)) == [0xc3] + Array("[redacted:BYTES]".utf8))
  }

  @Test func tablesOfManySecretsAreSmall() throws {
    var random = SplitMix64(seed: 1)
    let secrets = (0..<200).map { (key: "S\($0)", value: Array(Base64URL.encode(random.bytes(24)).utf8)) }
    let redactor = try Redactor(OpenedEnvironment(bytes: secrets))
    let layout = try #require(redactor.automaton?.layout)
    #expect(layout.byteCount < 4 << 20)
  }
}
