// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct AuditLogTests {
  let logged: LoggedStore
  init() throws { logged = try LoggedStore() }

  private func last() throws -> [String: String] { try #require(try logged.entries().last) }

  @Test func aStoreThatKeepsNoneWritesNone() async throws {
    let file = try KeyStoreFile(at: logged.folder.path + "/silent")
    try file.make("default")
    _ = try await SealedEnvironment.seal(["A": "1"], context: [:], using: KeyStore.open(at: file.location).keyring())
    #expect(!FileManager.default.fileExists(atPath: file.location + ".audit"))
  }

  @Test func everyUseIsAnEntryWithItsOutcome() async throws {
    let before = Clock.now
    let id = try logged.store().require("default").id.string
    let context: EncryptionContext = ["function": "app"]
    let sealed = try await logged.seal(for: "app")
    var expected = [["wrap", "1", "success"]]
    _ = try await sealed.open(context: context, using: logged.store().keyring())
    expected.append(["unwrap", "1", "success"])

    func refuse(_ code: EnvelopeError.Code, _ change: (inout KeyStore) throws(EnvelopeError) -> Void) async throws {
      try logged.change(change)
      await expectError(code) { try await sealed.open(context: context, using: logged.store().keyring()) }
      expected.append(["unwrap", "1", code.rawValue])
    }
    try await refuse(.keyDisabled) { (store) throws(EnvelopeError) in try store.disable("default") }
    await expectError(.keyDisabled) { try await logged.seal(for: "app") }
    expected.append(["wrap", "1", "keyDisabled"])
    try await refuse(.keyAccessDenied) { (store) throws(EnvelopeError) in
      try store.enable("default")
      try store.setPolicy(KeyPolicy(functions: [FunctionScope(function: "else")]), of: "default")
    }
    try await refuse(.keyVersionTooOld) { (store) throws(EnvelopeError) in
      try store.setPolicy(.unrestricted, of: "default")
      try store.rotate("default")
      try store.setMinimumVersion(2, of: "default")
    }
    try await logged.use("app")
    expected.append(["wrap", "2", "success"])
    let exporting = try logged.store()
    _ = try exporting.exporting("default", narrowedTo: [.noFunction, FunctionScope(function: "app")])
    expected += [["export", "", "success"], ["export", "", "success"]]
    try await refuse(.keyInvalidState) { (store) throws(EnvelopeError) in
      _ = try store.scheduleDeletion(of: "default", afterDays: 7)
    }
    await expectError(.keyInvalidState) { try logged.store().exporting("default", narrowedTo: [.noFunction]) }
    expected.append(["export", "", "keyInvalidState"])
    expected.append(["destroy", "", "success"])
    try await refuse(.keyNotFound) { (store) throws(EnvelopeError) in
      try store.cancelDeletion(of: "default")
      _ = try store.scheduleDeletion(of: "default", afterDays: 7, now: Clock.now - 8 * 86_400)
      for id in try store.destroyOverdue() { try store.report(KeyUse(.destroy, of: id)) }
    }

    let entries = try logged.entries()
    #expect(entries.map { [$0["operation"] ?? "", $0["version"] ?? "", $0["outcome"] ?? ""] } == expected)
    // An entry for each function that a copy is for, and none where it was not made.
    let exports = entries.filter { $0["operation"] == "export" }.map { $0["function"] }
    #expect(exports == [nil, "app", nil])
    for (index, entry) in entries.enumerated() {
      #expect(entry["entry"] == "\(index + 1)" && entry["key"] == id)
      if ["wrap", "unwrap"].contains(entry["operation"]) { #expect(entry["function"] == "app") }
      #expect((before...Clock.now).contains(UInt64(entry["time"] ?? "") ?? 0))
    }
    #expect(try logged.verify().count == UInt64(expected.count))
  }

  @Test func anEntryThatWasAlteredIsLoggedAsARefusal() async throws {
    let sealed = try await logged.seal(for: "app")
    let entry = try #require(sealed.wrappedKeys.first)
    var wrapped = entry.bytes
    wrapped[40] ^= 1
    let altered = try WrappedDataKey(scheme: entry.scheme, keyID: entry.keyID, bytes: wrapped)
    await expectError(.unwrapFailed) {
      try await logged.store().keyring().unwrap([altered], for: ["function": "app"]).source
    }
    #expect(try last()["outcome"] == "unwrapFailed")
    // What is for no key of the store is none of its uses.
    await expectError(.keyNotFound) {
      let other = try await KeysetKeyring(Keyset.generate()).generateDataKey(for: [:]).wrapped
      return try await logged.store().keyring().unwrap(other, for: [:]).source
    }
    #expect(try logged.entries().count == 2)
  }

  @Test(arguments: [
    "a\"b", "back\\slash", "\u{1}\u{8}\u{9}\u{a}\u{d}\u{1f}\u{7f}\u{0}", "鍵🔑é e\u{301}",
    "\u{2028}\u{2029}\u{85}\u{feff}",
    "\",\"chain\":\"x\"}", "}\n{\"entry\":2", String(repeating: "n", count: 8000),
    String(repeating: "\u{1}", count: 8000),
    String(repeating: "🔑", count: 2000), String(repeating: "\"", count: 8179),
  ]) func aFunctionsNameIsWrittenSoThatItReadsBack(name: String) async throws {
    try await logged.use(name, "next")
    let entries = try logged.entries()
    #expect(entries.map { $0["function"].map { Array($0.utf8) } } == [Array(name.utf8), Array("next".utf8)])
    #expect(try bytes(of: logged.logPath).allSatisfy { $0 == 10 || $0 >= 0x20 && $0 != 0x7f })
    #expect(try logged.verify().count == 2)
  }

  @Test func whatIsForNoFunctionNamesNone() async throws {
    try await logged.seal(for: nil)
    #expect(try last()["function"] == nil)
    #expect(try logged.verify().count == 1)
  }

  @Test func noEntryHoldsASecret() async throws {
    let sealed = try await logged.seal(for: "app")
    _ = try await sealed.open(context: ["function": "app"], using: logged.store().keyring())
    let log = try bytes(of: logged.logPath)
    let store = String(decoding: try bytes(of: logged.file.location), as: UTF8.self)
    let secrets = store.split(separator: "\n").filter { $0.hasPrefix("version") || $0.hasPrefix("audit") }
    try #require(secrets.count == 3)
    for secret in secrets.compactMap({ $0.split(separator: " ").last }) { #expect(!log.contains(secret)) }
    #expect(!log.contains("hunter2"))
    #expect(try folder(of: logged.logPath) == 0o600)
    #expect(!shown(try logged.log).contains(try #require(secrets.last?.split(separator: " ").last)))
  }

  private func folder(of path: String) throws -> Int { try logged.folder.mode(of: path) }

  @Test func aLinkToTheStoreLeadsToTheSameLog() async throws {
    let place = try logged.folder.makeFolder("elsewhere")
    try FileManager.default.createSymbolicLink(atPath: place + "/linked", withDestinationPath: "../keys")
    try await logged.use("app")
    let linked = try KeyStore.open(at: place + "/linked")
    _ = try await SealedEnvironment.seal(["A": "1"], context: ["function": "linked"], using: linked.keyring())
    #expect(try logged.entries().map { $0["function"] } == ["app", "linked"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["linked"])
  }

  @Test func aLockedStoreKeepsItsLogToo() async throws {
    let keyring = try cheapKeyring("horse")
    try await logged.use("before")
    let log = try logged.log
    try await logged.file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
    let opened = try await KeyStore.open(at: logged.file.location, unlockingWith: keyring)
    _ = try await SealedEnvironment.seal(["A": "1"], context: ["function": "after"], using: opened.keyring())
    #expect(try log.verify().count == 2)
    #expect(try logged.entries().map { $0["function"] } == ["before", "after"])
  }

  @Test func whereTheLogEndsNothingIsLoggedAndANewOneHasAnotherKey() async throws {
    try await logged.use("one")
    let old = try logged.log
    try logged.change { (store) throws(EnvelopeError) in store.endAuditLog() }
    try await logged.use("two")
    #expect(try logged.entries().count == 1)
    await expectError(.keyExists) {
      try logged.change { (store) throws(EnvelopeError) in
        try store.startAuditLog()
        try store.startAuditLog()
      }
    }
    try logged.change { (store) throws(EnvelopeError) in try store.startAuditLog() }
    try await logged.use("three")
    // The old log was not taken away: it and what follows it do not verify together.
    await expectError(.auditLogAltered, saying: "entry 1 ") { try logged.verify() }
    await expectError(.auditLogAltered, saying: "entry 2 ") { try old.verify() }
  }
}
