// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Keys whose time has come are destroyed for good the next time that the store is written.
@Suite(.timeLimit(.minutes(20))) struct OverdueDeletionTests {
  let folder: TemporaryFolder
  let file: KeyStoreFile

  init() throws {
    folder = try TemporaryFolder()
    file = try KeyStoreFile(at: folder.path + "/keys")
    try file.make("default", "doomed")
  }

  /// Schedules a deletion, and lets its seven days pass up to some seconds.
  private func schedule(_ alias: String, secondsLeft: Int) throws {
    let end = try file.update { (store) throws(EnvelopeError) in
      try store.scheduleDeletion(of: alias, afterDays: 7)
    }
    let text = String(decoding: try bytes(of: file.location), as: UTF8.self)
    let passed = text.replacingOccurrences(of: "pending \(end)", with: "pending \(Int(Clock.now) + secondsLeft)")
    try #require(passed != text)
    try write(passed.utf8, to: file.location)
    try folder.setMode(0o600, of: file.location)
  }

  @Test func aLogTellsThatItWasDestroyed() throws {
    try file.update { (store) throws(EnvelopeError) in try store.startAuditLog() }
    let id = try #require(try file.load()).require("doomed").id
    try schedule("doomed", secondsLeft: 0)
    try file.make("other")
    let log = String(decoding: try bytes(of: file.location + ".audit"), as: UTF8.self)
    #expect(log.contains("\"operation\":\"destroy\",\"key\":\"\(id)\",\"outcome\":\"success\""))
    // Once: the next change finds nothing to destroy.
    try file.make("another")
    #expect(String(decoding: try bytes(of: file.location + ".audit"), as: UTF8.self) == log)
  }

  private func secrets() throws -> [Substring] {
    String(decoding: try bytes(of: file.location), as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("version") }.compactMap { $0.split(separator: " ").last }
  }

  @Test(arguments: [false, true]) func theSecretIsGoneFromTheFileOnceTheStoreIsWritten(isLocked: Bool) async throws {
    let store = try KeyStore.open(at: file.location)
    let context: EncryptionContext = ["function": "app"]
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: context, using: store.keyring(for: "doomed"))
    let id = try store.require("doomed").id
    let before = try secrets()
    try #require(before.count == 2)
    try schedule("doomed", secondsLeft: 0)
    let keyring = try cheapKeyring("horse")
    // The next change destroys it, even where that is of another key.
    if isLocked {
      try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
      try await file.update(unlockingWith: keyring, lockingWith: nil) { _ in }
    } else {
      try file.make("other")
    }
    let text = try bytes(of: file.location)
    #expect(!text.contains(before[1]) && text.contains(before[0]))
    let after = try KeyStore.open(at: file.location)
    let destroyed = try #require(after[id.string])
    #expect(destroyed.versions.isEmpty)
    guard case .destroyed = destroyed.state else {
      Issue.record("\(destroyed.state)")
      return
    }
    // The name is free, the id is not, and what was sealed under it is told apart from what was never here.
    #expect(after["doomed"] == nil)
    await expectError(.keyNotFound, saying: "destroyed") {
      try await sealed.open(context: context, using: after.keyring())
    }
    await expectError(.keyNotFound, saying: "destroyed") {
      try file.update { (store) throws(EnvelopeError) in try store.cancelDeletion(of: id.string) }
    }
    await expectError(.keyNotFound, saying: "destroyed") {
      try file.update { (store) throws(EnvelopeError) in try store.enable(id.string) }
    }
    try file.make("doomed")
  }

  @Test func untilThenItIsKeptAndCanBeCancelled() async throws {
    let before = try secrets()
    try schedule("doomed", secondsLeft: 600)
    try file.make("other")
    #expect(Set(try secrets()).isSuperset(of: before))
    try file.update { (store) throws(EnvelopeError) in
      try store.cancelDeletion(of: "doomed")
      try store.enable("doomed")
    }
    #expect(try KeyStore.open(at: file.location).require("doomed").state == .enabled)
  }

  /// A change that is refused writes nothing, and so destroys nothing on the disk; the key is refused all the same.
  @Test func aChangeThatFailsDestroysNothing() async throws {
    try schedule("doomed", secondsLeft: 0)
    let before = try bytes(of: file.location)
    await expectError(.keyExists) { try file.make("default") }
    #expect(try bytes(of: file.location) == before)
    let store = try KeyStore.open(at: file.location)
    await expectError(.keyNotFound, saying: "destroyed") {
      try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring(for: "doomed"))
    }
  }

  @Test func theDefaultKeyCanBeDestroyedToo() async throws {
    try schedule("default", secondsLeft: 0)
    try file.update { _ in }
    let store = try KeyStore.open(at: file.location)
    #expect(store["default"] == nil && store.keysets.count == 2)
    await expectError(.keyNotFound, saying: "destroyed") {
      try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring())
    }
    try file.update { (store) throws(EnvelopeError) in try store.setDefault("doomed") }
    _ = try await SealedEnvironment.seal(["A": "1"], context: [:], using: KeyStore.open(at: file.location).keyring())
  }
}
