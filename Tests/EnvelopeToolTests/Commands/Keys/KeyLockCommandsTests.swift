// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("keys: locked stores", .timeLimit(.minutes(20))) struct KeyLockCommandsTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("TOKEN=hunter2\n")
  }

  private static let passphrase = "correct horse"

  /// Locks the store so that a try costs next to nothing.
  private func lockCheaply() async throws {
    let bytes = Array(Self.passphrase.utf8)
    let keyring = try PassphraseKeyring(
      unsafe SecretBytes(copying: bytes.span.bytes), cost: Argon2id.Cost(memoryLog2: 3, passes: 1))
    try await sandbox.storeFile.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
  }

  /// Runs a line of `sh` in which the open file 3 holds some text.
  private func shell(_ line: String, passphrases: String, descriptor: String = "3") throws -> Outcome {
    try sandbox.write(passphrases, to: "passphrases")
    return try sandbox.shell(line + " 3< passphrases", with: ["ENVELOPE_PASSPHRASE_FD": descriptor])
  }

  private let get = "\"$ENVELOPE\" get app.env TOKEN --function app"

  // MARK: The real thing

  @Test func aPassphraseFromAnOpenFileLocksOpensChangesAndUnlocks() throws {
    let before = try sandbox.store()
    let locked = try shell("\"$ENVELOPE\" keys lock", passphrases: "first\n").succeeded()
    #expect(locked.output.isEmpty && !locked.messages.contains("first"))
    #expect(try sandbox.read(sandbox.keyStore).hasPrefix("ek1:"))
    #expect(try sandbox.mode(of: sandbox.keyStore) == 0o600)
    #expect(try shell(get, passphrases: "first\n").succeeded().text == "hunter2")
    let id = try shell("\"$ENVELOPE\" keys create more", passphrases: "first\n").succeeded().line
    // The old passphrase comes first, the new one next.
    try shell("\"$ENVELOPE\" keys lock", passphrases: "first\nsecond\n").succeeded()
    try shell(get, passphrases: "first\n").failed(77, saying: "not the passphrase")
    try shell("\"$ENVELOPE\" keys unlock", passphrases: "second\n").succeeded()
    #expect(try sandbox.store().keysets.map(\.id.string) == before.keysets.map(\.id.string) + [id])
    #expect(try sandbox.keys("unlock").succeeded().messages.contains("is not locked"))
  }

  @Test func aPassphraseIsAskedForWithoutEcho() throws {
    let lock = try sandbox.terminal(
      ["keys", "lock"], steps: [("New passphrase of ", "marker-one\n"), ("Once more: ", "marker-one\n")])
    #expect(lock.code == 0 && lock.echoed == [false, false, true] && !lock.shown.contains("marker"))
    try sandbox.keys("list").failed(64, saying: "ENVELOPE_PASSPHRASE_FD")
    let open = try sandbox.terminal(
      ["get", "app.env", "TOKEN", "--function", "app"], steps: [("Passphrase of \(sandbox.keyStore): ", "marker-one\n")]
    )
    #expect(open.code == 0 && open.echoed == [false, true] && !open.shown.contains("marker"))
    #expect(open.shown.contains("hunter2"))
  }

  // MARK: At a terminal

  @Test func twoThatDifferLockNothing() throws {
    let before = try sandbox.readBytes(sandbox.keyStore)
    for (first, second, told) in [
      ("one\n", "two\n", "two passphrases differ"), ("one\n", "one \n", "two passphrases differ"),
      ("one\n", "\n", "must not be empty"),
    ] {
      let session = try sandbox.terminal(["keys", "lock"], steps: [("New passphrase of ", first), ("more: ", second)])
      #expect(session.code == 64 && session.shown.contains(told), "\(session.shown)")
      #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    }
  }

  @Test(arguments: ["\n", "\u{4}"]) func nothingLocksNothing(typed: String) throws {
    let before = try sandbox.readBytes(sandbox.keyStore)
    let session = try sandbox.terminal(["keys", "lock"], steps: [("New passphrase of ", typed)])
    #expect(session.code == 64 && session.echoed == [false, true])
    #expect(!session.shown.contains("ENVELOPE_PASSPHRASE_FD"))
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
  }

  @Test func wrongAttemptsWaitAndEnd() async throws {
    try await lockCheaply()
    let wrong = ("Passphrase of", "wrong\n")
    let clock = ContinuousClock()
    var session: Session?
    let time = try clock.measure {
      session = try sandbox.terminal(["keys", "list"], steps: [wrong, wrong, wrong, wrong])
    }
    #expect(session?.code == 77 && session?.echoed == [false, false, false, false, true])
    #expect(session?.shown.contains("backup") == true)
    #expect(time > .seconds(6))
    let second = try sandbox.terminal(["keys", "list"], steps: [wrong, ("Passphrase of", "\(Self.passphrase)\n")])
    #expect(second.code == 0 && second.shown.contains("not the passphrase") && second.shown.contains("default\t"))
  }

  @Test func anInterruptionWhileItIsAskedBringsTheEchoBack() async throws {
    try await lockCheaply()
    let session = try sandbox.terminal(["keys", "list"], steps: [("Passphrase of", "typed\u{3}")])
    #expect(session.signal == SIGINT && session.echoed == [false, true])
  }

  // MARK: From an open file

  @Test(arguments: ["correct horse", "correct horse\n", "correct horse\nmore\n"])
  func theFirstLineIsThePassphrase(text: String) async throws {
    try await lockCheaply()
    #expect(try shell(get, passphrases: text).succeeded().text == "hunter2")
  }

  /// Bytes are taken as they are: what another system adds to a line belongs to it.
  @Test(arguments: [
    "correct horse\r\n", " correct horse\n", "correct horse \n", "Correct horse\n", "correct horse\0\n",
  ])
  func anotherPassphraseIsRefusedAtOnce(text: String) async throws {
    try await lockCheaply()
    let before = try sandbox.readBytes(sandbox.keyStore)
    for line in [get, "\"$ENVELOPE\" keys create more", "\"$ENVELOPE\" keys unlock", "\"$ENVELOPE\" keys lock"] {
      let result = try shell(line, passphrases: text + "rest\n").failed(77, saying: "not the passphrase")
      #expect(!result.messages.contains("horse"))
    }
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
  }

  @Test(arguments: ["", "\n", "\ncorrect horse\n", String(repeating: "x", count: 65536) + "\n"])
  func whatIsNoPassphraseIsAWrongCall(text: String) async throws {
    try await lockCheaply()
    try shell(get, passphrases: text).failed(64)
    try sandbox.shell("rm '\(sandbox.keyStore)' && \"$ENVELOPE\" keys create").succeeded()
    let before = try sandbox.readBytes(sandbox.keyStore)
    try shell("\"$ENVELOPE\" keys lock", passphrases: text).failed(64)
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
  }

  @Test(arguments: [
    ("-1", 64), ("x", 64), ("", 64), ("3 ", 64), ("2147483648", 64), ("999", 74), ("9", 74), ("1", 74), ("2", 74),
  ])
  func aNumberThatIsNoOpenFileIsToldOf(descriptor: String, code: Int32) async throws {
    try await lockCheaply()
    try shell(get, passphrases: "correct horse\n", descriptor: descriptor).failed(code, saying: "open file")
    try shell("\"$ENVELOPE\" keys create more", passphrases: "correct horse\n", descriptor: descriptor).failed(code)
  }

  @Test func standardInputCanHoldIt() async throws {
    try await lockCheaply()
    let line = "printf 'correct horse\\n' | ENVELOPE_PASSPHRASE_FD=0 \(get)"
    #expect(try sandbox.shell(line).succeeded().text == "hunter2")
    // The command that exec starts has what follows.
    let exec =
      "printf 'correct horse\\nrest' | ENVELOPE_PASSPHRASE_FD=0 \"$ENVELOPE\" exec app.env --function app -- cat"
    #expect(try sandbox.shell(exec).succeeded().text == "rest")
  }

  @Test func whatExecStartsHasNoPassphrase() async throws {
    try await lockCheaply()
    let command = "sh -c '(cat <&3) 2>/dev/null || echo closed; echo $TOKEN'"
    let result = try shell(
      "\"$ENVELOPE\" exec app.env --function app -- \(command)", passphrases: "correct horse\nnext\n")
    #expect(result.succeeded().text == "closed\nhunter2\n")
  }

  @Test func aChangeAsksOnce() async throws {
    try await lockCheaply()
    // One line would not do for two questions.
    try shell("\"$ENVELOPE\" keys rotate default", passphrases: "correct horse\n").succeeded()
    #expect(try shell(get, passphrases: "correct horse\n").succeeded().text == "hunter2")
  }

  // MARK: Under other keys

  private func outer() throws -> [String: String] {
    let variables = ["ENVELOPE_STORE": sandbox.path("outer/keys")]
    try sandbox.keys("create", with: variables).succeeded()
    return variables
  }

  @Test func anotherStoresKeyLocksAndOpens() throws {
    _ = try outer()
    try sandbox.keys("lock", "--key", "outer/keys").succeeded()
    try sandbox.keys("list").failed(77, saying: "ENVELOPE_STORE_KEY")
    let named = ["ENVELOPE_STORE_KEY": "outer/keys"]
    #expect(try sandbox.keys("list", with: named).succeeded().text.contains("default\t"))
    try sandbox.keys("create", "more", with: named).succeeded()
    #expect(try sandbox.read(sandbox.keyStore).hasPrefix("ek1:"))
    try sandbox.keys("create", with: ["ENVELOPE_STORE": sandbox.path("stranger/keys")]).succeeded()
    let before = try sandbox.readBytes(sandbox.keyStore)
    try sandbox.setMode(0o600, of: "app.env")
    for (name, code) in [("stranger/keys", 77), ("none/keys", 66), ("er1:x", 65), ("", 77), (",", 77), ("app.env", 65)]
      as [(String, Int32)]
    {
      try sandbox.keys("list", with: ["ENVELOPE_STORE_KEY": name]).failed(code)
      try sandbox.keys("create", "again", with: ["ENVELOPE_STORE_KEY": name]).failed(code)
    }
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    try sandbox.keys("unlock", with: named).succeeded()
    #expect(try sandbox.store().keysets.count == 2)
  }

  @Test func aRecipientLocksAndItsIdentityOpens() throws {
    let safe = ["ENVELOPE_STORE": sandbox.path("safe/keys")]
    let recipient = try sandbox.keys("recipient", "glass", with: safe).succeeded().line
    try sandbox.keys("lock", "--key", recipient).succeeded()
    try sandbox.keys("list", with: ["ENVELOPE_STORE_KEY": recipient]).failed(77)
    #expect(try sandbox.keys("list", with: ["ENVELOPE_STORE_KEY": "safe/keys"]).succeeded().text.contains("default\t"))
  }

  @Test func aChangeNamesAllKeysThatTheStoreIsLockedWith() throws {
    _ = try outer()
    let safe = ["ENVELOPE_STORE": sandbox.path("safe/keys")]
    let recipient = try sandbox.keys("recipient", "glass", with: safe).succeeded().line
    try sandbox.keys("lock", "--key", "outer/keys", "--key", recipient).succeeded()
    // Any one opens.
    for name in ["outer/keys", "safe/keys"] {
      try sandbox.keys("list", with: ["ENVELOPE_STORE_KEY": name]).succeeded()
      let before = try sandbox.readBytes(sandbox.keyStore)
      try sandbox.keys("create", "more", with: ["ENVELOPE_STORE_KEY": name]).failed(77, saying: "2 keys")
      #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    }
    try sandbox.keys("create", "more", with: ["ENVELOPE_STORE_KEY": "outer/keys,\(recipient)"]).succeeded()
    for name in ["outer/keys", "safe/keys"] {
      #expect(try sandbox.keys("list", with: ["ENVELOPE_STORE_KEY": name]).succeeded().text.contains("more\t"))
    }
  }

  @Test(arguments: ["er1:x", "none/keys", "alias/x y", "app.env", ""]) func aKeyThatCannotLockLocksNothing(name: String)
    throws
  {
    let before = try sandbox.readBytes(sandbox.keyStore)
    let result = try sandbox.keys("lock", "--key", name)
    #expect([64, 65, 66, 77, 78].contains(result.code), "\(result.messages)")
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
  }

  /// Whoever did that could never open it again.
  @Test func aStoreIsNotLockedWithAKeyThatIsInIt() throws {
    let recipient = try sandbox.keys("recipient", "inside").succeeded().line
    let rotated = try sandbox.keys("rotate", "inside").succeeded().line
    try sandbox.shell("ln -s '\(sandbox.keyStore)' link").succeeded()
    _ = try outer()
    for names in [
      [recipient], [rotated], [sandbox.keyStore], ["link"], ["outer/keys", recipient],
      ["outer/keys", sandbox.keyStore],
    ] {
      let before = try sandbox.readBytes(sandbox.keyStore)
      let arguments = ["keys", "lock"] + names.flatMap { ["--key", $0] }
      try sandbox.start(arguments).wait().failed(64, saying: "in the key store itself")
      #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    }
  }

  @Test func aLockedStoreNeitherLocksAnotherNorIsImported() async throws {
    try await lockCheaply()
    let other = ["ENVELOPE_STORE": sandbox.path("other/keys")]
    try sandbox.keys("create", with: other).succeeded()
    for arguments in [["lock", "--key", sandbox.keyStore], ["import", sandbox.keyStore]] {
      let result = try sandbox.start(["keys"] + arguments, with: other).wait().failed(77, saying: "is locked")
      #expect(result.messages.contains("ENVELOPE_STORE='\(sandbox.keyStore)' envelope keys unlock"))
    }
  }

  @Test func whereThereIsNoStoreNothingIsLocked() throws {
    let none = ["ENVELOPE_STORE": sandbox.path("none/keys")]
    for command in ["lock", "unlock"] { try sandbox.keys(command, with: none).failed(77, saying: "no key store") }
    #expect(!sandbox.exists("none/keys") && !sandbox.exists("none"))
  }

  /// The header of a locked store is read before anybody can have verified it.
  @Test func aLockedStoreThatWasAlteredIsToldOf() async throws {
    try await lockCheaply()
    let text = try sandbox.read(sandbox.keyStore)
    var bytes = try Envelope.bytes(ofText: String(text.dropLast()))
    // The memory and the passes that the passphrase costs.
    bytes.replaceSubrange(42..<44, with: [21, 1])
    try sandbox.write(Envelope.text(of: bytes) + "\n", to: sandbox.keyStore)
    try shell(get, passphrases: "correct horse\n").failed(65, saying: "more memory or time")
    // A scheme that this release does not make.
    bytes[26] = 0x7f
    try sandbox.write(Envelope.text(of: bytes) + "\n", to: sandbox.keyStore)
    try shell(get, passphrases: "correct horse\n").failed(77, saying: "ENVELOPE_STORE_KEY")
    for damaged in [String(text.dropLast()), String(text.dropLast(3)), "ek1:\n", "ek1:", text + "\n"] {
      try sandbox.write(damaged, to: sandbox.keyStore)
      try shell(get, passphrases: "correct horse\n").failed(65)
      try sandbox.keys("create", "more").failed(65)
    }
  }
}
