// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

/// Logs that are of another context, or under keys that are not there.
@Suite("Keys and contexts of logs", .timeLimit(.minutes(20))) struct LogsKeyTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  @Test func otherContextsAreRefused() async throws {
    try sandbox.write(lines: try await sandbox.sealedLog("one"))
    for options in [
      [], ["--context", "service=other"], ["--function", "shop"], ["--context", "service=shop", "--context", "a=b"],
    ] {
      for command in ["open", "verify"] {
        let outcome = try sandbox.start(["logs", command, "shop.log"] + options).wait()
        #expect(outcome.code == 65 && outcome.output.isEmpty)
        #expect(outcome.messages.contains("context"), "\(outcome.messages)")
      }
    }
  }

  @Test func functionIsPartOfTheContext() async throws {
    let lines = try await sandbox.sealedLines(["function": "shop"])
    try sandbox.write(lines: lines.lines)
    try sandbox.envelope("logs", "open", "shop.log", "--function", "shop").succeeded()
    #expect(try sandbox.envelope("logs", "open", "shop.log", "--function", "other").code == 65)
    #expect(try sandbox.envelope("logs", "open", "shop.log").code == 65)
  }

  @Test func keyThatIsNotThereIsNamed() async throws {
    try sandbox.write(lines: try await sandbox.sealedLog("one"))
    let id = try sandbox.keyring().keyset.id.string
    let other = ["ENVELOPE_STORE": sandbox.path("other.keys")]
    let arguments = ["logs", "open", "shop.log", "--context", "service=shop"]
    try sandbox.start(arguments, with: other).wait().failed(77, saying: "other.keys")
    try sandbox.makeKey("default", in: sandbox.path("other.keys"))
    let outcome = try sandbox.start(arguments, with: other).wait().failed(77, saying: id)
    #expect(outcome.messages.contains("envelope keys import"))
  }

  @Test func segmentsOfOthersAreFindings() async throws {
    let other = try await sandbox.sealedLines(["service": "other"])
    try sandbox.write(lines: try await sandbox.sealedLog("one") + other.lines)
    let outcome = try sandbox.logs("open", "shop.log").found(
      "shop.log:5: segment \(other.id) does not open", "1 unopened")
    #expect(try outcome.logged == ["one"])
  }

  @Test func anonymousSendersAreRefusedUnlessAccepted() async throws {
    let identity = try Keyset.generate(.identity)
    try sandbox.makeKey("default")
    try sandbox.changeStore { (store) throws(EnvelopeError) in try store.add(identity, alias: "inbox") }
    var lines = try await SealedLines.begin(
      context: Sandbox.logContext, using: RecipientKeyring([try identity.recipient()]))
    try lines.log("from anyone")
    try lines.end()
    try sandbox.write(lines: lines.lines)
    try sandbox.logs("open", "shop.log").failed(65, saying: "--accept-anonymous-sender")
    let outcome = try sandbox.logs("open", "shop.log", "--accept-anonymous-sender").succeeded()
    #expect(try outcome.logged == ["from anyone"])
  }
}
