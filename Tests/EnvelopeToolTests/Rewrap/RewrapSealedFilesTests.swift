// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("rewrap and reseal: sealed files", .timeLimit(.minutes(20))) struct RewrapSealedFilesTests {
  let sandbox: Sandbox
  let bytes: Data

  init() throws {
    sandbox = try Sandbox()
    try sandbox.makeFolder(".git")
    try sandbox.makeFolder("data")
    bytes = try sandbox.makeFile("plain", byteCount: 17 << 20)
    try sandbox.file("seal", "plain", "-o", "data/long.sealed").succeeded()
    try sandbox.shell("head -c 1000 plain | \"$ENVELOPE\" file seal - --function app -o data/app.sealed").succeeded()
  }

  private func payload(_ name: String) throws -> Data {
    let header = try sandbox.report(of: name).keys.count
    try #require(header > 0)
    return try sandbox.readBytes(name).suffix(1000)
  }

  @Test func folderIsRewrappedAfterRotation() throws {
    let before = try payload("data/long.sealed")
    try sandbox.setMode(0o640, of: "data/long.sealed")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let dry = try sandbox.envelope("rewrap", ".", "--dry-run").succeeded()
    #expect(dry.text.contains("data/app.sealed\trewrap\t") && dry.text.contains("data/long.sealed\trewrap\t"))
    #expect(try sandbox.keyIDs(of: "data/long.sealed").allSatisfy { $0.hasSuffix(".1") })
    let done = try sandbox.envelope("rewrap", ".").succeeded()
    #expect(done.messages.contains("Rewrapped 2 files, 1 not sealed."), "\(done.messages)")
    for name in ["data/app.sealed", "data/long.sealed"] {
      #expect(try sandbox.keyIDs(of: name).allSatisfy { $0.hasSuffix(".2") })
    }
    #expect(try payload("data/long.sealed") == before)
    #expect(try sandbox.mode(of: "data/long.sealed") == 0o640)
    #expect(try sandbox.file("open", "data/long.sealed").succeeded().output == bytes)
    let again = try sandbox.envelope("rewrap", ".").succeeded()
    #expect(again.messages.contains("Nothing to do: 2 files as they should be, 1 not sealed."), "\(again.messages)")
  }

  @Test func resealingChangesThePayload() throws {
    let before = try payload("data/long.sealed")
    let done = try sandbox.envelope("reseal", "data").succeeded()
    #expect(done.messages.contains("Resealed 2 files."), "\(done.messages)")
    #expect(try payload("data/long.sealed") != before)
    #expect(try sandbox.file("open", "data/long.sealed").succeeded().output == bytes)
    try sandbox.file("verify", "data/app.sealed", "--function", "app").succeeded()
  }

  @Test func readersAreAddedAndRemoved() throws {
    let other = ["ENVELOPE_STORE": sandbox.path("other.keys")]
    let recipient = try sandbox.makeRecipient("other", in: sandbox.path("other.keys"))
    // A new reader reads only what the call names the function of: here, that there is none.
    let unnamed = try sandbox.envelope("rewrap", "data/long.sealed", "--add", recipient).failed(65)
    #expect(unnamed.messages.contains("or --no-function"))
    let before = try payload("data/long.sealed")
    try sandbox.envelope("rewrap", "data/long.sealed", "--no-function", "--add", recipient).succeeded()
    #expect(try payload("data/long.sealed") == before)
    try sandbox.file("verify", "data/long.sealed", "--accept-anonymous-sender", with: other).succeeded()
    // A removed reader knows the data key, so the file is resealed.
    let removed = try sandbox.envelope("rewrap", "data/long.sealed", "--no-function", "--remove", recipient)
    #expect(removed.succeeded().messages.contains("Resealed 1 file."))
    #expect(try payload("data/long.sealed") != before)
    try sandbox.file("verify", "data/long.sealed", "--accept-anonymous-sender", with: other).failed(77)
    // Unless that is asked for.
    try sandbox.envelope("rewrap", "data/long.sealed", "--no-function", "--add", recipient).succeeded()
    let kept = try payload("data/long.sealed")
    let former = try sandbox.envelope(
      "rewrap", "data/long.sealed", "--no-function", "--remove", recipient, "--keep-data-key")
    #expect(former.succeeded().messages.contains("Removed readers may have kept the data keys"))
    #expect(try payload("data/long.sealed") == kept)
    #expect(try sandbox.file("open", "data/long.sealed").succeeded().output == bytes)
  }

  @Test func filesThatDoNotVerifyAreLeftAlone() throws {
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.file("seal", "plain", "-o", "data/other.sealed", "--context", "a=b").succeeded()
    try sandbox.shell("head -c 100 data/long.sealed > data/cut.sealed").succeeded()
    try sandbox.shell("cp data/long.sealed data/altered.sealed").succeeded()
    try sandbox.flip(100, of: "data/altered.sealed")
    let names = ["data/other.sealed", "data/cut.sealed", "data/altered.sealed"]
    let before = try names.map { try sandbox.readBytes($0) }
    for command in ["rewrap", "reseal"] {
      let outcome = try sandbox.envelope(command, ".").failed(65)
      for name in names { #expect(outcome.messages.contains(name), "\(outcome.messages)") }
      #expect(try names.map { try sandbox.readBytes($0) } == before)
    }
    // What is altered in the middle is found when the file is resealed.
    try sandbox.flip(1 << 20, of: "data/long.sealed")
    let altered = try sandbox.readBytes("data/long.sealed")
    try sandbox.envelope("reseal", "data/long.sealed").failed(65, saying: "data/long.sealed")
    #expect(try sandbox.readBytes("data/long.sealed") == altered)
    #expect(try sandbox.names(in: "data").allSatisfy { !$0.hasSuffix(".new") })
  }
}
