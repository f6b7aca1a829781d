// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// What extraction leaves on the disk: everything, or nothing under the name.
@Suite("SealedArchive: extraction", .timeLimit(.minutes(20))) struct ExtractionTests {
  let folder: ArchiveFolder
  var target: String { folder.path + "/extracted" }

  init() throws { folder = try ArchiveFolder() }

  private let zip: Zip = {
    var tool = Zip.Entry("bin/tool")
    tool.central.attributes = 0o104755 << 16
    var open = Zip.Entry("open")
    open.central.attributes = 0o102666 << 16
    var empty = Zip.Entry("empty/", [])
    empty.central.attributes = 0o041777 << 16
    return Zip(open, tool, Zip.Entry("bin/deep/er/file"), Zip.Entry("bin.txt"), empty)
  }()

  private func mode(_ name: String) throws -> mode_t {
    var status = stat()
    try #require(unsafe lstat("\(target)/\(name)", &status) == 0)
    return mode_t(status.st_mode)
  }

  @Test func extractsAll() async throws {
    try await folder.archive(zip).extract(to: target)
    #expect(try folder.names(in: "extracted") == ["bin", "bin.txt", "empty", "open"])
    for name in ["open", "bin/tool", "bin/deep/er/file", "bin.txt"] {
      #expect(try bytes(of: "\(target)/\(name)") == Array("content".utf8))
    }
    let mask = umask(0)
    umask(mask)
    // Neither bits that give away another user's rights nor those that let others write.
    #expect(try mode("bin/tool") == S_IFREG | 0o755 & ~mask)
    #expect(try mode("open") == S_IFREG | 0o644 & ~mask)
    #expect(try mode("empty") == S_IFDIR | 0o755 & ~mask)
    // Others cannot reach any of it.
    #expect(try mode("") == S_IFDIR | 0o700)
  }

  /// Each name of many can have a hundred folders of its own.
  @Test func boundsTheFoldersItCreates() async throws {
    var bomb = Zip((0..<100).map { Zip.Entry("\($0)" + String(repeating: "/a", count: 90)) })
    bomb.entries.append(Zip.Entry("0/a/a/b"))
    var limits = SealedArchive.Limits()
    for (count, isAllowed) in [(9_000, true), (8_999, false), (1, false)] {
      limits.folderCount = count
      let limited = try await folder.archive(bomb, limits: limits)
      if isAllowed {
        try limited.extract(to: target)
        try FileManager.default.removeItem(atPath: target)
      } else {
        await expectError(.archiveTooLarge, saying: "folders") { try limited.extract(to: target) }
        #expect(try folder.names().allSatisfy { !$0.contains("extracted") })
      }
    }
  }

  @Test func extractsNamedFilesAndFolders() async throws {
    let archive = try await folder.archive(zip)
    for (names, expected) in [
      (["bin.txt"], ["bin.txt"]), (["bin"], ["bin"]), (["bin/"], ["bin"]), (["bin", "bin/tool", "bin"], ["bin"]),
      (["empty", "open"], ["empty", "open"]), (["empty/"], ["empty"]), ([], []),
    ] {
      try archive.extract(names, to: target)
      #expect(try folder.names(in: "extracted") == expected)
      try FileManager.default.removeItem(atPath: target)
    }
    for name in ["", "bi", "bin.txt/", "bin/toolx", "..", "/", "bin//tool", "open/"] {
      await expectError(.archiveEntryMissing, at: name) { try archive.extract(["open", name], to: target) }
    }
    #expect(try folder.names().allSatisfy { !$0.contains("extracted") })
  }

  @Test func replacesEmptyFolderAndKeepsItsPermissions() async throws {
    try FileManager.default.createDirectory(
      atPath: target, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o750])
    try await folder.archive(zip).extract(to: target + "/")
    #expect(try folder.names(in: "extracted").count == 4)
    #expect(try mode("") == S_IFDIR | 0o750)
  }

  @Test func refusesPlaceWhereThereIsSomething() async throws {
    let archive = try await folder.archive(zip)
    try archive.extract(to: target)
    await expectError(.fileFailure, saying: "not empty") { try archive.extract(to: target) }
    try Data().write(to: URL(filePath: folder.path + "/file"))
    for place in ["file", "file/x", "nowhere/x", "."] {
      await expectError(.fileFailure, at: place) { try archive.extract(to: "\(folder.path)/\(place)") }
    }
    for place in ["", "..", "/"] { await expectError(.fileFailure, at: place) { try archive.extract(to: place) } }
    #expect(try folder.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test func leavesNothingIfOneEntryIsRefused() async throws {
    var zip = self.zip
    zip.entries[3].data[0] ^= 1
    let archive = try await folder.archive(zip)
    await expectError(.archiveMalformed, saying: "checksum") { try archive.extract(to: target) }
    #expect(try folder.names().allSatisfy { !$0.contains("extracted") })
    // The others can be had by name.
    try archive.extract(["bin", "open"], to: target)
    #expect(try folder.names(in: "extracted") == ["bin", "open"])
  }

  @Test func removesWhatAKilledProcessLeft() async throws {
    let archive = try await folder.archive(zip)
    let (mark, other) = ("AAAAAAAAAAAA", "BBBBBBBBBBBB")
    let outside = folder.path + "/outside"
    let manager = FileManager.default
    for path in [
      outside, "\(folder.path)/.extracted.\(mark).new/deep/er", "\(folder.path)/.extracted.\(other).new",
      "\(folder.path)/.another.\(mark).new", "\(folder.path)/.extracted.short.new",
    ] { try manager.createDirectory(atPath: path, withIntermediateDirectories: true) }
    try Data("x".utf8).write(to: URL(filePath: outside + "/kept"))
    try manager.createSymbolicLink(
      atPath: "\(folder.path)/.extracted.\(mark).new/link", withDestinationPath: outside)
    try manager.createSymbolicLink(
      atPath: "\(folder.path)/.extracted.CCCCCCCCCCCC.new", withDestinationPath: outside)
    // This one is being filled by another process.
    let held = Descriptor(unsafe open("\(folder.path)/.extracted.\(other).new", O_RDONLY | O_DIRECTORY))
    #expect(held.attemptLock() == true)
    var notices: [String] = []
    try archive.extract(nil, to: target) { notices.append($0) }
    #expect(notices.count == 1 && notices[0].contains(".extracted.\(mark).new"))
    #expect(
      try folder.names().filter { $0.hasPrefix(".") } == [
        ".another.\(mark).new", ".extracted.\(other).new", ".extracted.CCCCCCCCCCCC.new", ".extracted.short.new",
      ])
    #expect(try folder.names(in: "outside") == ["kept"])
  }
}
