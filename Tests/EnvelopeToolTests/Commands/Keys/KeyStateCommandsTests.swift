// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("keys: states and versions", .timeLimit(.minutes(20))) struct KeyStateCommandsTests {
  let sandbox: Sandbox
  let id: String
  init() throws {
    sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    id = try sandbox.keys("create", "checkout").succeeded().line
    try sandbox.seal("TOKEN=hunter2\n", "--key", "checkout")
  }

  private let open = ["open", "app.env", "--function", "app"]

  // MARK: Rotation

  @Test func rotateMakesAVersionThatSealsAndTheOlderStillOpens() throws {
    let result = try sandbox.keys("rotate", "checkout").succeeded()
    #expect(try result.line == "\(id).2")
    try sandbox.expectNoSecret(in: result)
    #expect(try sandbox.opened() == ["TOKEN": "hunter2"])
    try sandbox.seal("TOKEN=hunter2\n", "--key", "checkout", to: "new.env")
    #expect(try sandbox.envelope("inspect", "new.env").text.contains("\(id).2"))
    #expect(try sandbox.keys("rotate", id).line == "\(id).3")
    let shown = try sandbox.keys("show", "checkout").succeeded().text
    #expect(shown.contains("version 1: ") && shown.contains("version 2: ") && shown.contains("Z, primary\n"))
    #expect(try sandbox.opened("new.env") == ["TOKEN": "hunter2"])
  }

  @Test func rotateOfARecipientTellsItsNewString() throws {
    let first = try sandbox.keys("recipient", "glass").succeeded().line
    let second = try sandbox.keys("rotate", "glass").succeeded().line
    #expect(first.hasPrefix("er1:") && second.hasPrefix("er1:") && first != second)
    for recipient in [first, second] {
      try sandbox.seal("AA=1\n", "--key", recipient, to: "\(recipient.count).env")
      let opened = try sandbox.envelope(
        "get", "\(recipient.count).env", "AA", "--function", "app", "--accept-anonymous-sender")
      #expect(opened.succeeded().text == "1")
    }
    #expect(try sandbox.keys("show", "glass").text.contains("recipient: \(second)\n"))
  }

  @Test func aRotationThatIsDueIsToldOnSealAndList() throws {
    try sandbox.changeStore { (store) throws(EnvelopeError) in
      do { try store.add(keyset(madeDaysAgo: 400), alias: "old") } catch { Issue.record(error) }
    }
    func seal() throws -> String { try sandbox.seal("AA=1\n", "--key", "old", to: "old.env").messages }
    #expect(try !seal().contains("rotated"))
    try sandbox.keys("rotation", "old", "401").succeeded()
    #expect(try !seal().contains("rotated") && !sandbox.keys("list").text.contains("due"))
    #expect(try sandbox.keys("show", "old").text.contains("rotation: every 401 days, next by "))
    try sandbox.keys("rotation", "old", "390").succeeded()
    #expect(try seal().contains("should have been rotated 10 days ago: envelope keys rotate old"))
    #expect(try sandbox.keys("list").text.contains("old\t\(sandbox.store().require("old").id)\trotation due\n"))
    #expect(try sandbox.keys("show", "old").text.contains("rotation: every 390 days, due since "))
    try sandbox.keys("rotate", "old").succeeded()
    #expect(try !seal().contains("rotated") && !sandbox.keys("list").text.contains("due"))
    try sandbox.keys("rotation", "old", "none").succeeded()
    #expect(try !sandbox.keys("show", "old").text.contains("rotation"))
  }

  @Test(arguments: ["0", "2561", "-1", "x", "1.5", "", "None", "99999999999999999999"])
  func aRotationPeriodThatCannotBeIsRefused(days: String) throws {
    try sandbox.refuses("rotation", "checkout", "--", days, with: 64)
  }

  // MARK: The minimum

  @Test func theMinimumHasOlderVersionsRefuse() throws {
    try sandbox.keys("rotate", "checkout").succeeded()
    try sandbox.keys("minimum", "checkout", "2").succeeded()
    let result = try sandbox.start(open).wait().failed(77, saying: "no longer unwraps")
    #expect(result.messages.contains("envelope keys minimum"))
    let shown = try sandbox.keys("show", "checkout").text
    #expect(shown.contains("minimum version: 2\n") && shown.contains(", no longer unwraps\n"))
    try sandbox.keys("minimum", "checkout", "1").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "hunter2"])
  }

  @Test(arguments: ["0", "2", "-1", "x", "4294967296"]) func aMinimumThatCannotBeIsRefused(version: String) throws {
    try sandbox.refuses("minimum", "checkout", "--", version, with: 64)
  }

  // MARK: States

  @Test func aDisabledKeyRefusesUntilItIsEnabled() throws {
    for _ in 0..<2 { try sandbox.keys("disable", "checkout").succeeded() }
    try sandbox.start(open).wait().failed(77, saying: "is disabled")
    try sandbox.envelope("seal", "-", "--function", "app", "--key", "checkout", input: "A=1\n").failed(77)
    try sandbox.refuses("rotate", "checkout", with: 77, saying: "is disabled")
    try sandbox.refuses("rotation", "checkout", "30", with: 77)
    try sandbox.refuses("export", "checkout", "--function", "app", "-o", "app.keys", with: 77)
    #expect(!sandbox.exists("app.keys"))
    #expect(try sandbox.keys("list").text.contains("checkout\t\(id)\tdisabled\n"))
    #expect(try sandbox.keys("show", "checkout").text.contains("state: disabled\n"))
    for _ in 0..<2 { try sandbox.keys("enable", "checkout").succeeded() }
    #expect(try sandbox.opened() == ["TOKEN": "hunter2"])
  }

  @Test func aDeletionIsScheduledAndCancelled() throws {
    let result = try sandbox.keys("delete", "checkout", "--days", "7").succeeded()
    #expect(result.messages.contains("envelope keys cancel-deletion checkout") && result.output.isEmpty)
    #expect(try sandbox.keys("list").text.contains("checkout\t\(id)\tpending deletion\n"))
    #expect(try sandbox.keys("show", "checkout").text.contains("state: pending deletion, destroyed at 2"))
    try sandbox.start(open).wait().failed(77, saying: "pending deletion")
    for arguments in [
      ["rotate", "checkout"], ["enable", "checkout"], ["disable", "checkout"], ["delete", "checkout"],
      ["minimum", "checkout", "1"], ["default", "checkout"], ["alias", "more", "checkout"],
      ["alias", "default", "checkout", "--move"], ["rotation", "checkout", "30"],
      ["export", "checkout", "--function", "app"],
    ] {
      let before = try sandbox.readBytes(sandbox.keyStore)
      try sandbox.start(["keys"] + arguments).wait().failed(77, saying: "pending deletion")
      #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    }
    try sandbox.keys("cancel-deletion", "checkout").succeeded()
    try sandbox.start(open).wait().failed(77, saying: "is disabled")
    try sandbox.refuses("cancel-deletion", "checkout", with: 77, saying: "not pending deletion")
    try sandbox.keys("enable", "checkout").succeeded()
    #expect(try sandbox.opened() == ["TOKEN": "hunter2"])
  }

  @Test(arguments: ["6", "31", "0", "-7", "x", "9223372036854775808"]) func daysThatCannotBeAreRefused(days: String)
    throws
  {
    try sandbox.refuses("delete", "checkout", "--days", days, with: 64)
  }

  @Test func withoutDaysItIsAMonth() throws {
    try sandbox.keys("delete", "checkout").succeeded()
    guard case .pendingDeletion(let end) = try sandbox.store().require("checkout").state else {
      Issue.record("it is not pending deletion")
      return
    }
    let (day, left) = (86_400 as UInt64, end - Clock.now)
    #expect(left >= 29 * day && left < 30 * day + 60)
  }

  /// Schedules the deletion of the key and makes it due.
  ///
  /// - Returns: The text of its secret.
  private func makeDeletionDue() throws -> Substring {
    let secret = try #require(try sandbox.read(sandbox.keyStore).split(separator: "\n")[4].split(separator: " ").last)
    try sandbox.keys("delete", "checkout", "--days", "7").succeeded()
    guard case .pendingDeletion(let end) = try sandbox.store().require("checkout").state else {
      Issue.record("it is not pending deletion")
      return secret
    }
    let text = try sandbox.read(sandbox.keyStore)
    try #require(text.contains(secret))
    try sandbox.write(text.replacingOccurrences(of: "\(end)", with: "\(Clock.now)"), to: sandbox.keyStore)
    return secret
  }

  @Test(arguments: [
    ["open", "app.env", "--function", "app"], ["exec", "app.env", "--function", "app", "--", "true"],
    ["get", "app.env", "TOKEN", "--function", "app"], ["keys", "list"], ["keys", "show", "checkout"],
    ["explain", "app.env"],
    ["keys", "export", "default", "--function", "app"], ["seal", "-", "--function", "app"], ["audit", "start"],
    ["rewrap", "."], ["keys", "enable", "checkout"], ["keys", "cancel-deletion", "checkout"],
    ["keys", "rotate", "none"], ["keys", "create", "default"],
  ]) func commandKeepsOverdueKeyInStore(arguments: [String]) throws {
    let secret = try makeDeletionDue()
    let result = try sandbox.start(arguments, input: Data("A=1\n".utf8)).wait()
    #expect(try sandbox.read(sandbox.keyStore).contains(secret))
    #expect(!result.messages.contains("Destroyed"))
    if arguments.contains("app.env"), arguments[0] != "explain" { result.failed(77, saying: "was destroyed") }
  }

  @Test func readOnlyCommandsWriteNothing() throws {
    _ = try makeDeletionDue()
    let before = try sandbox.readBytes(sandbox.keyStore)
    try sandbox.start(open).wait().failed(77, saying: "was destroyed")
    #expect(try sandbox.keys("list").text.contains("checkout\t\(id)\tdestroyed\n"))
    #expect(try sandbox.keys("show", id).text.contains("state: destroyed at 2"))
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
  }

  @Test(arguments: [
    ["rotate", "default"], ["create", "checkout"], ["recipient", "more"], ["delete", "checkout"],
    ["disable", "default"],
    ["alias", "checkout", "default"], ["default", "default"], ["import", "other/keys"],
  ]) func commandThatChangesKeysDestroysOverdueKeyAndReportsIt(arguments: [String]) throws {
    if arguments[0] == "import" {
      try sandbox.keys("create", "imported", with: ["ENVELOPE_STORE": sandbox.path("other/keys")]).succeeded()
    }
    let secret = try makeDeletionDue()
    let result = try sandbox.start(["keys"] + arguments).wait().succeeded()
    #expect(result.messages.contains("Destroyed the key checkout (\(id)): its deletion was due."))
    #expect(try !sandbox.read(sandbox.keyStore).contains(secret))
    #expect(try sandbox.keys("list").text.contains("-\t\(id)\tdestroyed\n"))
    try sandbox.refuses("cancel-deletion", id, with: 77, saying: "was destroyed")
    try sandbox.start(open).wait().failed(77, saying: "was destroyed")
  }

  // MARK: Names

  @Test func anAliasIsAddedMovedAndRemoved() throws {
    let other = try sandbox.keys("create", "orders").succeeded().line
    func names(_ id: String) throws -> String {
      try #require(try sandbox.keys("list").text.split(separator: "\n").first { $0.contains(id) }).prefix { $0 != "\t" }
        .description
    }
    try sandbox.keys("alias", "payments", "checkout").succeeded()
    #expect(try names(id) == "checkout,payments")
    try sandbox.refuses("alias", "payments", "orders", with: 73)
    try sandbox.keys("alias", "payments", "orders", "--move").succeeded()
    #expect(try names(id) == "checkout" && names(other) == "orders,payments")
    try sandbox.keys("alias", "payments", "--remove").succeeded()
    #expect(try names(other) == "orders")
    // The last name goes too; the key stays under its id.
    try sandbox.keys("alias", "checkout", "--remove").succeeded()
    #expect(try names(id) == "-")
    #expect(try sandbox.opened() == ["TOKEN": "hunter2"])
  }

  @Test func whatANameCannotDoIsRefused() throws {
    try sandbox.refuses("alias", "payments", with: 64, saying: "No key for the alias")
    try sandbox.refuses("alias", "checkout", "default", "--remove", with: 64)
    try sandbox.refuses("alias", "checkout", "--remove", "--move", with: 64)
    try sandbox.refuses("alias", "payments", "checkout", "--move", with: 77, saying: "no alias 'payments'")
    try sandbox.refuses("alias", "payments", "--remove", with: 77, saying: "'payments'")
    try sandbox.refuses("alias", id, "--remove", with: 77, saying: "no alias")
    try sandbox.refuses("alias", "payments", "nothing", with: 77, saying: "'nothing'")
    try sandbox.refuses("alias", id, "default", with: 73)
  }

  @Test(arguments: [
    "", " ", "a b", "a/b", "a:b", "a\nb", "a\tb", "é", "鍵", "K\u{212a}", ".a", "_a", "a\u{301}", "\u{1b}[31m",
    "../x", "a\u{7f}", String(repeating: "a", count: 65), "alias/x", "er1:x", "arn:aws:kms",
  ]) func aNameOfOtherCharactersIsRefused(alias: String) throws {
    for arguments in [["create", alias], ["recipient", alias], ["alias", alias, "checkout"]] {
      let before = try sandbox.readBytes(sandbox.keyStore)
      let result = try sandbox.start(["keys"] + arguments).wait().failed(64, saying: "cannot be the alias")
      #expect(result.messages.utf8.allSatisfy { $0 == 10 || $0 >= 0x20 && $0 != 0x7f })
      #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    }
  }

  @Test func theDefaultKeyIsChosen() throws {
    try sandbox.keys("default", "checkout").succeeded()
    #expect(try sandbox.keys("list").text.contains("checkout\t\(id)\tdefault\n"))
    try sandbox.seal("AA=1\n", to: "new.env")
    #expect(try sandbox.envelope("inspect", "new.env").text.contains(id))
    try sandbox.refuses("default", "nothing", with: 77, saying: "'nothing'")
  }

  // MARK: What any of them refuses

  static let onOneKey = [
    ["rotate"], ["enable"], ["disable"], ["delete"], ["cancel-deletion"], ["default"], ["policy"], ["show"],
    ["export", "--function", "app"], ["policy", "--unrestricted"], ["minimum"], ["rotation"],
  ]

  @Test(arguments: onOneKey) func aKeyThatIsNotThereIsToldOf(words: [String]) throws {
    let last = ["minimum": ["1"], "rotation": ["30"]][words[0]] ?? []
    let before = try sandbox.readBytes(sandbox.keyStore)
    let arguments = ["keys", words[0], "nothing"] + words.dropFirst() + last
    try sandbox.start(arguments).wait().failed(77, saying: "has no key 'nothing'")
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    if words != ["show"] { try sandbox.start(["keys"] + words).wait().failed(64) }
    // And where there is no store, none is made.
    let elsewhere = ["ENVELOPE_STORE": sandbox.path("none/keys")]
    try sandbox.start(arguments, with: elsewhere).wait().failed(77)
    #expect(!sandbox.exists("none/keys"))
  }

  @Test func noCommandShowsASecret() throws {
    for arguments in [
      ["create", "more"], ["recipient", "glass"], ["list"], ["show", "glass"], ["rotate", "glass"], ["rotate", "more"],
      ["policy", "more", "--function", "app"], ["policy", "more"], ["rotation", "more", "30"],
      ["minimum", "more", "2"],
      ["disable", "more"], ["enable", "more"], ["delete", "more"], ["cancel-deletion", "more"], ["default", "glass"],
      ["alias", "again", "more"], ["export", "checkout", "--function", "app", "-o", "app.keys"], ["show", "more"],
    ] {
      let result = try sandbox.start(["keys"] + arguments).wait().succeeded()
      try sandbox.expectNoSecret(in: result)
    }
  }
}
