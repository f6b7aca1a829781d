// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("Path+Replace", .timeLimit(.minutes(20))) struct ReplaceTests {
  let folder: TemporaryFolder
  let path: Path

  init() throws {
    folder = try TemporaryFolder()
    path = Path(folder.path + "/file")
  }

  private func replace(_ path: Path, with text: String, isSecret: Bool = false, namesLate: Bool = true) throws {
    var replacement = Replacement(isSecret: isSecret)
    replacement.namesLate = namesLate
    try unsafe path.replace(with: Array(text.utf8).span.bytes, replacement)
  }

  private func read() throws -> String { String(decoding: try bytes(of: path.string), as: UTF8.self) }

  @Test(arguments: [true, false]) func theContentIsReplacedAndNothingElseIsLeft(namesLate: Bool) throws {
    for text in ["first", "", "a longer third one"] {
      try replace(path, with: text, namesLate: namesLate)
      #expect(try read() == text)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
  }

  @Test func permissionsAreKeptOrForced() throws {
    try replace(path, with: "first", isSecret: true)
    #expect(try folder.mode(of: path.string) == 0o600)
    try folder.setMode(0o640, of: path.string)
    try replace(path, with: "second")
    #expect(try folder.mode(of: path.string) == 0o640)
    try replace(path, with: "third", isSecret: true)
    #expect(try folder.mode(of: path.string) == 0o600)
  }

  /// Nobody is locked out of a file of theirs because root has written it; only root can give files away.
  @Test(.enabled(if: geteuid() == 0)) func ownerAndGroupAreKeptWithThePermissions() throws {
    try replace(path, with: "first")
    try #require(unsafe chown(path.string, 65_534, 65_533) == 0)
    try folder.setMode(0o660, of: path.string)
    try replace(path, with: "second")
    var status = stat()
    try #require(unsafe stat(path.string, &status) == 0)
    #expect(status.st_uid == 65_534 && status.st_gid == 65_533 && status.st_mode & 0o7777 == 0o660)
    // What shows secrets is for whoever wrote it.
    try replace(path, with: "third", isSecret: true)
    try #require(unsafe stat(path.string, &status) == 0)
    #expect(status.st_uid == 0 && status.st_mode & 0o7777 == 0o600)
  }

  @Test func aReaderOfTheOldFileKeepsIt() throws {
    try replace(path, with: "first")
    let old = try #require(FileHandle(forReadingAtPath: path.string))
    try replace(path, with: "second")
    #expect(try old.readToEnd() == Data("first".utf8))
  }

  @Test func linksAreFollowed() throws {
    let deep = try folder.makeFolder("deep")
    let manager = FileManager.default
    try write([1], to: deep + "/real")
    try manager.createSymbolicLink(atPath: folder.path + "/middle", withDestinationPath: "deep/real")
    try manager.createSymbolicLink(atPath: path.string, withDestinationPath: "middle")
    try replace(path, with: "new")
    #expect(try bytes(of: deep + "/real") == Array("new".utf8))
    #expect(try manager.destinationOfSymbolicLink(atPath: path.string) == "middle")
    #expect(try manager.contentsOfDirectory(atPath: deep) == ["real"])
  }

  /// A folder that cannot be opened cannot be synced either: that is found out before anything is replaced.
  @Test func aFolderThatCannotBeReadLeavesTheFileUnchanged() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let place = try folder.makeFolder("place")
      let path = Path(place + "/file")
      try path.replace(with: RawSpan(), Replacement(isSecret: true))
      // Permissions do not hold for root.
      let isRoot = geteuid() == 0
      if isRoot {
        for name in [folder.path, place, path.string] { #expect(unsafe chown(name, 65534, 65534) == 0) }
        let base = (folder.path as NSString).deletingLastPathComponent
        #expect(unsafe chmod(base, 0o755) == 0 && seteuid(65534) == 0)
      }
      try folder.setMode(0o300, of: place)
      let error = try #require(throws: EnvelopeError.self) {
        try unsafe path.replace(with: Array("new".utf8).span.bytes, Replacement(isSecret: true))
      }
      #expect(error.code == .fileFailure)
      #expect(try bytes(of: path.string) == [])
      try folder.setMode(0o700, of: place)
      #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["file"])
      // What is root's is left for root to remove.
      if isRoot { #expect(seteuid(0) == 0) }
    }
  }

  @Test func theLongestNamesAreTaken() throws {
    for name in [String(repeating: "a", count: 255), String(repeating: "鍵", count: 85)] {
      let path = Path(folder.path + "/" + name)
      try replace(path, with: "text")
      #expect(try bytes(of: path.string) == Array("text".utf8))
    }
  }

  @Test func whatCannotBeWrittenIsToldOf() throws {
    _ = try folder.makeFolder("folder")
    for place in ["/none/file", "/folder", "/folder/"] {
      let error = try #require(throws: EnvelopeError.self) { try replace(Path(folder.path + place), with: "text") }
      #expect(error.code == .fileFailure && error.message.contains(place))
    }
  }
}
