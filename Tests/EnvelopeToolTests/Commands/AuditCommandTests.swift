// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct AuditCommandTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.envelope("keys", "create", "default").succeeded()
  }

  private var log: String { sandbox.keyStore + ".audit" }

  private struct Entry: Decodable, Equatable {
    let entry: Int
    let operation: String
    let outcome: String
    var function: String?
    var version: Int?
  }

  private func entries() throws -> [Entry] {
    try sandbox.read(log).split(separator: "\n").map { try JSONDecoder().decode(Entry.self, from: Data($0.utf8)) }
  }

  private func start() throws { try sandbox.envelope("audit", "start").succeeded() }

  @Test func everyUseAndChangeIsLogged() throws {
    try sandbox.seal("AA=marker-secret\n")
    #expect(!sandbox.exists(log))
    try start()
    try sandbox.seal("AA=marker-secret\n")
    #expect(try sandbox.opened() == ["AA": "marker-secret"])
    try sandbox.envelope("exec", "app.env", "--function", "app", "--", "true").succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("rewrap", "app.env", "--function", "app").succeeded()
    try sandbox.envelope("keys", "disable", "default").succeeded()
    try sandbox.envelope("open", "app.env", "--function", "app").failed(77)
    try sandbox.envelope("keys", "export", "default", "--function", "app", "-o", "narrow").failed(77)
    try sandbox.envelope("open", "app.env", "--function", "other").failed(65)
    let seen = try entries()
    #expect(seen.map(\.entry) == Array(1...seen.count))
    #expect(
      seen.map { "\($0.operation) \($0.version.map(String.init) ?? "-") \($0.function ?? "-") \($0.outcome)" } == [
        // What is sealed over is opened first, for its generation.
        "unwrap 1 app success",
        "wrap 1 app success", "unwrap 1 app success", "unwrap 1 app success", "rotate - - success",
        // It is opened, wrapped anew, and read back before the old entry goes.
        "unwrap 1 app success", "wrap 2 app success", "unwrap 2 app success", "disable - - success",
        "unwrap 2 app keyDisabled", "export - - keyDisabled",
      ])
    #expect(try !sandbox.read(log).contains("marker"))
    #expect(try sandbox.mode(of: log) == 0o600)
  }

  /// A store that is reached by a link has its log beside the file itself, where one of before may lie.
  @Test func aLogOfBeforeIsFoundByALinkToo() throws {
    try start()
    try sandbox.seal("AA=1\n")
    try sandbox.envelope("audit", "end").succeeded()
    try FileManager.default.createSymbolicLink(atPath: sandbox.path("link"), withDestinationPath: sandbox.keyStore)
    let link = ["ENVELOPE_STORE": sandbox.path("link")]
    try sandbox.start(["audit", "start"], with: link).wait().failed(73, saying: "chained with another key")
    try FileManager.default.removeItem(atPath: log)
    let started = try sandbox.start(["audit", "start"], with: link).wait().succeeded()
    #expect(started.messages.contains(log) && !started.messages.contains(sandbox.path("link")))
    try sandbox.seal("AA=1\n", to: "new.env")
    #expect(try sandbox.start(["audit", "verify"], with: link).wait().succeeded().text.hasPrefix("1:"))
  }

  @Test func aCheckpointFindsWhatWasCutOff() throws {
    try start()
    #expect(try sandbox.envelope("audit", "verify").succeeded().text.hasPrefix("0:"))
    for number in 0..<3 { try sandbox.seal("AA=1\n", to: "\(number).env") }
    let verified = try sandbox.envelope("audit", "verify").succeeded()
    let checkpoint = String(verified.text.dropLast())
    #expect(checkpoint.hasPrefix("3:") && verified.messages == "3 entries verify.\n")
    let whole = try sandbox.read(log)
    try sandbox.envelope("audit", "verify", "--checkpoint", checkpoint).succeeded()

    let cut = whole.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n"
    try sandbox.write(cut, to: log)
    // The rest is a log of its own; only the checkpoint tells.
    try sandbox.envelope("audit", "verify").succeeded()
    try sandbox.envelope("audit", "verify", "--checkpoint", checkpoint).failed(65, saying: "ends after entry 2")
    try sandbox.envelope("audit", "verify", "--checkpoint", "3").failed(64, saying: "checkpoint")

    try sandbox.write(whole.replacing("\"entry\":2,\"time\":1", with: "\"entry\":2,\"time\":2"), to: log)
    try sandbox.envelope("audit", "verify").failed(65, saying: "entry 2 was altered")
  }

  /// Nothing is opened that could not be logged.
  @Test func whatCannotBeLoggedIsRefused() throws {
    try sandbox.seal("AA=marker\n")
    try start()
    try sandbox.makeFolder(log)
    let result = try sandbox.envelope("open", "app.env", "--function", "app")
    #expect(result.code == 74 || result.code == 77)
    #expect(result.output.isEmpty && !result.messages.contains("marker"))
    #expect(result.messages.contains(log))
  }

  @Test func startAndEndAreToldApart() throws {
    try sandbox.envelope("audit", "verify").failed(66, saying: "audit start")
    try sandbox.envelope("audit", "end").failed(66)
    try start()
    try sandbox.envelope("audit", "start").failed(73, saying: "already")
    try sandbox.seal("AA=1\n")
    try sandbox.envelope("audit", "end").succeeded()
    try sandbox.seal("AA=1\n")
    #expect(try entries().count == 1)
    // The old log would not verify with another key.
    try sandbox.envelope("audit", "start").failed(73, saying: "Move it away")
    try sandbox.shell("mv '\(log)' old").succeeded()
    try start()
  }

  @Test func withoutAKeyStoreThereIsNothingToLog() throws {
    let nowhere = ["ENVELOPE_STORE": "nowhere"]
    for word in ["start", "verify", "end"] { try sandbox.envelope("audit", word, with: nowhere).failed(77) }
    #expect(!sandbox.exists("nowhere"))
  }
}
