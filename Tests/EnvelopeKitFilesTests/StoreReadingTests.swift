// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import CSystemCalls
import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Which stores are read: nobody but this user and root may write them.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Reader.isPossible, "Only root can place files of several users"))
struct StoreReadingTests {
  @Test func storeOfRootMayBeReadableByAll() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o755)
      for mode in [0o444, 0o644, 0o755, 0o440, 0o640] {
        try reader.place(mode, of: .root)
        // The group of the file is root's, which this process still has.
        try reader.read().opened(warning: true)
        try reader.read(as: .root).opened(warning: true)
        try reader.place(mode, of: .root, isNarrowed: true)
        try reader.read().opened()
        try reader.read(as: .root).opened()
      }
      try reader.place(0o600, of: .root)
      try reader.read().refused(saying: "may not read", advice: "chmod 644")
      try reader.read(as: .root).opened()
    }
  }

  @Test func ownStoreMustBePrivate() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o755)
      for (mode, verb) in [
        (0o640, "read"), (0o604, "read"), (0o644, "read"), (0o610, "read"), (0o660, "write"), (0o602, "write"),
        (0o666, "write"), (0o620, "write"),
      ] {
        let path = try reader.place(mode, of: .user, isNarrowed: true)
        try reader.read().refused(saying: "can \(verb)", advice: "Run: chmod 600 '\(path)'")
      }
      for mode in [0o600, 0o400] {
        try reader.place(mode, of: .user)
        try reader.read().opened()
      }
    }
  }

  @Test func storeThatOthersCanWriteIsRefused() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o755)
      for mode in [0o664, 0o646, 0o666] {
        let path = try reader.place(mode, of: .root, isNarrowed: true)
        try reader.read().refused(saying: "can write", advice: "Run: sudo chmod go-w '\(path)'")
        try reader.read(as: .root).refused(saying: "can write", advice: "Run: chmod 600 '\(path)'")
      }
      for mode in [0o600, 0o444, 0o644] {
        try reader.place(mode, of: .other, isNarrowed: true)
        let reading = try reader.read(as: .root)
        reading.refused(saying: "belongs to another user, with the id 1234", advice: "chown")
      }
      try reader.place(0o644, of: .other)
      try reader.read().refused(saying: "belongs to another user", advice: "chown")
    }
  }

  /// The group's bits of the mode are the most that a list grants.
  @Test func accessControlListsCount() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o755)
      func list(granting permission: UInt8) -> [UInt8] {
        [
          2, 0, 0, 0, 1, 0, 4, 0, 255, 255, 255, 255, 2, 0, permission, 0, 254, 255, 0, 0, 4, 0, 0, 0, 255, 255, 255,
          255,
          16, 0, permission, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
        ]
      }
      for (permission, mode) in [(UInt8(4), 0o440), (6, 0o460), (2, 0o420)] {
        let path = try reader.place(0o400, of: .root)
        let list = list(granting: permission)
        let file = try Path(path).openForReading()
        try #require(
          unsafe list.withUnsafeBytes {
            unsafe envelope_fsetxattr(file.number, "system.posix_acl_access", $0.baseAddress, $0.count)
          } == 0)
        let shown = try folder.mode(of: path)
        try #require(shown == mode)
        if permission == 4 {
          // As systemd lets a service read its credentials: nobody else can.
          try reader.read().opened()
        } else {
          try reader.read(as: .root).refused(saying: "can write", advice: path)
        }
      }
    }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "Only root can mount a disk of its own"))
  func readOnlyMountMayBeReadableByAll() async throws {
    let disk = try SmallDisk()
    await #expect(processExitsWith: .success) { [place = disk.path as String] in
      let reader = try Reader(folder: place)
      try reader.give("", to: .root, 0o755)
      try reader.place(0o644, of: .user, at: "own")
      try reader.place(0o444, of: .user, at: "narrowed", isNarrowed: true)
      try reader.place(0o664, of: .user, at: "writable", isNarrowed: true)
      try reader.place(0o444, of: .other, at: "other", isNarrowed: true)
      try reader.read("own").refused(saying: "can read", advice: "chmod 600")
      try SmallDisk.run("mount", "-o", "remount,ro", place)
      try reader.read("own").opened(warning: true)
      try reader.read("narrowed").opened()
      // Other mounts of the same files may not be read-only.
      try reader.read("writable").refused(saying: "can write", advice: "chmod 600")
      try reader.read("other").refused(saying: "belongs to another user", advice: "chown")
      try reader.read("none").refusedNothing()
    }
  }

  /// A change needs a file of this user's own that is for this user alone, also if it can be read otherwise.
  @Test func changesKeepTheStrictRules() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o1777)
      let path = try reader.place(0o644, of: .root)
      let before = try bytes(of: path)
      let file = try KeyStoreFile(at: path)
      await expectError(.filePermissions, saying: "can read") { try file.make("more") }
      try #require(seteuid(Owner.user.rawValue) == 0)
      await expectError(.filePermissions, saying: "belongs to root") { try file.make("more") }
      let keyring = try cheapKeyring("horse")
      await expectError(.filePermissions, saying: "belongs to root") {
        try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
      }
      try #require(seteuid(0) == 0)
      #expect(try bytes(of: path) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["keys"])
      try reader.give("keys", to: .root, 0o600)
      try file.make("more")
    }
  }
}

extension Reading {
  /// Expects that there is no store.
  func refusedNothing(_ location: SourceLocation = #_sourceLocation) {
    #expect(store == nil && error == nil && warnings.isEmpty, sourceLocation: location)
  }
}
