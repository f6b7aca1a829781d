// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Keys whose deletion is due refuse every use, and stay in the file until a change calls `destroyOverdue()`.
@Suite(.timeLimit(.minutes(20))) struct OverdueDeletionTests {
  let folder: TemporaryFolder
  let file: KeyStoreFile

  init() throws {
    folder = try TemporaryFolder()
    file = try KeyStoreFile(at: folder.path + "/keys")
    try file.make("default", "doomed")
  }

  /// Schedules a deletion, and lets its seven days pass up to some seconds.
  ///
  /// - Returns: When the deletion is due.
  @discardableResult
  private func schedule(_ alias: String, secondsLeft: Int) throws -> UInt64 {
    let end = try file.update { (store) throws(EnvelopeError) in
      try store.scheduleDeletion(of: alias, afterDays: 7)
    }
    let due = UInt64(Int(Clock.now) + secondsLeft)
    try move(from: end, to: due)
    return due
  }

  /// Changes the date of a deletion in the file.
  private func move(from end: UInt64, to due: UInt64) throws {
    let text = String(decoding: try bytes(of: file.location), as: UTF8.self)
    let moved = text.replacingOccurrences(of: "pending \(end)", with: "pending \(due)")
    try #require(moved != text)
    try write(moved.utf8, to: file.location)
    try folder.setMode(0o600, of: file.location)
  }

  private func secrets() throws -> [Substring] {
    String(decoding: try bytes(of: file.location), as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("version") }.compactMap { $0.split(separator: " ").last }
  }

  @Test(arguments: [false, true]) func destroysSecretInFile(isLocked: Bool) async throws {
    let store = try KeyStore.open(at: file.location)
    let context: EncryptionContext = ["function": "app"]
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: context, using: store.keyring(for: "doomed"))
    let id = try store.require("doomed").id
    let before = try secrets()
    try #require(before.count == 2)
    try schedule("doomed", secondsLeft: 0)
    let keyring = try cheapKeyring("horse")
    func destroy(_ store: inout KeyStore) throws(EnvelopeError) {
      let destroyed = try store.destroyOverdue()
      #expect(destroyed == [id])
    }
    if isLocked {
      try await file.update(unlockingWith: keyring, lockingWith: keyring, destroy)
      try await file.update(unlockingWith: keyring, lockingWith: nil) { _ in }
    } else {
      try file.update(destroy)
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

  /// A clock that is ahead for a moment must not cost a key: only the method that destroys does.
  @Test(arguments: [false, true]) func readingAndOtherChangesKeepSecret(isLocked: Bool) async throws {
    let secret = try #require(try secrets().last)
    let due = try schedule("doomed", secondsLeft: 0)
    let before = try bytes(of: file.location)
    let keyring = try cheapKeyring("horse")
    let store = try KeyStore.open(at: file.location)
    _ = try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring())
    await expectError(.keyNotFound, saying: "destroyed") {
      try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring(for: "doomed"))
    }
    #expect(try bytes(of: file.location) == before)
    if isLocked {
      try await file.update(unlockingWith: keyring, lockingWith: keyring) { (store) throws(EnvelopeError) in
        _ = try store.rotate("default")
      }
      try await file.update(unlockingWith: keyring, lockingWith: nil) { _ in }
    } else {
      try file.update { (store) throws(EnvelopeError) in _ = try store.rotate("default") }
    }
    #expect(try bytes(of: file.location).contains(secret))
    // Once the clock is right again, so is the key.
    try move(from: due, to: due + 600)
    try file.update { (store) throws(EnvelopeError) in
      try store.cancelDeletion(of: "doomed")
      try store.enable("doomed")
    }
    #expect(try KeyStore.open(at: file.location).require("doomed").state == .enabled)
  }

  /// A deletion date from a clock that is behind would be due as soon as the clock is set.
  @Test func refusesDeletionDateFromClockBehindNewestVersion() throws {
    let store = try KeyStore.open(at: file.location)
    let created = try #require(store.keysets.flatMap(\.versions).map(\.created).max())
    try store.checkClock(at: created)
    for now in [0, created - 1] {
      let error = try #require(throws: EnvelopeError.self) { try store.checkClock(at: now) }
      #expect(error.code == .systemFailure && error.message.contains("clock"))
    }
    try KeyStore().checkClock(at: 0)
    // The check is part of scheduling a deletion.
    let future = Keyset.Version(number: 1, created: .max, keys: [try WrappingKey.generate()])
    var wrong = store
    try wrong.add(Keyset(id: Keyset.generate().id, versions: [future], primary: 1))
    let error = try #require(throws: EnvelopeError.self) { try wrong.scheduleDeletion(of: "default") }
    #expect(error.code == .systemFailure)
    #expect(try wrong.require("default").state == .enabled)
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
    try file.update { (store) throws(EnvelopeError) in _ = try store.destroyOverdue() }
    let store = try KeyStore.open(at: file.location)
    #expect(store["default"] == nil && store.keysets.count == 2)
    await expectError(.keyNotFound, saying: "destroyed") {
      try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring())
    }
    try file.update { (store) throws(EnvelopeError) in try store.setDefault("doomed") }
    _ = try await SealedEnvironment.seal(["A": "1"], context: [:], using: KeyStore.open(at: file.location).keyring())
  }
}
