// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("keys import", .timeLimit(.minutes(20))) struct KeyImportCommandTests {
  let sandbox: Sandbox
  let id: String
  init() throws {
    sandbox = try Sandbox()
    try sandbox.keys("create").succeeded()
    id = try sandbox.keys("create", "checkout").succeeded().line
    try sandbox.keys("alias", "payments", "checkout").succeeded()
    for function in ["app", "other"] { try seal(function) }
  }

  private func seal(_ function: String) throws {
    let arguments = ["seal", "-", "--function", function, "--key", "checkout", "-o", "\(function).env"]
    try sandbox.start(arguments, input: Data("TOKEN=for \(function)\n".utf8)).wait().succeeded()
  }

  private func open(_ function: String, store: String? = nil) throws -> Outcome {
    let variables = store.map { ["ENVELOPE_STORE": sandbox.path($0)] } ?? [:]
    return try sandbox.start(["get", "\(function).env", "TOKEN", "--function", function], with: variables).wait()
  }

  @Test func anExportedKeyIsTakenOverAndReplacedByANewerCopy() throws {
    let colleague = ["ENVELOPE_STORE": sandbox.path("colleague/keys")]
    try sandbox.keys("create", with: colleague).succeeded()
    try sandbox.keys("export", "checkout", "--function", "app", "-o", "v1.keys").succeeded()
    let result = try sandbox.keys("import", "v1.keys", with: colleague).succeeded()
    #expect(result.output.isEmpty && result.messages.contains("Added: checkout, payments (\(id))."))
    #expect(try open("app", store: "colleague/keys").succeeded().text == "for app")
    try open("other", store: "colleague/keys").failed(77)
    #expect(
      try sandbox.keys("import", "v1.keys", with: colleague).succeeded().messages.hasPrefix("Unchanged: checkout"))

    try sandbox.keys("rotate", "checkout").succeeded()
    try seal("app")
    try open("app", store: "colleague/keys").failed(77)
    let newer = try sandbox.keys("export", "checkout", "--function", "app").succeeded().text
    try sandbox.keys("import", "-", with: colleague, input: newer).succeeded()
    #expect(try open("app", store: "colleague/keys").succeeded().text == "for app")
    // An older one does not take its place.
    let before = try sandbox.readBytes("colleague/keys")
    let older = try sandbox.keys("import", "v1.keys", with: colleague).succeeded()
    #expect(older.messages.contains("Kept as it is here: checkout") && older.messages.contains("copy has less"))
    #expect(try sandbox.readBytes("colleague/keys") == before)
    // Nor does it take the whole key's.
    let whole = try sandbox.readBytes(sandbox.keyStore)
    try sandbox.keys("import", "v1.keys").succeeded()
    #expect(try sandbox.readBytes(sandbox.keyStore) == whole)
    // One for another function joins the one that is here.
    try sandbox.keys("export", "checkout", "--function", "other", "-o", "other.keys").succeeded()
    let joined = try sandbox.keys("import", "other.keys", with: colleague).succeeded()
    #expect(joined.messages.hasPrefix("Updated: checkout, payments (\(id)), version 2, for 'app', 'other'."))
    try seal("other")
    for function in ["app", "other"] { try open(function, store: "colleague/keys").succeeded() }
  }

  @Test func anAliasThatIsTakenStays() throws {
    let other = ["ENVELOPE_STORE": sandbox.path("other/keys")]
    let theirs = try sandbox.keys("create", "checkout", with: other).succeeded().line
    try sandbox.keys("alias", "free", "checkout", with: other).succeeded()
    let result = try sandbox.keys("import", "other/keys").succeeded()
    #expect(result.messages.contains("without its alias checkout, which is another key's here"))
    let list = try sandbox.keys("list").text
    #expect(list.contains("checkout,payments\t\(id)\n") && list.contains("free\t\(theirs)\n"))
    #expect(try sandbox.store().defaultKeyID?.string != theirs)
    try open("app").succeeded()
  }

  @Test func aStoreOfAnotherIsNotTaken() throws {
    try sandbox.keys("export", "checkout", "--function", "app", "-o", "app.keys").succeeded()
    let text = try sandbox.read("app.keys")
    for (change, code) in [
      ("", 65), ("x", 65), ("envelope-keys 3\nend\n", 65), (String(text.dropLast(4)), 65), (text + "end\n", 65),
      (text.replacingOccurrences(of: "keyset ", with: "identity "), 65),
      (text.replacingOccurrences(of: "alias checkout", with: "alias ../x"), 65),
      (text.replacingOccurrences(of: "alias checkout", with: "alias \(id)"), 65),
      (text.replacingOccurrences(of: "alias checkout", with: "alias payments"), 65),
      (text.replacingOccurrences(of: "keyset \(id)", with: "keyset ../../../etc"), 65),
      (text.replacingOccurrences(of: " 1\n", with: " 4294967296\n"), 65),
      (text.replacingOccurrences(of: "\n", with: "\r\n"), 65),
    ] as [(String, Int32)] {
      try sandbox.write(change, to: "hostile.keys")
      try sandbox.refuses("import", "hostile.keys", with: code)
      let before = try sandbox.readBytes(sandbox.keyStore)
      let result = try sandbox.keys("import", "-", input: change).failed(code)
      #expect(try sandbox.readBytes(sandbox.keyStore) == before)
      // What cannot be read may be a secret.
      for secret in text.split(separator: "\n").filter({ $0.hasPrefix("version") }) {
        #expect(!result.messages.contains(try #require(secret.split(separator: " ").last)))
      }
    }
    try sandbox.refuses("import", "none.keys", with: 66, saying: "none.keys")
    try sandbox.makeFolder("folder")
    try sandbox.refuses("import", "folder", with: 77)
    try sandbox.setMode(0o664, of: "app.keys")
    try sandbox.refuses("import", "app.keys", with: 77, saying: "chmod 600")
  }

  /// Ids that end in the middle of another, a policy that denies: what a store says of its own keys stays theirs.
  @Test func anImportedKeyTouchesNoOther() throws {
    let other = ["ENVELOPE_STORE": sandbox.path("other/keys")]
    let theirs = try sandbox.keys("create", "hostile", with: other).succeeded().line
    try sandbox.keys("policy", "hostile", "--function", "app", with: other).succeeded()
    try sandbox.keys("disable", "hostile", with: other).succeeded()
    let before = try sandbox.store()
    try sandbox.keys("import", "other/keys").succeeded()
    let after = try sandbox.store()
    #expect(after.defaultKeyID == before.defaultKeyID && after.keysets.count == before.keysets.count + 1)
    #expect(try after.require("hostile").id.string == theirs && after.require("hostile").state == .disabled)
    #expect(try after.require("checkout").policy == .unrestricted)
    for function in ["app", "other"] { try open(function).succeeded() }
  }

  /// A colleague has the whole store, with a key that did not change.
  @Test func wholeStoreIsTakenAsFarAsItIsNewer() throws {
    try sandbox.makeFolder("colleague")
    try sandbox.shell("cp '\(sandbox.keyStore)' colleague/keys && chmod 600 colleague/keys").succeeded()
    let colleague = ["ENVELOPE_STORE": sandbox.path("colleague/keys")]
    try sandbox.keys("rotate", "checkout").succeeded()
    try seal("app")
    try open("app", store: "colleague/keys").failed(77)
    let result = try sandbox.keys("import", sandbox.keyStore, with: colleague).succeeded()
    let lines = result.messages.split(separator: "\n")
    #expect(lines.contains("Updated: checkout, payments (\(id)), version 2."))
    #expect(lines.contains { $0.hasPrefix("Unchanged: default (") } && lines.count == 2 && result.output.isEmpty)
    try open("app", store: "colleague/keys").succeeded()
    #expect(try sandbox.readBytes("colleague/keys") == sandbox.readBytes(sandbox.keyStore))
    // Once more there is nothing to do, in either direction.
    for store in [[:], colleague] {
      let again = try sandbox.keys("import", "colleague/keys", with: store).succeeded().messages
      #expect(again.hasPrefix("Unchanged: default (") && again.split(separator: "\n").count == 1)
    }
  }

  /// Both stores rotated the key, and no store can have both versions 2; the rest is taken all the same.
  @Test func contradictionIsRefusedByName() throws {
    try sandbox.shell("cp '\(sandbox.keyStore)' copy.keys && chmod 600 copy.keys").succeeded()
    let copy = ["ENVELOPE_STORE": sandbox.path("copy.keys")]
    for variables in [[:], copy] { try sandbox.keys("rotate", "checkout", with: variables).succeeded() }
    let new = try sandbox.keys("create", "new", with: copy).succeeded().line
    let before = try sandbox.read(sandbox.keyStore).split(separator: "\n").filter { $0.hasPrefix("version ") }
    let result = try sandbox.keys("import", "copy.keys").failed(73, saying: "Added: new (\(new)).")
    #expect(result.messages.contains("Not imported: checkout, payments (\(id)): The key store has the key \(id)"))
    #expect(result.messages.contains("version 2"))
    #expect(try sandbox.store()["new"] != nil)
    let after = try sandbox.read(sandbox.keyStore)
    #expect(before.count == 3 && before.allSatisfy { after.contains("\n\($0)\n") })
    try sandbox.expectNoSecret(in: result)
  }

  @Test func destroyedKeysAreNamed() throws {
    try sandbox.shell("cp '\(sandbox.keyStore)' copy.keys && chmod 600 copy.keys").succeeded()
    try sandbox.changeStore { (store) throws(EnvelopeError) in
      _ = try store.scheduleDeletion(of: "checkout", afterDays: 7, now: 1)
      _ = try store.destroyOverdue()
    }
    let here = try sandbox.keys("import", "copy.keys").succeeded()
    #expect(here.messages.contains("Kept as it is here: \(id), which was destroyed here."))
    let there = try sandbox.keys("import", sandbox.keyStore, with: ["ENVELOPE_STORE": sandbox.path("copy.keys")])
    #expect(there.succeeded().messages.contains("(\(id)), which was destroyed in the other key store."))
  }

  @Test func refusedKeysAreLogged() throws {
    try sandbox.shell("cp '\(sandbox.keyStore)' copy.keys && chmod 600 copy.keys").succeeded()
    for variables in [[:], ["ENVELOPE_STORE": sandbox.path("copy.keys")]] {
      try sandbox.keys("rotate", "checkout", with: variables).succeeded()
    }
    try sandbox.envelope("audit", "start").succeeded()
    try sandbox.keys("import", "copy.keys").failed(73)
    let log = try sandbox.read(sandbox.keyStore + ".audit").split(separator: "\n")
    #expect(log.count { $0.contains(#""operation":"import""#) } == 1)
    #expect(log.contains { $0.contains(#""operation":"import","key":"\#(id)""#) && $0.contains("keyExists") })
  }

  @Test func emptyStoreIsReported() throws {
    #expect(try sandbox.keys("import", "-", input: "envelope-keys 1\nend\n").succeeded().messages.contains("no keys"))
  }
}
