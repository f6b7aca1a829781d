// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@testable import EnvelopeTool

/// Other users may create names beside a private folder, as in /tmp, and replace theirs at any time.
@Suite(.timeLimit(.minutes(20))) struct PrivateFolderTests {
  let place: TemporaryFolder
  let name = "envelope-AAAAAAAAAAAAAAAA"

  init() throws { place = try TemporaryFolder() }

  private func path(_ name: String) -> String { "\(place.path)/\(name)" }

  private func makeFolder(_ name: String, mode: mode_t = 0o700) throws {
    try #require(unsafe mkdir(path(name), 0o700) == 0 && chmod(path(name), mode) == 0)
  }

  private func link(_ name: String, to target: String) throws {
    try #require(unsafe symlink(target, path(name)) == 0)
  }

  private func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path(name))), as: UTF8.self)
  }

  private func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  /// A folder of the user that must stay, with a nested one.
  private func makeVictim() throws {
    try makeFolder("victim")
    try makeFolder("victim/nested")
    try place.write(Array("keep".utf8), to: "victim/file")
    try place.write(Array("keep".utf8), to: "victim/nested/file")
  }

  private func expectVictimUntouched() throws {
    #expect(try read("victim/file") == "keep" && read("victim/nested/file") == "keep")
  }

  @Test func wipesAbandonedFolder() throws {
    try makeFolder(name)
    try makeFolder("\(name)/undo")
    try makeFolder("\(name)/undo/deep")
    for file in ["variables.env", "undo/deep/copy"] { try place.write(Array("secret".utf8), to: "\(name)/\(file)") }
    try #require(unsafe mkfifo(path("\(name)/pipe"), 0o600) == 0)
    // An open file shows what its content was overwritten with.
    let files = try ["variables.env", "undo/deep/copy"].map {
      try FileHandle(forReadingFrom: URL(filePath: path("\(name)/\($0)")))
    }
    PrivateFolder.wipeAbandoned(in: Path(place.path))
    #expect(try place.files == [])
    for file in files { #expect(try file.readToEnd() == Data(repeating: 0, count: 6)) }
  }

  @Test func leavesLinkNamedLikeAbandonedFolder() throws {
    try makeVictim()
    try link(name, to: "victim")
    PrivateFolder.wipeAbandoned(in: Path(place.path))
    try expectVictimUntouched()
    #expect(try place.files == [name, "victim"])
  }

  @Test func removesNestedLinkAndLeavesItsTarget() throws {
    try makeVictim()
    try makeFolder(name)
    try makeFolder("\(name)/nested")
    for link in ["\(name)/folder", "\(name)/nested/folder"] { try self.link(link, to: path("victim")) }
    for link in ["\(name)/file", "\(name)/nested/file"] { try self.link(link, to: path("victim/file")) }
    PrivateFolder.wipeAbandoned(in: Path(place.path))
    try expectVictimUntouched()
    #expect(try place.files == ["victim"])
  }

  /// The name leads to the user's other folder by the time of the wiping.
  @Test(arguments: [true, false]) func wipesOpenFolderAndNotItsReplacement(isLink: Bool) throws {
    try makeVictim()
    try makeFolder(name)
    try place.write(Array("secret".utf8), to: "\(name)/file")
    let parent = try Path(place.path).openFolder()
    guard let folder = parent.folder(named: name) else {
      Issue.record("The folder cannot be opened")
      return
    }
    try #require(unsafe rename(path(name), path("moved")) == 0)
    if isLink {
      try link(name, to: "victim")
    } else {
      try #require(unsafe rename(path("victim"), path(name)) == 0)
    }
    let isRemoved = PrivateFolder.wipe(folder, at: Path(path(name)), in: parent)
    #expect(!isRemoved)
    if !isLink { try #require(unsafe rename(path(name), path("victim")) == 0) }
    try expectVictimUntouched()
    #expect(try names(in: "moved") == [])
  }

  /// Another user can replace a folder by a link between its listing and its opening.
  @Test func opensNoLinkAsFolder() throws {
    try makeVictim()
    try link("link", to: "victim")
    let parent = try Path(place.path).openFolder()
    try #require(unsafe mkfifo(path("pipe"), 0o600) == 0)
    let opened = ["link", "victim", "victim/file", "pipe"].filter { name in
      guard let folder = parent.folder(named: name) else { return false }
      return folder.number >= 0
    }
    #expect(opened == ["victim"])
  }

  @Test(arguments: ["mode", "lock", "name", "file"]) func leavesFolderThatIsNotAbandoned(reason: String) throws {
    let name = reason == "name" ? "envelope-AAAAAAAAAAAAAAA" : name
    if reason == "file" {
      try place.write([1], to: name)
    } else {
      try makeFolder(name, mode: reason == "mode" ? 0o755 : 0o700)
      try place.write([1], to: "\(name)/file")
    }
    let inUse = try Path(path(name)).openForReading()
    if reason == "lock" {
      let isLocked = inUse.attemptLock()
      #expect(isLocked == true)
    }
    PrivateFolder.wipeAbandoned(in: Path(place.path))
    #expect(try place.files == [name])
    if reason != "file" { #expect(try names(in: name) == ["file"]) }
    _ = consume inUse
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a folder away")) func leavesFolderOfAnotherUser() throws {
    try makeFolder(name)
    try place.write([1], to: "\(name)/file")
    try #require(unsafe chown(path(name), 65534, 65534) == 0)
    PrivateFolder.wipeAbandoned(in: Path(place.path))
    #expect(try names(in: name) == ["file"])
  }

  /// Without the sticky bit, another user could give any folder of this user such a name.
  @Test(arguments: [(0o777, false), (0o770, false), (0o1777, true), (0o755, true)] as [(mode_t, Bool)])
  func wipesOnlyWhereOthersCannotRename(mode: mode_t, isWiped: Bool) throws {
    try makeFolder("place", mode: mode)
    try makeFolder("place/\(name)")
    PrivateFolder.wipeAbandoned(in: Path(path("place")))
    #expect(try names(in: "place").isEmpty == isWiped)
  }

  @Test func wipesItselfAfterItWasMoved() throws {
    let folder = try PrivateFolder()
    let (path, moved) = (folder.path.string, folder.path.string + ".moved")
    try Data("secret".utf8).write(to: URL(filePath: path + "/file"))
    try #require(unsafe rename(path, moved) == 0)
    defer { unsafe rmdir(moved) }
    _ = consume folder
    #expect(try FileManager.default.contentsOfDirectory(atPath: moved) == [])
  }
}
