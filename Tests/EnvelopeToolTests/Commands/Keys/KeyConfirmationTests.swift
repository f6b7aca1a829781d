// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

/// Commands that change a key say on standard error what they did.
@Suite(.timeLimit(.minutes(20))) struct KeyConfirmationTests {
  let sandbox: Sandbox
  init() throws {
    sandbox = try Sandbox()
    try sandbox.keys("create", "checkout").succeeded()
    try sandbox.keys("create", "orders").succeeded()
  }

  static let calls: [(words: [String], message: String)] = [
    (["disable", "checkout"], "Disabled the key checkout. Until it is enabled it neither seals nor opens"),
    (["enable", "checkout"], "Enabled the key checkout.\n"),
    (["minimum", "checkout", "1"], "All versions of the key checkout open.\n"),
    (["rotation", "checkout", "1"], "The key checkout should be rotated every 1 day.\n"),
    (["rotation", "checkout", "90"], "The key checkout should be rotated every 90 days.\n"),
    (["rotation", "checkout", "none"], "The key checkout need not be rotated.\n"),
    (["policy", "checkout", "--function", "app"], "The key checkout serves 'app' for: wrap, unwrap.\n"),
    (["policy", "checkout", "--operation", "unwrap"], "The key checkout serves every function for: unwrap.\n"),
    (["policy", "checkout", "--unrestricted"], "The key checkout serves every function for: wrap, unwrap.\n"),
    (["alias", "payments", "checkout"], "payments now stands for the key checkout.\n"),
    (["alias", "checkout", "orders", "--move"], "checkout now stands for the key orders.\n"),
    (["alias", "orders", "--remove"], "Removed the alias orders; the key stays.\n"),
    (["default", "orders"], "The key orders is the default now.\n"),
    (["delete", "checkout", "--days", "7"], "The key checkout will be destroyed at "),
  ]

  @Test(arguments: calls) func changeIsConfirmed(words: [String], message: String) throws {
    let result = try sandbox.start(["keys"] + words).wait().succeeded()
    #expect(result.messages.contains(message), "\(result.messages)")
    #expect(result.output.isEmpty)
  }

  @Test func minimumIsConfirmed() throws {
    try sandbox.keys("rotate", "checkout").succeeded()
    let result = try sandbox.keys("minimum", "checkout", "2").succeeded()
    #expect(result.messages == "Versions of the key checkout below 2 no longer open.\n")
  }

  @Test func refusedChangeIsNotConfirmed() throws {
    try sandbox.refuses("minimum", "checkout", "9", with: 64)
    let result = try sandbox.keys("alias", "orders", "checkout").failed(73)
    #expect(!result.messages.contains("now stands for"))
  }

  /// Each key is named by the alias that was typed, and by its id.
  @Test func errorsNameTheAlias() throws {
    let id = try sandbox.store().require("checkout").id
    try sandbox.keys("alias", "payments", "checkout").succeeded()
    try sandbox.seal("AA=1\n", "--key", "checkout")
    try sandbox.keys("disable", "checkout").succeeded()
    for alias in ["payments", "checkout"] {
      let result = try sandbox.envelope("seal", "-", "--function", "app", "--key", alias, "--allow-empty").failed(77)
      #expect(
        result.messages.contains(
          "The key \(alias) (\(id)) is disabled. Enable it, if it may be used: envelope keys enable \(alias)\n"))
    }
    // A file names its key by the id alone.
    let open = try sandbox.envelope("open", "app.env", "--function", "app").failed(77)
    #expect(open.messages.contains("The key checkout (\(id)) is disabled"))
    let byID = try sandbox.keys("rotate", id.string).failed(77)
    #expect(byID.messages.contains("The key checkout (\(id)) is disabled"))
    try sandbox.keys("enable", "checkout").succeeded()
    try sandbox.keys("policy", "checkout", "--function", "other").succeeded()
    try sandbox.envelope("open", "app.env", "--function", "app").failed(
      77, saying: "policy of the key checkout (\(id))")
    for alias in ["payments", "checkout"] { try sandbox.keys("alias", alias, "--remove").succeeded() }
    let nameless = try sandbox.envelope("open", "app.env", "--function", "app").failed(77)
    #expect(nameless.messages.contains("policy of the key \(id) ") && nameless.messages.contains("keys policy \(id)"))
  }

  @Test(arguments: [(30, "today"), (29, "1 day ago"), (28, "2 days ago")])
  func daysSinceRotationWasDueAreCounted(period: Int, words: String) throws {
    try sandbox.changeStore { (store) throws(EnvelopeError) in
      do { try store.add(keyset(madeDaysAgo: 30), alias: "old") } catch { Issue.record(error) }
    }
    try sandbox.keys("rotation", "old", "\(period)").succeeded()
    let sealed = try sandbox.seal("AA=1\n", "--key", "old", to: "old.env")
    #expect(sealed.messages.contains("should have been rotated \(words): "))
  }
}
