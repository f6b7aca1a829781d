// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Testing

@Suite(.timeLimit(.minutes(20))) struct RewrapCommandTests {
  let sandbox: Sandbox
  let key: String
  init() throws {
    sandbox = try Sandbox()
    key = try sandbox.makeKey("default")
    try sandbox.makeFolder(".git")
  }

  private let values = "AA=1\nBB=two words\nTOKEN=marker-secret\n"

  private func seal(_ function: String, _ name: String, _ arguments: String...) throws {
    let words = ["seal", "-", "--function", function, "-o", name] + arguments
    try sandbox.start(words, input: Data(values.utf8)).wait().succeeded()
  }

  private func configure(_ functions: String...) throws {
    try sandbox.write("functions:\n" + functions.map { "  \($0)\n" }.joined(), to: "envelope.yaml")
  }

  private func opens(_ name: String, _ function: String, _ arguments: String...) throws -> Bool {
    let words = ["open", name, "--function", function, "--format", "json"] + arguments
    let result = try sandbox.start(words).wait()
    guard result.code == 0 else { return false }
    #expect(try JSONDecoder().decode([String: String].self, from: result.output).count == 3)
    return true
  }

  @Test(arguments: ["dotenv", "json", "lambda", "packed"])
  func afterARotationAFileComesToTheNewVersion(format: String) throws {
    try seal("app", "app.file", "--format", format)
    #expect(try sandbox.keyIDs(of: "app.file") == ["\(key).1"])
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let result = try sandbox.envelope("rewrap", "app.file", "--function", "app").succeeded()
    #expect(result.messages == "Rewrapped 1 file.\n" && result.output.isEmpty)
    #expect(try sandbox.keyIDs(of: "app.file") == ["\(key).2"])
    #expect(try opens("app.file", "app"))
    let again = try sandbox.envelope("rewrap", "app.file", "--function", "app").succeeded()
    #expect(again.messages == "Nothing to do: 1 file as it should be.\n")
  }

  /// Comments, order, plain variables and the sealed bytes of each variable stay.
  @Test func onlyTheHeadersTextChanges() throws {
    try seal("app", "app.env", "--plain", "AA")
    let sealed = try sandbox.read("app.env")
    let plain = try #require(sealed.split(separator: "\n").first { $0.hasPrefix("AA=") })
    let moved = sealed.replacingOccurrences(of: "\(plain)\n", with: "")
    let before = "# For the shop.\n" + moved + "\n# The end\nexport   \(plain)  # as it was\n"
    try sandbox.write(before, to: "app.env", mode: 0o640)
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("rewrap", "app.env", "--function", "app").succeeded()
    let after = try sandbox.read("app.env")
    let changed = zip(before.split(separator: "\n"), after.split(separator: "\n")).filter { $0 != $1 }
    #expect(changed.count == 1 && changed[0].0.hasPrefix("ENVELOPE_HEADER=") && before.count == after.count)
    #expect(try sandbox.mode(of: "app.env") == 0o640)
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).2"])
  }

  @Test func sealedValuesAreRewrappedAsBytesAndAsText() async throws {
    let context: EncryptionContext = ["function": "app", "team": "payments"]
    let envelope = try await Envelope.seal(
      Array("marker".utf8), context: context, authenticating: [7], using: sandbox.keyring())
    let text = Envelope.text(of: envelope)
    try Data(envelope).write(to: URL(fileURLWithPath: sandbox.path("value.bin")))
    try sandbox.write(text, to: "value.txt")
    try sandbox.write(text + "\n", to: "line.txt")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("rewrap", "value.bin", "value.txt", "line.txt", "--function", "app").failed(65)
    try sandbox.envelope(
      "rewrap", "value.bin", "value.txt", "line.txt", "--function", "app", "--context", "team=payments",
      "--associated-data", "\u{7}"
    ).succeeded()
    let bytes = [UInt8](try sandbox.readBytes("value.bin"))
    let line = try sandbox.read("line.txt")
    #expect(line.hasSuffix("\n"))
    #expect(try !sandbox.read("value.txt").hasSuffix("\n"))
    for value in [
      bytes, try Envelope.bytes(ofText: sandbox.read("value.txt")), try Envelope.bytes(ofText: String(line.dropLast())),
    ] {
      // The payload is untouched.
      #expect(value.suffix(6 + 40) == envelope.suffix(6 + 40))
      let opened = try await Envelope.open(value, context: context, authenticating: [7], using: sandbox.keyring())
      #expect(opened.withBytes { $0.byteCount } == 6)
    }
    #expect(try sandbox.keyIDs(of: "line.txt") == ["\(key).2"])
  }

  @Test func contextsAreFoundAmongThoseOfTheConfigurationFile() throws {
    for name in ["a", "b"] { try sandbox.makeFolder(name) }
    try seal("orders", "a/orders.env")
    try seal("checkout", "b/checkout.env", "--context", "team=payments")
    try seal("other", "b/other.env")
    try sandbox.shell("sed 1d b/other.env > b/unknown.env && rm b/other.env").succeeded()
    try sandbox.write("AA=1\n", to: "b/plain.env")
    try sandbox.write("An ENVELOPE_HEADER=ek1:… is what begins it\n  as on this page.\n", to: "b/README.md")
    try configure("orders: {}", "checkout: {context: {team: payments}}")
    try sandbox.envelope("keys", "rotate", "default").succeeded()

    let dry = try sandbox.envelope("rewrap", ".", "--dry-run")
    #expect(dry.code == 65)
    #expect(
      dry.text == """
        a/orders.env\trewrap\t+default (\(key)) -\(key).1
        b/checkout.env\trewrap\t+default (\(key)) -\(key).1

        """)
    #expect(dry.messages.contains("Would rewrap 2 files, 1 of another context, 3 not sealed."))
    #expect(try sandbox.keyIDs(of: "a/orders.env") == ["\(key).1"])

    let result = try sandbox.envelope("rewrap", ".").failed(65, saying: "left alone:\n  b/unknown.env\n")
    #expect(result.messages.contains("Still under version 1 of default (\(key)): 1 file.\n  b/unknown.env\n"))
    #expect(!result.messages.contains("README"))
    #expect(try sandbox.keyIDs(of: "a/orders.env") == ["\(key).2"])
    #expect(try sandbox.keyIDs(of: "b/checkout.env") == ["\(key).2"])
    #expect(try sandbox.keyIDs(of: "b/unknown.env") == ["\(key).1"])
    try sandbox.envelope("rewrap", "b/unknown.env", "--function", "other").succeeded()
    try configure("orders: {}", "checkout: {context: {team: payments}}", "other: {}")
    #expect(
      try sandbox.envelope("rewrap", ".").succeeded().messages.contains("Nothing to do: 3 files as they should be"))
  }

  @Test func keysAreAddedAndRemoved() throws {
    try seal("app", "app.env")
    let second = try sandbox.makeKey("second")
    let glass = try sandbox.makeRecipient("glass", in: "offline")
    func rewrap(_ arguments: String...) throws -> Outcome {
      try sandbox.start(["rewrap", "app.env", "--function", "app"] + arguments).wait()
    }
    try rewrap("--add", "second", "--add", glass).succeeded()
    #expect(try sandbox.keyIDs(of: "app.env").count == 3)
    #expect(try sandbox.envelope("inspect", "app.env").text.contains("any one opens"))
    #expect(try rewrap("--add", "second", "--add", glass).succeeded().messages.hasPrefix("Nothing to do"))

    // A recipient cannot be read back here, so nothing is dropped in the same breath…
    let before = try sandbox.read("app.env")
    try rewrap("--to", try sandbox.makeRecipient("other", in: "offline2"), "--keep-data-key")
      .failed(77, saying: "nothing was dropped")
    #expect(try sandbox.read("app.env") == before)
    // …and without its text nothing can be sealed anew to it.
    try rewrap("--remove", "second").failed(77, saying: "er1:")
    #expect(try sandbox.read("app.env") == before)

    let result = try rewrap("--remove", "second", "--key", glass).succeeded()
    #expect(result.messages == "Resealed 1 file.\n")
    let left = try sandbox.keyIDs(of: "app.env")
    #expect(left.count == 2 && !left.contains("\(second).1"))
    #expect(try opens("app.env", "app"))
    #expect(
      try sandbox.envelope(
        "open", "app.env", "--function", "app", "--accept-anonymous-sender", with: ["ENVELOPE_STORE": "offline"]
      ).code == 0)
  }

  /// A removed reader knows the old data key: it must not be the new one.
  @Test func removingAKeyResealsUnlessTold() throws {
    let second = try sandbox.makeKey("second")
    for name in ["new.env", "kept.env"] {
      try seal("app", name, "--key", "default", "--key", "second")
    }
    let before = (new: try sandbox.read("new.env"), kept: try sandbox.read("kept.env"))
    try sandbox.envelope("rewrap", "new.env", "--function", "app", "--remove", second).succeeded()
    let kept = try sandbox.envelope("rewrap", "kept.env", "--function", "app", "--remove", "second", "--keep-data-key")
    #expect(kept.succeeded().messages.contains("forge what the others accept"))
    for name in ["new.env", "kept.env"] {
      #expect(try sandbox.keyIDs(of: name) == ["\(key).1"])
      #expect(try opens(name, "app"))
    }
    func variable(_ text: String) -> Substring? { text.split(separator: "\n").first { $0.hasPrefix("AA=") } }
    #expect(variable(try sandbox.read("new.env")) != variable(before.new))
    #expect(variable(try sandbox.read("kept.env")) == variable(before.kept))
  }

  @Test func whatEnvelopeYAMLNamesIsWhatItIsUnder() throws {
    let second = try sandbox.makeKey("second")
    try seal("app", "app.env")
    try configure("app: {key: second}")
    try sandbox.envelope("rewrap", ".", "--configured").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(second).1"])
    try configure("app: {key: [second, default]}")
    try sandbox.envelope("rewrap", ".", "--configured").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env").sorted() == ["\(key).1", "\(second).1"].sorted())
  }

  @Test func aDamagedFileIsToldAndTheOthersAreDone() throws {
    for name in ["a", "b", "c"] { try seal("app", "\(name).env") }
    let damaged = try sandbox.read("b.env").replacingOccurrences(of: "\nTOKEN=ev1:", with: "\nTOKEN=ev1:AAAA")
    try sandbox.write(damaged, to: "b.env")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let result = try sandbox.envelope("rewrap", ".", "--function", "app").failed(65, saying: "b.env: ")
    #expect(result.messages.contains("Rewrapped 2 files, 1 failed."))
    #expect(result.messages.contains("Still under version 1 of default (\(key)): 1 file.\n  b.env\n"))
    #expect(try sandbox.read("b.env") == damaged)
    for name in ["a.env", "c.env"] { #expect(try sandbox.keyIDs(of: name) == ["\(key).2"]) }
  }

  @Test func aKeyThatMayNotSealLeavesItsFilesAndSaysSo() throws {
    try seal("app", "app.env")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    try sandbox.envelope("keys", "policy", "default", "--operation", "unwrap").succeeded()
    let result = try sandbox.envelope("rewrap", "app.env", "--function", "app").succeeded()
    #expect(result.messages.contains("1 file left under an older version of a key.\nStill under version 1 of default"))
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).1"])
  }

  @Test func aRotatedIdentityIsFollowedWhereItIs() throws {
    let recipient = try sandbox.makeRecipient("me", in: sandbox.keyStore)
    try seal("app", "app.env", "--key", recipient)
    try sandbox.envelope("keys", "rotate", "me").succeeded()
    try sandbox.envelope("rewrap", "app.env", "--function", "app").failed(65, saying: "anyone may have sealed it")
    try sandbox.envelope("rewrap", "app.env", "--function", "app", "--accept-anonymous-sender").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env").allSatisfy { $0.hasSuffix(".2") })
    // A file that need not be changed is not reported as good either.
    try sandbox.envelope("rewrap", "app.env", "--function", "app").failed(65, saying: "--accept-anonymous-sender")
    try sandbox.envelope("rewrap", "app.env", "--function", "app", "--accept-anonymous-sender").succeeded()
  }

  @Test func aLockedKeyStoreInTheTreeIsLeftAlone() async throws {
    try sandbox.makeKey("own", in: "tree/keys")
    let store = try KeyStore.open(at: sandbox.path("tree/keys"))
    try await sandbox.lock(store, at: "tree/keys")
    let before = try sandbox.read("tree/keys")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let result = try sandbox.envelope("rewrap", "tree", "--function", "app").succeeded()
    #expect(result.messages.contains("tree/keys: a locked key store, left alone."))
    #expect(try sandbox.read("tree/keys") == before)
  }

  @Test func whatIsCalledWronglyIsRefusedBeforeAnythingIsDone() throws {
    try seal("app", "app.env")
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    let before = try sandbox.read("app.env")
    for (arguments, code) in [
      (["--add", "nobody"], 77), (["--to", "nobody"], 77), (["--remove", "nobody"], 64), (["--add", "er1:AAAA"], 64),
      (["--remove", "er1:AAAA"], 64), (["--to", "default", "--add", "default"], 64), (["--no-function"], 64),
      (["--to", "default", "--configured"], 64), (["--context", "team"], 64), (["missing.env"], 66),
      // No key would remain.
      (["--remove", "default"], 65),
    ] as [([String], Int32)] {
      let result = try sandbox.start(["rewrap", "app.env", "--function", "app"] + arguments).wait()
      #expect(result.code == code, "\(arguments)")
      #expect(try sandbox.read("app.env") == before)
    }
    try sandbox.write("AA=1\n", to: "plain.env")
    try sandbox.envelope("rewrap", "plain.env", "--function", "app").failed(66, saying: "plain.env")
    try sandbox.envelope("rewrap").failed(64)
  }

  /// Links in a folder may lead anywhere, round in circles too.
  @Test func linksInFoldersAreNotFollowed() throws {
    try sandbox.makeFolder("tree")
    try seal("app", "app.env")
    try sandbox.shell("ln -s ../app.env tree/link.env && ln -s . tree/round && ln -s /nowhere tree/dead").succeeded()
    try sandbox.envelope("keys", "rotate", "default").succeeded()
    #expect(
      try sandbox.envelope("rewrap", "tree", "--function", "app").succeeded().messages == "Nothing to do: no files.\n")
    // One that is named is.
    try sandbox.envelope("rewrap", "tree/link.env", "app.env", "--function", "app").succeeded()
    #expect(try sandbox.keyIDs(of: "app.env") == ["\(key).2"])
    #expect(try sandbox.shell("test -L tree/link.env").code == 0)
  }
}
