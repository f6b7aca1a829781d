// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Files that an attacker without a key wrote so that a rewrap would change the wrong place, or pass over the right one.
@Suite(.timeLimit(.minutes(20))) struct RewrapDecoyTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("API=one\nDB=two\nLOG_LEVEL=info\n", "--plain", "LOG_LEVEL", "--format", "json", to: "app.json")
  }

  private func variables() throws -> [String: String] {
    try #require(try JSONSerialization.jsonObject(with: sandbox.readBytes("app.json")) as? [String: String])
  }

  /// A JSON string in which the first letter of what is sealed is spelled with an escape.
  private func escaped(_ text: String) -> String {
    text.hasPrefix("e") ? "\"\\u0065\(text.dropFirst())\"" : "\"\(text)\""
  }

  private func members(_ variables: [String: String]) -> String {
    variables.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\(escaped($0.value))" }.joined(separator: ",")
  }

  /// The real values are escaped, and their texts stand in a member that is ignored.
  @Test(arguments: [["ENVELOPE_HEADER"], ["ENVELOPE_HEADER", "API", "DB"]])
  func changesTheValuesThatAreRead(decoys: [String]) throws {
    let variables = try variables()
    let decoy = decoys.compactMap { variables[$0] }.joined(separator: " ")
    let text = "{\"Description\":\"\(decoy)\",\"Environment\":{\"Variables\":{\(members(variables))}}}"
    let expected = ["API": "one", "DB": "two", "LOG_LEVEL": "info"]
    try sandbox.write(text, to: "mix.json")
    #expect(try sandbox.opened("mix.json") == expected)
    try sandbox.envelope("reseal", "mix.json", "--function", "app").succeeded()
    #expect(try sandbox.opened("mix.json") == expected)

    try sandbox.write(text, to: "mix.json")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("rewrap", "mix.json", "--function", "app").succeeded()
    #expect(try sandbox.opened("mix.json") == expected)
    let inspected = try sandbox.envelope("inspect", "mix.json").succeeded().text
    #expect(inspected.contains(".2") && !inspected.contains(".1\n"))
  }

  /// What is spelled with escapes alone is sealed all the same.
  @Test func findsSealedFilesThatAreEscaped() throws {
    let variables = try variables()
    let text = "{\(members(variables).replacingOccurrences(of: "HEADER", with: "HEADE\\u0052"))}"
    #expect(!text.contains("ENVELOPE_HEADER") && !text.contains("\"ev1:"))
    try sandbox.makeFolder("tree")
    try sandbox.write(text, to: "tree/app.json")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let first = try sandbox.envelope("rewrap", "tree", "--function", "app").succeeded()
    #expect(first.messages.contains("Rewrapped 1 file"))
    #expect(try sandbox.opened("tree/app.json") == ["API": "one", "DB": "two", "LOG_LEVEL": "info"])
  }

  /// A header that claims the newest version without a key is not reported as right.
  @Test func doesNotReportAsRightWhatDoesNotVerify() throws {
    try sandbox.seal("A=1\nLOG_LEVEL=info\n", "--plain", "LOG_LEVEL")
    let sealed = try sandbox.read("app.env")
    try sandbox.write(sealed + "EXTRA=1\n", to: "app.env")
    try sandbox.envelope("rewrap", "app.env", "--function", "app").failed(65, saying: "EXTRA")
    try sandbox.write(sealed, to: "app.env")
    let same = try sandbox.envelope("rewrap", "app.env", "--function", "app").succeeded()
    #expect(same.messages.contains("1 file as it should be"))
    // Without the key, it is not known.
    let elsewhere = try Sandbox()
    try elsewhere.envelope("keys", "create", "other").succeeded()
    try elsewhere.write(sealed, to: "app.env")
    try elsewhere.envelope("rewrap", "app.env", "--function", "app").failed(77, saying: "app.env: ")
  }
}
