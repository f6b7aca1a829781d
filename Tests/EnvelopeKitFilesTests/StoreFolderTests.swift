// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Where a store that is read may lie, and what attackers put in its place.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Reader.isPossible, "Only root can place files of several users"))
struct StoreFolderTests {
  @Test func foldersWhereOthersCanReplaceItAreRefused() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.place(0o644, of: .root, isNarrowed: true)
      for mode in [0o755, 0o711, 0o555, 0o1777, 0o3777, 0o2755] {
        try reader.give("", to: .root, mode)
        try reader.read().opened()
      }
      for mode in [0o777, 0o775, 0o2775, 0o757] {
        try reader.give("", to: .root, mode)
        try reader.read().refused(saying: "can replace the key store", advice: "Move the key store")
      }
      try reader.give("", to: .root, 0o700)
      try reader.read().refused(saying: "may not read", advice: "ENVELOPE_STORE")
      try reader.give("", to: .other, 0o755)
      try reader.read().refused(saying: "belongs to another user", advice: "Move the key store")
    }
  }

  /// The links of a Kubernetes Secret volume, and links that others could change.
  @Test func linksAreFollowedThroughCheckedFolders() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o3777)
      try reader.makeFolder("..2026_11_26", 0o2755)
      try reader.place(0o440, of: .root, at: "..2026_11_26/keys", isNarrowed: true)
      try reader.link("..data", to: "..2026_11_26")
      try reader.link("keys", to: "..data/keys")
      try reader.read().opened()
      try reader.link("absolute", to: "\(folder.path)/..data/keys")
      try reader.read("absolute").opened()

      try reader.makeFolder("open", 0o777)
      try reader.link("open/keys", to: "../keys")
      // The first link and the store lie in safe folders, the link between them does not.
      try reader.link("through", to: "open/keys")
      for name in ["open/keys", "through"] {
        let reading = try reader.read(name)
        reading.refused(saying: "they can write to its folder \(folder.path)/open", advice: "Move the key store")
      }
      // In a folder where all users may create files, it is the only thing of the attacker's on the way.
      try reader.link("planted", to: "\(folder.path)/..data/keys")
      try #require(unsafe lchown("\(folder.path)/planted", Owner.other.rawValue, Owner.other.rawValue) == 0)
      for user in [Owner.user, .root] {
        let reading = try reader.read("planted", as: user)
        reading.refused(saying: "planted belongs to another user", advice: "ENVELOPE_STORE")
      }
      try #require(unsafe lchown("\(folder.path)/planted", Owner.user.rawValue, Owner.user.rawValue) == 0)
      try reader.read("planted").opened()

      try reader.link("first", to: "second")
      try reader.link("second", to: "first")
      #expect(try reader.read("first").error?.code == .fileFailure)
      try reader.link("nowhere", to: "none/keys")
      try reader.read("nowhere").refusedNothing()
      try reader.read("none/keys").refusedNothing()
    }
  }

  /// What another user puts where the store is expected: nothing is waited for, and no more is read than a store can have.
  @Test func plantedFilesAreRefused() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o1777)
      try #require(unsafe mkfifo("\(folder.path)/pipe", 0o644) == 0)
      try reader.makeFolder("folder", 0o755)
      try reader.link("device", to: "/dev/zero")
      try reader.link("terminal", to: "/dev/tty")
      for name in ["pipe", "folder", "device"] {
        try reader.read(name).refused(saying: "is not a file", advice: "ENVELOPE_STORE")
      }
      #expect(try reader.read("terminal").error != nil)
      // A secret of root's is not shown, and no command is advised for it.
      try write("root:$6$hunter2:1:0:99999:7:::\n".utf8, to: "\(folder.path)/shadow")
      for (mode, text) in [(0o644, "does not begin as a key store"), (0o666, "does not begin as a key store")] {
        try reader.give("shadow", to: .root, mode)
        let error = try reader.read("shadow").error?.description ?? ""
        #expect(error.contains(text) && !error.contains("hunter2") && !error.contains("chmod"))
      }
      try write("envelope-keys 1\n".utf8, to: "\(folder.path)/huge")
      try #require(unsafe truncate("\(folder.path)/huge", 1 << 40) == 0)
      try reader.give("huge", to: .root, 0o644)
      #expect(try reader.read("huge").error?.message.contains("is longer than") == true)
    }
  }

  /// A link that another user changes while it is read leads to the good store or to a refusal, never to the other's.
  @Test func linkThatIsSwappedMeanwhileLeadsNowhereElse() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let reader = try Reader(folder: folder.path)
      try reader.give("", to: .root, 0o755)
      let good = try reader.place(0o644, of: .root, at: "good", isNarrowed: true)
      try reader.makeFolder("theirs", 0o755, of: .other)
      try reader.place(0o644, of: .other, at: "theirs/keys", isNarrowed: true)
      let wanted = try KeyStore.open(at: good).keysets[0].id
      try reader.link("keys", to: "good")
      let place = folder.path
      let swapping = Task.detached {
        for round in 0..<2000 {
          unsafe symlink(round.isMultiple(of: 2) ? "theirs/keys" : "good", "\(place)/next")
          unsafe rename("\(place)/next", "\(place)/keys")
        }
      }
      for _ in 0..<2000 {
        let reading = try Reader.read("\(place)/keys")
        if let store = reading.store { #expect(store.keysets[0].id == wanted) }
        if let error = reading.error { #expect(error.code == .filePermissions) }
      }
      await swapping.value
    }
  }
}
