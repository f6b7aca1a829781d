// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

/// Run by the command of the tests if its libsodium has X-Wing, or by another one that `ENVELOPE_TEST_COMMAND` names.
let lacksXWing: Comment =
  "libsodium has no X-Wing before 1.0.22: set ENVELOPE_TEST_COMMAND to a command that has"
let hasXWing = ProcessInfo.processInfo.environment["ENVELOPE_TEST_COMMAND"] != nil || XWing.isAvailable

@Suite("keys: no post-quantum recipients", .timeLimit(.minutes(20))) struct NoPostQuantumCommandsTests {
  @Test(.enabled(if: !hasXWing, "libsodium has X-Wing")) func nothingIsCreatedWithoutXWing() throws {
    let sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    let before = try sandbox.read(sandbox.keyStore)
    try sandbox.keys("recipient", "archive", "--post-quantum").failed(69, saying: "libsodium 1.0.22 or newer")
    #expect(try sandbox.read(sandbox.keyStore) == before)
  }

  /// A store from another machine: the identity is shown, and whatever is under other keys opens.
  @Test(.enabled(if: !hasXWing, "libsodium has X-Wing")) func aStoreWithAnIdentityIsReadWithoutXWing() throws {
    let sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    let lines = try sandbox.read(sandbox.keyStore).split(separator: "\n").map(String.init)
    let identity = [
      "xwing-identity identity-111 1", "version 1 1700000001 UZQmR3pavW7hUpEiqcEf4w_5jrQx__v9J9W5SfnwE_k",
    ]
    let text = ["envelope-keys 2"] + lines[1...2] + identity + lines[3...]
    try sandbox.write(text.joined(separator: "\n") + "\n", to: sandbox.keyStore)
    let shown = try sandbox.keys("show", "identity-111").succeeded().text
    #expect(shown.contains("post-quantum-recipient: ") && shown.contains("libsodium 1.0.22 or newer"), "\(shown)")
    #expect(try sandbox.keys("list").succeeded().text.contains("-\tidentity-111\tpost-quantum-recipient\n"))
    try sandbox.seal("TOKEN=of value\n")
    #expect(try sandbox.envelope("get", "app.env", "TOKEN", "--function", "app").succeeded().text == "of value")
    try sandbox.start(["seal", "-", "--function", "app", "--key", "identity-111"], input: Data("A=1\n".utf8)).wait()
      .failed(69, saying: "libsodium 1.0.22 or newer")
  }
}

@Suite("keys: post-quantum recipients", .timeLimit(.minutes(20)), .enabled(if: hasXWing, lacksXWing))
struct PostQuantumCommandsTests {
  private let sandbox: Sandbox
  /// The public string of the identity `archive`.
  private let recipient: String

  init() throws {
    sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    recipient = try sandbox.keys("recipient", "archive", "--post-quantum").succeeded().line
  }

  private func seal(_ keys: String..., file: String = "app.env") throws {
    let options = keys.flatMap { ["--key", $0] }
    try sandbox.start(
      ["seal", "-", "--function", "app", "-o", file, "--force"] + options, input: Data("TOKEN=of value\n".utf8)
    ).wait().succeeded()
  }

  private func get(_ more: String..., file: String = "app.env") throws -> Outcome {
    try sandbox.start(["get", file, "TOKEN", "--function", "app"] + more).wait()
  }

  private func inspect(_ file: String = "app.env") throws -> String {
    try sandbox.envelope("inspect", file).succeeded().text
  }

  @Test func itIsListedAndShown() throws {
    #expect(recipient.utf8.count == 1648 && recipient.hasPrefix("er2:"))
    #expect(try sandbox.keys("show", "archive").succeeded().text.contains("post-quantum-recipient: \(recipient)\n"))
    #expect(try sandbox.keys("list").succeeded().text.contains("\tpost-quantum-recipient\n"))
    #expect(try sandbox.read(sandbox.keyStore).contains("\nxwing-identity "))
  }

