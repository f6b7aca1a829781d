// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// What goes wrong while a store is written is told, and loses nothing.
@Suite(.timeLimit(.minutes(20))) struct StoreFailureTests {
  let folder: TemporaryFolder
  let place: String
  let file: KeyStoreFile

  init() throws {
    folder = try TemporaryFolder()
    place = try folder.makeFolder("store")
    file = try KeyStoreFile(at: place + "/keys")
    try file.make("default")
  }

  /// Replaces the folder while a change of the store is under way.
  private static func replaceFolder(_ place: String, byAnother: Bool) {
    do {
      try FileManager.default.moveItem(atPath: place, toPath: place + ".old")
      guard byAnother else { return }
      try FileManager.default.createDirectory(
        atPath: place, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    } catch {
      Issue.record(error)
    }
  }

  @Test(arguments: [true, false]) func aLockThatWasLostIsToldAndNothingIsWritten(byAnother: Bool) async throws {
    let before = try bytes(of: file.location)
    let keyring = try cheapKeyring("horse")
    for way in 0..<3 {
      let error = await expectError(.fileFailure, saying: "lock", at: "\(way)") {
        let change = { (store: inout KeyStore) throws(EnvelopeError) in
          try store.add(Keyset.generate(), alias: "more")
          Self.replaceFolder(place, byAnother: byAnother)
        }
        if way == 0 {
          try file.update(change)
        } else {
          try await file.update(unlockingWith: keyring, lockingWith: way == 1 ? keyring : nil, change)
        }
      }
      #expect(error?.advice.hasPrefix("Nothing was written") == true)
      if byAnother {
        #expect(try FileManager.default.contentsOfDirectory(atPath: place) == [])
        try FileManager.default.removeItem(atPath: place)
      }
      #expect(!FileManager.default.fileExists(atPath: place))
      #expect(try FileManager.default.contentsOfDirectory(atPath: place + ".old") == ["keys"])
      #expect(try bytes(of: place + ".old/keys") == before)
      try FileManager.default.moveItem(atPath: place + ".old", toPath: place)
    }
    // The next change goes through.
    try file.make("more")
    #expect(try file.load()?.keysets.count == 2)
  }

  @Test func aFolderThatCannotBeWrittenToIsToldAndLeavesTheStore() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let place = try folder.makeFolder("store")
      let file = try KeyStoreFile(at: place + "/keys")
      try file.make("default")
      let before = try bytes(of: file.location)
      // Permissions do not hold for root.
      let isRoot = geteuid() == 0
      if isRoot {
        for name in [folder.path, place, file.location] { #expect(unsafe chown(name, 65534, 65534) == 0) }
        let base = (folder.path as NSString).deletingLastPathComponent
        #expect(unsafe chmod(base, 0o755) == 0 && seteuid(65534) == 0)
      }
      try folder.setMode(0o500, of: place)
      let keyring = try cheapKeyring("horse")
      await expectError(.fileFailure, saying: file.location) { try file.make("more") }
      await expectError(.fileFailure, saying: file.location) {
        try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
      }
      #expect(try bytes(of: file.location) == before)
      #expect(try file.load()?.keysets.count == 1)
      try folder.setMode(0o700, of: place)
      #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["keys"])
      try file.make("more")
      #expect(try file.load()?.keysets.count == 2)
      if isRoot { #expect(seteuid(0) == 0) }
    }
  }

  /// A disk that is full tells of it at the first byte, or after some.
  @Test(.enabled(if: SmallDisk.isPossible, "Only root can mount a disk of its own; the next test has none"))
  func aFullDiskIsToldAndLeavesTheStore() async throws {
    let disk = try SmallDisk()
    let file = try KeyStoreFile(at: disk.path + "/keys")
    try file.make("default")
    // More than a page, so that a part of it can be written.
    try file.update { (store) throws(EnvelopeError) in
      for _ in 0..<100 { try store.add(Keyset.generate()) }
    }
    let before = try bytes(of: file.location)
    try #require(before.count > 8192)
    let keyring = try cheapKeyring("horse")
    for pagesLeft in 0..<3 {
      try disk.fill()
      if pagesLeft > 0 {
        let left = try FileManager.default.attributesOfItem(atPath: disk.path + "/filling")[.size] as? Int
        try #require(unsafe truncate(disk.path + "/filling", try #require(left) - pagesLeft * 4096) == 0)
      }
      await expectError(.fileFailure, saying: "No space", at: "\(pagesLeft)") { try file.make("more") }
      await expectError(.fileFailure, saying: "No space", at: "\(pagesLeft)") {
        try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
      }
      #expect(try bytes(of: file.location) == before)
      #expect(try file.load()?.keysets.count == 101)
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted() == ["filling", "keys"])
      try disk.clear()
    }
    try file.make("more")
    #expect(try file.load()?.keysets.count == 102)
  }

  @Test func aWriteThatEndsEarlyIsToldAndLeavesTheStore() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let file = try KeyStoreFile(at: folder.path + "/keys")
      try file.make("default", "second")
      let before = try bytes(of: file.location)
      let keyring = try cheapKeyring("horse")
      for limit in [0, 1, before.count / 2, before.count, before.count + 1] {
        try limitFiles(to: limit)
        await expectError(.fileFailure, saying: file.location, at: "\(limit)") { try file.make("more") }
        await expectError(.fileFailure, saying: file.location, at: "\(limit)") {
          try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
        }
        #expect(try bytes(of: file.location) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["keys"])
      }
      try limitFiles(to: 1 << 20)
      try file.make("more")
      #expect(try file.load()?.keysets.count == 3)
    }
  }

  /// Whoever is killed while writing leaves a file beside the store; the next writer takes it away, and nothing else.
  @Test func whatAKilledWriterLeftIsTakenAway() throws {
    let others = [
      ".keys.new", ".keys..new", ".keys.short.new", ".keys.AAAAAAAAAAAAA.new", ".keys.AAAAAAAAAAA!.new",
      ".keys.AAAAAAAAAAAA.new~", "keys.AAAAAAAAAAAA.new", ".other.AAAAAAAAAAAA.new", ".keys.audit.AAAAAAAAAAAA.new",
      ".key.AAAAAAAAAAAA.new", "keys.new", ".AAAAAAAAAAAA.new", "AAAAAAAAAAAA",
    ]
    for name in others + [".keys.AAAAAAAAAAAA.new", ".keys.-_aZ09abcdef.new"] { try write([1], to: "\(place)/\(name)") }
    // Reading takes nothing away: it has no lock.
    _ = try file.load()
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).count == others.count + 3)
    try file.make("more")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).sorted() == (others + ["keys"]).sorted())
  }

  @Test func theFolderOfALinkIsNotTheOneThatIsCleaned() throws {
    let other = try folder.makeFolder("other")
    try FileManager.default.createSymbolicLink(atPath: other + "/keys", withDestinationPath: "../store/keys")
    for place in [place, other] { try write([1], to: place + "/.keys.AAAAAAAAAAAA.new") }
    try KeyStoreFile(at: other + "/keys").make("more")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["keys"])
    #expect(FileManager.default.fileExists(atPath: other + "/.keys.AAAAAAAAAAAA.new"))
  }

  @Test(arguments: ["pipe", "device"]) func whatIsNoFileIsRefusedAndNotWaitedFor(kind: String) async throws {
    let path = place + "/" + kind
    if kind == "pipe" {
      try #require(unsafe mkfifo(path, 0o600) == 0)
    } else {
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero")
    }
    let file = try KeyStoreFile(at: path)
    await expectError(.filePermissions, saying: "not a file") { try file.load() }
    await expectError(.filePermissions, saying: "not a file") { try file.make("more") }
    await expectError(.filePermissions, saying: "not a file") { try file.lockingKeys() }
  }
}
