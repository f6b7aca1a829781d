// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Texts of the second version written by hand, good ones and damaged ones.
@Suite(.timeLimit(.minutes(20))) struct DamagedStoreTextTests {
  private static let id = "abcdefghijkl"
  private static let secret = String(repeating: "A", count: 43)

  private static func text(_ lines: [String], version: Int = 2, default id: String? = id) -> String {
    (["envelope-keys \(version)"] + lines + (id.map { ["default \($0)"] } ?? []) + ["end"]).map { $0 + "\n" }.joined()
  }

  private static let keyset = "keyset \(id) 1"
  private static let version = "version 1 0 \(secret)"

  @Test func theHandWrittenTextsAreGood() throws {
    for lines in [
      [Self.keyset, Self.version], ["identity \(Self.id) 1", Self.version],
      [
        Self.keyset, "state disabled", "rotation 1", "operations wrap", "function -", "function YQ", "narrowed -",
        Self.version,
      ],
      [Self.keyset, "state pending 18446744073709551615", Self.version, "audit \(Self.secret)", "alias a \(Self.id)"],
      ["destroyed \(Self.id) keyset 0"], ["destroyed \(Self.id) identity 5"],
    ] {
      _ = try KeyStore(reading: Self.text(lines))
    }
    _ = try KeyStore(reading: "envelope-keys 2\naudit \(Self.secret)\nend\n")
  }

  // swift-format-ignore
  private static let damaged: [(name: String, lines: [String])] = [
    ("a word follows the state", [keyset, "state disabled now", version]),
    ("a word follows the time", [keyset, "state pending 5 junk", version]),
    ("two words follow the time", [keyset, "state pending 5 junk more", version]),
    ("a space follows the time", [keyset, "state pending 5 ", version]),
    ("a state that there is not", [keyset, "state enabled", version]),
    ("a state without a word", [keyset, "state", version]),
    ("no time", [keyset, "state pending", version]),
    ("a time with a sign", [keyset, "state pending +5", version]),
    ("a time with a zero before it", [keyset, "state pending 05", version]),
    ("a time of 65 bits", [keyset, "state pending 18446744073709551616", version]),
    ("two states", [keyset, "state disabled", "state pending 5", version]),
    ("a state twice", [keyset, "state disabled", "state disabled", version]),
    ("the least minimum is not written", [keyset, "minimum 1", version]),
    ("a minimum of 0", [keyset, "minimum 0", version]),
    ("a minimum above the primary", [keyset, "minimum 2", version]),
    ("a word follows the minimum", [keyset.replacing(" 1", with: " 2"), "minimum 2 2", "version 2 0 \(secret)"]),
    ("a rotation of no days", [keyset, "rotation 0", version]),
    ("a rotation of too many days", [keyset, "rotation 2561", version]),
    ("a negative rotation", [keyset, "rotation -1", version]),
    ("a rotation twice", [keyset, "rotation 1", "rotation 2", version]),
    ("an operation that there is not", [keyset, "operations rewrap", version]),
    ("both operations", [keyset, "operations wrap unwrap", version]),
    ("an operation twice", [keyset, "operations wrap", "operations unwrap", version]),
    ("a function twice", [keyset, "function YQ", "function YQ", version]),
    ("functions in the wrong order", [keyset, "function Yg", "function YQ", version]),
    ("no function after a function", [keyset, "function YQ", "function -", version]),
    ("an empty function", [keyset, "function ", version]),
    ("a padded function", [keyset, "function YQ==", version]),
    ("a function with spare bits", [keyset, "function YR", version]),
    ("a function that is not UTF-8", [keyset, "function _w", version]),
    ("a function with half a surrogate pair", [keyset, "function 7aCA", version]),
    ("a function of 1,025 bytes", [keyset, "function \(Base64URL.encode([UInt8](repeating: 97, count: 1025)))", version]),
    ("257 functions", [keyset] + (1000...1256).map { "function \(Base64URL.encode(Array("f\($0)".utf8)))" } + [version]),
    ("narrowed twice to one", [keyset, "narrowed YQ", "narrowed YQ", "version 1 0 \(secret)\(secret)"]),
    ("narrowed in the wrong order", [keyset, "narrowed Yg", "narrowed YQ", "version 1 0 \(Base64URL.encode([UInt8](repeating: 0, count: 64)))"]),
    ("narrowed to two with one secret", [keyset, "narrowed YQ", "narrowed Yg", version]),
    ("two secrets, and not narrowed", [keyset, "version 1 0 \(Base64URL.encode([UInt8](repeating: 0, count: 64)))"]),
    ("a narrowed identity", ["identity \(id) 1", "narrowed YQ", version]),
    ("narrowed before the policy", [keyset, "narrowed YQ", "function YQ", version]),
    ("the minimum before the state", [keyset, "rotation 1", "state disabled", version]),
    ("a state after the version", [keyset, version, "state disabled"]),
    ("a function after the version", [keyset, version, "function YQ"]),
    ("narrowed after the version", [keyset, version, "narrowed YQ"]),
    ("a state of no key", ["state disabled", keyset, version]),
    ("no version", [keyset]),
    ("a destroyed key's version", ["destroyed \(id) keyset 0", version]),
    ("a destroyed key's state", ["destroyed \(id) keyset 0", "state disabled"]),
    ("a destroyed key's policy", ["destroyed \(id) keyset 0", "operations wrap"]),
    ("a destroyed key of no kind", ["destroyed \(id) 0"]),
    ("a destroyed key of another kind", ["destroyed \(id) symmetric 0"]),
    ("a destroyed key and a word", ["destroyed \(id) keyset 0 0"]),
    ("a destroyed key without a time", ["destroyed \(id) keyset -"]),
    ("a destroyed key's id", ["destroyed abcdefghijk keyset 0"]),
    ("a destroyed key that is there too", [keyset, version, "destroyed \(id) keyset 0"]),
    ("a keyset and an identity of one id", [keyset, version, "identity \(id) 1", version]),
    ("two logs", [keyset, version, "audit \(secret)", "audit \(secret)"]),
    ("a short log's key", [keyset, version, "audit \(secret.dropLast())"]),
    ("a long log's key", [keyset, version, "audit \(secret)A"]),
    ("a padded log's key", [keyset, version, "audit \(secret)="]),
    ("a log's key with spare bits", [keyset, version, "audit \(secret.dropLast())B"]),
    ("a log before the keys", ["audit \(secret)", keyset, version]),
    ("a log after the aliases", [keyset, version, "alias a \(id)", "audit \(secret)"]),
    ("a key after the log", [keyset, version, "audit \(secret)", "keyset bbcdefghijkl 1", version]),
    ("a state after the log", [keyset, version, "audit \(secret)", "state disabled"]),
    ("an alias of an id", [keyset, version, "alias \(id) \(id)"]),
    ("a word of its own", [keyset, version, "comment x"]),
    ("an empty line", [keyset, version, ""]),
  ]

  @Test(arguments: damaged) func aDamagedTextIsRefused(name: String, lines: [String]) async {
    let error = await expectError(.keyStoreDamaged, at: name) {
      try KeyStore(reading: Self.text(lines, default: lines.isEmpty ? nil : Self.id))
    }
    #expect(error?.message.contains(Self.secret) != true)
  }

  /// None of the second version's lines is one of the first.
  @Test(arguments: [
    ["identity \(id) 1", version], ["destroyed \(id) keyset 0"], [keyset, "state disabled", version],
    [keyset, "state pending 5", version], [keyset, "minimum 2", version], [keyset, "rotation 5", version],
    [keyset, "operations wrap", version], [keyset, "function -", version], [keyset, "narrowed -", version],
    [keyset, version, "audit \(secret)"],
  ])
  func theFirstVersionHasNoneOfThese(lines: [String]) async {
    await expectError(.keyStoreDamaged) { try KeyStore(reading: Self.text(lines, version: 1)) }
  }

  @Test(arguments: ["envelope-keys 3", "envelope-keys 02", "envelope-keys 2 ", "envelope-keys", "ENVELOPE-KEYS 2"])
  func laterVersionsAreToldApart(line: String) async {
    await expectError(.unsupportedVersion) {
      try KeyStore(reading: Self.text([Self.keyset, Self.version]).replacingLine("envelope-keys 2", with: [line]))
    }
  }
}
