// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

/// Keys that are elsewhere: a recipient's, and one that somebody else has rotated.
@Suite(.timeLimit(.minutes(20))) struct RewrapReadersTests {
  let sandbox: Sandbox
  let key: String
  init() throws {
    sandbox = try Sandbox()
    key = try sandbox.makeKey("default")
    try sandbox.makeFolder(".git")
  }

  private func rewrap(_ arguments: String...) throws -> Outcome {
    try sandbox.start(["rewrap", "app.env", "--function", "app"] + arguments).wait()
  }

  /// The recipient of a break-glass key that is kept offline must not be lost on the way to its new version.
  @Test func aRecipientThatIsElsewhereComesToItsNewVersionInTwoSteps() throws {
    let old = try sandbox.makeRecipient("glass", in: "offline")
    let rotated = try sandbox.envelope("keys", "rotate", "glass", with: ["ENVELOPE_STORE": "offline"]).succeeded()
    let new = String(rotated.text.dropLast())
    let glass = try Recipient(new).keyID.string.dropLast(2)
    try sandbox.seal("AA=1\n", "--key", "default", "--key", old)
    let before = try sandbox.read("app.env")
    try rewrap("--add", new, "--remove", old).failed(77, saying: "nothing was dropped")
    #expect(try sandbox.read("app.env") == before)

    try rewrap("--add", new).succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).1", "\(glass).1", "\(glass).2"])
    #expect(try rewrap("--add", new).succeeded().messages.hasPrefix("Nothing to do"))
    try rewrap("--add", old).failed(77, saying: "newer version")
    try rewrap("--add", new, "--remove", old).succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).1", "\(glass).2"])
    #expect(
      try sandbox.envelope(
        "open", "app.env", "--function", "app", "--accept-anonymous-sender", with: ["ENVELOPE_STORE": "offline"]
      ).code == 0)
    // And one of its versions alone is removed by its id.
    try rewrap("--add", new, "--remove", "\(glass).1").succeeded()
    try rewrap("--remove", new).succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).1"])
  }

  /// Whoever has not taken over a rotation would put the old version, which may have leaked, back in the place of the new.
  @Test func aStoreThatIsBehindTakesNothingBackToAnOlderVersion() throws {
    try sandbox.makeKey("second")
    try sandbox.makeKey("third")
    try sandbox.shell("cp -p '\(sandbox.keyStore)' stale && chmod 700 .").succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.seal("AA=1\n", "--key", "default", "--key", "second")
    let before = try sandbox.read("app.env")
    sandbox.environment["ENVELOPE_STORE"] = sandbox.path("stale")
    #expect(try rewrap().succeeded().messages.hasPrefix("Nothing to do"))
    try rewrap("--add", "default").failed(77, saying: "newer version")
    try rewrap("--to", "default").failed(77, saying: "newer version")
    try sandbox.envelope("reseal", "app.env", "--function", "app").failed(77, saying: "not known here")
    try sandbox.write("functions:\n  app: {key: [default, second]}\n", to: "envelope.yaml")
    try rewrap("--configured").failed(77, saying: "newer version")
    #expect(try sandbox.read("app.env") == before)
    // What has nothing to do with it can be done, and it can be removed.
    try rewrap("--add", "third").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env").contains("\(key).2"))
    try rewrap("--remove", "default").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env").count == 2)
  }

  /// What is wrapped to an identity of the store is opened again with its key, and that is a use like any other.
  @Test func readingBackIsLogged() throws {
    let recipient = try sandbox.makeRecipient("me", in: sandbox.keyStore)
    try sandbox.seal("AA=1\n")
    try sandbox.envelope("audit", "start").succeeded()
    try rewrap("--to", recipient, "--keep-data-key").succeeded()
    let id = try Recipient(recipient).keyID.string.dropLast(2)
    let log = try sandbox.read(sandbox.keyStore + ".audit").split(separator: "\n")
    #expect(log.contains { $0.contains(#""operation":"unwrap","key":"\#(id)""#) })
  }

  @Test func whatIsNamedToOpenWithMustBeThere() throws {
    try sandbox.seal("AA=1\n")
    try rewrap("--key", "nobody").failed(77, saying: "'nobody'")
    try rewrap("--add", "default", "--remove", key).failed(64, saying: "at once")
  }
}
