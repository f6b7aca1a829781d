// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct ResealCommandTests {
  let sandbox: Sandbox
  let key: String
  init() throws {
    sandbox = try Sandbox()
    key = try sandbox.makeKey("default")
    try sandbox.seal("AA=1\nBB=2\n", "--plain", "AA")
  }

  private func salt(of name: String) throws -> [UInt8] {
    let line = try #require(try sandbox.read(name).split(separator: "\n").first { $0.hasPrefix("ENVELOPE_") })
    return Array(try Envelope.bytes(ofText: String(line.drop { $0 != "=" }.dropFirst()))[5..<21])
  }

  @Test func everythingIsSealedAnewUnderTheSameKeys() throws {
    let before = "# Stays.\n" + (try sandbox.read("app.env"))
    try sandbox.write(before, to: "app.env")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let result = try sandbox.envelope("reseal", "app.env", "--function", "app").succeeded()
    #expect(result.messages == "Resealed 1 file.\n")
    let after = try sandbox.read("app.env")
    let changed = zip(before.split(separator: "\n"), after.split(separator: "\n")).filter { $0 != $1 }.map(\.0)
    #expect(changed.count == 2 && changed.allSatisfy { $0.hasPrefix("ENVELOPE_HEADER=") || $0.hasPrefix("BB=ev1:") })
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).2"])
    #expect(try sandbox.opened() == ["AA": "1", "BB": "2"])
  }

  /// A variable sealed under the old data key does not pass for one of the new.
  @Test func theDataKeyIsANewOne() throws {
    let before = try sandbox.read("app.env")
    let salt = try salt(of: "app.env")
    try sandbox.envelope("reseal", "app.env", "--function", "app").succeeded()
    #expect(try self.salt(of: "app.env") != salt)
    let old = try #require(before.split(separator: "\n").first { $0.hasPrefix("BB=") })
    let mixed = try sandbox.read("app.env").split(separator: "\n").map { $0.hasPrefix("BB=") ? old : $0 }
    try sandbox.write(mixed.joined(separator: "\n") + "\n", to: "app.env")
    try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: "BB")
  }

  @Test func anEnvironmentOnlyGetsNewer() throws {
    let first = try #require(try sandbox.report(of: "app.env").generation)
    try sandbox.envelope("reseal", "app.env", "--function", "app").succeeded()
    #expect(try #require(try sandbox.report(of: "app.env").generation) > first)
  }

  @Test func aValueNeedsWhatItWasAuthenticatedWith() async throws {
    let context: EncryptionContext = ["function": "app"]
    let sealed = try await Envelope.seal(
      Array("marker".utf8), context: context, authenticating: Array("row 17".utf8), using: sandbox.keyring())
    try sandbox.write(Envelope.text(of: sealed), to: "value")
    try sandbox.envelope("reseal", "value", "--function", "app").failed(65, saying: "value: ")
    #expect(try sandbox.read("value") == Envelope.text(of: sealed))
    try sandbox.envelope("reseal", "value", "--function", "app", "--associated-data", "row 17").succeeded()
    let resealed = try Envelope.bytes(ofText: sandbox.read("value"))
    #expect(resealed[5..<21] != sealed[5..<21])
    let opened = try await Envelope.open(
      resealed, context: context, authenticating: Array("row 17".utf8), using: sandbox.keyring())
    #expect(opened.withBytes { $0.byteCount } == 6)
  }

  @Test func otherKeysTakeThePlace() throws {
    let second = try sandbox.makeKey("second")
    try sandbox.envelope("reseal", "app.env", "--function", "app", "--to", "second").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(second).1"])
    try sandbox.envelope("reseal", "app.env", "--function", "app", "--to", "nobody").failed(77)
    try sandbox.envelope("reseal", "app.env", "--function", "app", "--to", "default", "--configured").failed(64)
  }

  @Test func aDryRunChangesNothing() throws {
    let before = try sandbox.read("app.env")
    let result = try sandbox.envelope("reseal", "app.env", "--function", "app", "--dry-run").succeeded()
    #expect(result.text == "app.env\treseal\n" && result.messages == "Would reseal 1 file.\n")
    #expect(try sandbox.read("app.env") == before)
  }
}