  @Test func whatIsSealedToItAloneHasNoSender() throws {
    try seal(recipient)
    #expect(try inspect().contains("suite: ChaCha20-Poly1305\nkeys, not verified: post-quantum-recipient "))
    try get().failed(65, saying: "public key")
    #expect(try get("--accept-anonymous-sender").succeeded().text == "of value")
    let explained = try sandbox.envelope("explain", "app.env", "--function", "app")
    #expect(
      explained.ending == .exit(65) && explained.text.contains("key post-quantum-recipient ")
        && explained.text.contains("unwraps\n"))
    let budget = try sandbox.envelope("budget", "app.env").succeeded().text
    #expect(budget.contains("  1582  of these for post-quantum-recipient "))
  }

  @Test func eitherKindStandsBesideTheOther() throws {
    let old = try sandbox.keys("recipient", "old").succeeded().line
    try seal("default", old, recipient)
    let text = try inspect()
    #expect(text.contains("keyset ") && text.contains(", recipient ") && text.contains(", post-quantum-recipient "))
    let warning = "not safe from quantum computers"
    let seal = { (keys: [String]) in
      try sandbox.start(["seal", "-", "--function", "app"] + keys, input: Data("A=1\n".utf8)).wait().succeeded()
        .messages
    }
    #expect(try seal(["--key", old, "--key", recipient]).contains(warning))
    #expect(try !seal(["--key", "default", "--key", recipient]).contains(warning))
    #expect(try get().succeeded().text == "of value")
  }

  @Test func aRotatedOneIsFollowed() throws {
    try seal("default", recipient)
    let next = try sandbox.keys("rotate", "archive").succeeded().line
    #expect(next.hasPrefix("er2:") && next != recipient)
    try sandbox.envelope("rewrap", "app.env", "--function", "app").succeeded()
    let id = try #require(sandbox.keys("show", "archive").text.split(separator: "\n").first?.dropFirst(4))
    #expect(try inspect().contains("post-quantum-recipient \(id).2"))
    #expect(try !inspect().contains("post-quantum-recipient \(id).1"))
    #expect(try get().succeeded().text == "of value")
  }

  /// The reader with the X25519 key goes, so the variables get a new data key, which that key never had.
  @Test func itTakesThePlaceOfAnX25519Recipient() throws {
    let old = try sandbox.keys("recipient", "old").succeeded().line
    try seal("default", old)
    let before = try sandbox.read("app.env")
    try sandbox.envelope("rewrap", "app.env", "--function", "app", "--add", recipient).succeeded()
    #expect(
      try sandbox.envelope("rewrap", "app.env", "--function", "app", "--remove", "old").succeeded().messages
        .contains("Resealed 1 file"))
    let text = try inspect()
    #expect(!text.contains(", recipient ") && text.contains("post-quantum-recipient "))
    let token = { (text: String) in text.split(separator: "\n").first { $0.hasPrefix("TOKEN=") } }
    #expect(try token(sandbox.read("app.env")) != token(before))
    #expect(try get().succeeded().text == "of value")
  }

  @Test func aLockedStoreIsUnderOne() throws {
    try seal("default")
    let offline = sandbox.path("offline.keys")
    let vault = try sandbox.envelope(
      "keys", "recipient", "vault", "--post-quantum", with: ["ENVELOPE_STORE": offline]
    ).succeeded().line
    try sandbox.keys("lock", "--key", vault).succeeded()
    #expect(
      try sandbox.start(["get", "app.env", "TOKEN", "--function", "app"], with: ["ENVELOPE_STORE_KEY": offline]).wait()
        .succeeded().text == "of value")
  }

  @Test func mistypedOnesAreRefused() throws {
    for wrong in [String(recipient.dropLast()), recipient + "A", "er1:" + recipient.dropFirst(4)] {
      let options = ["--function", "app", "--key", wrong]
      try sandbox.start(["seal", "-"] + options, input: Data("A=1\n".utf8)).wait().failed(
        64, saying: "recipient is invalid or mistyped")
    }
  }
}
