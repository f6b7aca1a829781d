// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct KeyStoreFileTests {
  let folder: TemporaryFolder
  let path: String
  let file: KeyStoreFile

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/store/keys"
    file = try KeyStoreFile(at: path)
  }

  private func make() throws {
    try file.update { (store) throws(EnvelopeError) in try store.add(Keyset.generate(), alias: "default") }
  }

  private func expectRefusal(advice: String, _ location: SourceLocation = #_sourceLocation) throws {
    for use in [{ _ = try file.load() }, { try file.update { _ in } }, { _ = try KeyStore.open(at: path) }] {
      let error = try #require(throws: EnvelopeError.self, sourceLocation: location) { try use() }
      #expect(error.code == .filePermissions, "\(error)", sourceLocation: location)
      #expect(error.advice.contains(advice), "\(error)", sourceLocation: location)
    }
  }

  @Test func theDefaultLocationFollowsTheVariables() throws {
    func location(_ variables: [String: String]) throws -> String {
      try KeyStoreFile.defaultLocation(variables: variables)
    }
    let all = ["ENVELOPE_STORE": "some/store", "XDG_DATA_HOME": "/data", "HOME": "/home/me"]
    #expect(try location(all) == "some/store")
    #expect(try location(all.merging(["ENVELOPE_STORE": ""]) { $1 }) == "/data/envelope/keys")
    #expect(try location(["XDG_DATA_HOME": "/data", "HOME": "/home/me"]) == "/data/envelope/keys")
    for relative in ["", "data", "./data", "~/data"] {
      #expect(try location(["XDG_DATA_HOME": relative, "HOME": "/home/me"]) == "/home/me/.local/share/envelope/keys")
    }
    for variables in [[:], ["HOME": ""], ["XDG_DATA_HOME": "data"]] {
      let error = try #require(throws: EnvelopeError.self) { try location(variables) }
      #expect(error.code == .fileFailure && error.advice.contains("ENVELOPE_STORE"))
    }
  }

  @Test func aStoreThatIsNotThereIsNone() throws {
    #expect(try file.load() == nil)
    let error = try #require(throws: EnvelopeError.self) { try KeyStore.open(at: path) }
    #expect(error.code == .keyNotFound && error.message.contains(path))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/store"))
  }

  @Test func manyKeysComeBack() throws {
    try file.update { (store) throws(EnvelopeError) in
      try store.add(Keyset.generate(), alias: "default")
      try store.add(Keyset.generate().rotated().rotated(), alias: "a.b-c_d")
      try store.add(Keyset.generate())
    }
    let first = try #require(try file.load())
    #expect(first.keysets.map { $0.versions.count } == [1, 3, 1])
    #expect(first.keysets[1].primary == 3)
    #expect(first.aliases == ["default": first.keysets[0].id, "a.b-c_d": first.keysets[1].id])
    #expect(first.defaultKeyID == first.keysets[0].id)
    let before = try bytes(of: path)
    try file.update { _ in }
    #expect(try bytes(of: path) == before)
  }

  @Test func whatAStoreSealedOpensAfterReading() async throws {
    try make()
    let keyring = try KeyStore.open(at: path).keyring()
    let sealed = try await SealedEnvironment.seal(["TOKEN": "abc"], context: ["function": "app"], using: keyring)
    try file.update { (store) throws(EnvelopeError) in try store.add(Keyset.generate(), alias: "more") }
    let again = try KeyStore.open(at: path).keyring()
    let opened = try await sealed.open(context: ["function": "app"], using: again)
    #expect(try opened.require("TOKEN").revealingString() == "abc")
  }

  @Test(arguments: [0o660, 0o666, 0o620, 0o602]) func storeThatOthersCanWriteIsRefused(mode: Int) throws {
    try make()
    try folder.setMode(mode, of: path)
    try expectRefusal(advice: "chmod 600 '\(path)'")
    try folder.setMode(0o600, of: path)
    #expect(try file.load() != nil)
  }

  /// Root's may be read: see `StoreReadingTests`.
  @Test(arguments: [0o640, 0o604, 0o610]) func storeThatOthersCanReadIsNotChanged(mode: Int) throws {
    try make()
    try folder.setMode(mode, of: path)
    let before = try bytes(of: path)
    let error = try #require(throws: EnvelopeError.self) { try make() }
    #expect(error.code == .filePermissions && error.advice == "Run: chmod 600 '\(path)'")
    #expect(try bytes(of: path) == before)
  }

  @Test(arguments: [0o720, 0o702, 0o777]) func aFolderThatOthersCanWriteToIsRefused(mode: Int) throws {
    try make()
    try folder.setMode(mode, of: folder.path + "/store")
    try expectRefusal(advice: "chmod 700 '\(folder.path)/store'")
  }

  @Test(arguments: [0o1777, 0o755, 0o750]) func aFolderWhereOthersCannotReplaceItIsTaken(mode: Int) throws {
    try make()
    try folder.setMode(mode, of: folder.path + "/store")
    #expect(try file.load() != nil)
  }

  @Test func noKeyIsMadeWhereItWouldBeRefused() throws {
    _ = try folder.makeFolder("store", mode: 0o777)
    let error = try #require(throws: EnvelopeError.self) { try make() }
    #expect(error.code == .filePermissions && error.advice.contains("chmod 700"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func theAdviceQuotesThePath() throws {
    let path = try folder.makeFolder("it's here") + "/keys"
    let file = try KeyStoreFile(at: path)
    try file.update { _ in }
    try folder.setMode(0o666, of: path)
    let error = try #require(throws: EnvelopeError.self) { try file.load() }
    #expect(error.advice == "Run: chmod 600 '\(folder.path)/it'\\''s here/keys'")
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a file away"))
  func anotherUsersStoreIsRefused() throws {
    try make()
    try #require(unsafe chown(path, 65534, 65534) == 0)
    try expectRefusal(advice: "Run this as its owner")
  }

  @Test func aStoreThatThisUserMayNotReadIsToldOf() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = folder.path + "/keys"
      try KeyStoreFile(at: path).update { _ in }
      try folder.setMode(0, of: path)
      // Root may read everything.
      let isRoot = geteuid() == 0
      if isRoot { try #require(seteuid(65534) == 0) }
      let error = #expect(throws: EnvelopeError.self) { try KeyStoreFile(at: path).load() }
      if isRoot { try #require(seteuid(0) == 0) }
      #expect(error?.code == .filePermissions && error?.advice.contains("ENVELOPE_STORE") == true)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a folder away"))
  func anotherUsersFolderIsRefused() throws {
    try make()
    try #require(unsafe chown(folder.path + "/store", 65534, 65534) == 0)
    try expectRefusal(advice: "Move the key store")
  }

  @Test func aFolderInThePlaceOfTheFileIsRefused() throws {
    _ = try folder.makeFolder("store/keys")
    try expectRefusal(advice: "ENVELOPE_STORE")
    try write([1], to: folder.path + "/file")
    let below = try KeyStoreFile(at: folder.path + "/file/keys")
    for use in [{ _ = try below.load() }, { try below.update { _ in } }] {
      #expect(try #require(throws: EnvelopeError.self) { try use() }.code == .fileFailure)
    }
  }

  @Test func aChangeThatFailsLeavesTheFile() throws {
    try make()
    let before = try bytes(of: path)
    let failure = EnvelopeError(.invalidArgument, "no")
    #expect(throws: failure) {
      try file.update { (store) throws(EnvelopeError) in
        try store.add(Keyset.generate(), alias: "more")
        throw failure
      }
    }
    #expect(throws: EnvelopeError.self) {
      try file.update { (store) throws(EnvelopeError) in try store.add(Keyset.generate(), alias: "default") }
    }
    #expect(try bytes(of: path) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/store") == ["keys"])
  }

  @Test func aLinkIsFollowed() throws {
    let real = try folder.makeFolder("real")
    try KeyStoreFile(at: real + "/keys").update { _ in }
    _ = try folder.makeFolder("store")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "../real/keys")
    try make()
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "../real/keys")
    #expect(try KeyStore.open(at: real + "/keys").keysets.count == 1)
    try folder.setMode(0o777, of: real)
    try expectRefusal(advice: "chmod 700 '\(real)'")
  }

  @Test func manyWritersLoseNothing() async throws {
    let path = path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<16 {
        group.addTask {
          try KeyStoreFile(at: path).update { (store) throws(EnvelopeError) in
            try store.add(Keyset.generate(), alias: "k\(number)")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try KeyStore.open(at: path).keysets.count == 16)
  }
}
