// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Packed plaintexts that verify, and that somebody with the key wrote wrongly.
@Suite(.timeLimit(.minutes(20))) struct PackedEnvironmentTests {
  private let context: EncryptionContext = ["function": "checkout"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func entry(_ name: String, _ value: String) -> [UInt8] {
    [0, UInt8(name.utf8.count)] + Array(name.utf8) + [0, UInt8(value.utf8.count)] + Array(value.utf8)
  }

  private func open(_ plaintext: [UInt8]) async throws -> [String: String] {
    let unlocked = try await UnlockedHeader.make(.packedEnvironment, context: context, using: keyring)
    let nonce = try Randomness.bytes(24)
    let key = try unlocked.keys.key(.payload).copy()
    // No plain variables: their tags have no bytes.
    let sealed = try AEAD.xChaCha20Poly1305.seal(
      [0, 0] + plaintext, authenticating: [0, 0, 0, 7], nonce: nonce, key: key)
    let environment = SealedEnvironment(header: unlocked.header, generation: 7, payload: .packed(nonce + sealed))
    return try await environment.variables.open(context: context, using: keyring).strings
  }

  @Test func writtenRightly() async throws {
    #expect(try await open([0, 0]) == [:])
    #expect(try await open([0, 2] + entry("A", "1") + entry("B", "")) == ["A": "1", "B": ""])
  }

  @Test func writtenWrongly() async throws {
    let (a, b) = (entry("A", Planted.token), entry("B", Planted.password))
    let wrong: [(String, [UInt8])] = [
      ("nothing at all", []), ("half a count", [0]), ("no entries", [0, 1]), ("a huge count", [255, 255] + a),
      ("names not ascending", [0, 2] + b + a), ("a name twice", [0, 2] + a + a), ("trailing bytes", [0, 1] + a + [0]),
      ("one entry more", [0, 1] + a + b), ("one entry less", [0, 3] + a + b),
      ("an empty name", [0, 1] + entry("", "1")), ("a digit first", [0, 1] + entry("1A", "1")),
      ("a reserved name", [0, 1] + entry("ENVELOPE_HEADER", "1")),
      ("the other reserved name", [0, 1] + entry("ENVELOPE_SEALED", "1")),
      ("a name in equivalent characters", [0, 1] + entry("\u{212a}EY", "1")),
      ("a name that is not UTF-8", [0, 1, 0, 1, 0xff, 0, 0]), ("a NUL in a name", [0, 1] + entry("A\0", "1")),
      ("a huge name", [0, 1, 255, 255] + Array("A".utf8)), ("a huge value", [0, 1, 0, 1, 0x41, 255, 255, 1]),
      ("a value for a name", [0, 1] + entry(Planted.url, "1")), ("half a length", [0, 1, 0, 1, 0x41, 0]),
    ]
    for (what, plaintext) in wrong {
      await expectError(.malformed, at: what) { try await open(plaintext) }
    }
    let whole = [0, 2] + a + b
    for count in whole.indices {
      await expectError(.malformed, at: "\(count) bytes") { try await open(Array(whole[..<count])) }
    }
  }

  @Test func valuesUpToTheLimit() async throws {
    let values = ["A": String(repeating: "x", count: 65_535), "B": ""]
    let sealed = try await SealedEnvironment.seal(values, as: .packed, context: context, using: keyring)
    #expect(try await sealed.open(context: context, using: keyring).strings == values)
    let long = String(repeating: "x", count: 65_536)
    await expectError(.invalidArgument, names: ["A"]) {
      try await SealedEnvironment.seal(["A": long], as: .packed, context: context, using: keyring)
    }
    let separate = try await SealedEnvironment.seal(["A": long], context: context, using: keyring)
    #expect(try await separate.open(context: context, using: keyring).strings == ["A": long])
  }

  /// Only the number of bytes is to be seen.
  @Test func namesAreHidden() async throws {
    let sealed = try await SealedEnvironment.seal(Planted.values, as: .packed, context: context, using: keyring)
    #expect(sealed.names == [] && Array(sealed.variables.keys) == ["ENVELOPE_SEALED"])
    let text = shown(sealed) + shown(sealed.variables)
    for name in Planted.values.keys { #expect(!text.contains(name)) }
  }
}
