// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import CSystemCalls
import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// What replacing a file keeps, and what it reports as lost.
@Suite("Path+Replace: links and attributes", .timeLimit(.minutes(20))) struct ReplaceLossTests {
  let folder: TemporaryFolder
  let path: Path

  init() throws {
    folder = try TemporaryFolder()
    path = Path(folder.path + "/file")
    try write("old".utf8, to: path.string)
  }

  /// Returns what was reported.
  private func replace(_ path: Path? = nil, with text: String = "new", isSecret: Bool = false, isInPlace: Bool = false)
    throws -> [String]
  {
    var notices: [String] = []
    var replacement = Replacement(isSecret: isSecret) { notices.append($0) }
    replacement.isInPlace = isInPlace
    replacement.inPlaceSetting = "SETTING=1"
    try unsafe (path ?? self.path).replace(with: Array(text.utf8).span.bytes, replacement)
    return notices
  }

  private func read(_ name: String) throws -> String {
    String(decoding: try bytes(of: "\(folder.path)/\(name)"), as: UTF8.self)
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

  // MARK: Hard links

  @Test(arguments: [true, false]) func brokenHardLinkIsReported(isSecret: Bool) throws {
    try FileManager.default.linkItem(atPath: path.string, toPath: folder.path + "/other")
    let notices = try replace(isSecret: isSecret)
    #expect(notices.count == 1 && notices[0].contains("2 names") && notices[0].contains(path.string))
    #expect(notices[0].contains("SETTING=1") == !isSecret)
    #expect(try read("file") == "new" && read("other") == "old")
    // From now on it has one name.
    #expect(try replace(with: "newer") == [])
  }

  @Test func rewritingInPlaceKeepsHardLinks() throws {
    try FileManager.default.linkItem(atPath: path.string, toPath: folder.path + "/other")
    for text in ["a longer text", "x", ""] {
      #expect(try replace(with: text, isInPlace: true) == [])
      #expect(try read("file") == text && read("other") == text)
    }
    #expect(try names() == ["file", "other"])
  }

  @Test func secretsAreNeverRewrittenInPlace() throws {
    try FileManager.default.linkItem(atPath: path.string, toPath: folder.path + "/other")
    #expect(try replace(isSecret: true, isInPlace: true).count == 1)
    #expect(try read("other") == "old")
  }

  @Test func copyOfInterruptedRewriteIsNotOverwritten() throws {
    try write("older".utf8, to: path.string + ".envelope-old")
    let error = try #require(throws: EnvelopeError.self) { _ = try replace(isInPlace: true) }
    #expect(error.code == .fileFailure && error.message.contains(path.string + ".envelope-old"))
    #expect(try read("file") == "old" && read("file.envelope-old") == "older")
  }

  @Test func rewriteThatFailsKeepsCopyOfOldContent() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = Path(folder.path + "/file")
      try write("old".utf8, to: path.string)
      try limitFiles(to: 4)
      var replacement = Replacement(isSecret: false)
      replacement.isInPlace = true
      let error = try #require(throws: EnvelopeError.self) {
        try unsafe path.replace(with: Array("longer".utf8).span.bytes, replacement)
      }
      #expect(error.code == .fileFailure && error.advice.contains(path.string + ".envelope-old"))
      #expect(try bytes(of: path.string + ".envelope-old") == Array("old".utf8))
    }
  }

  // MARK: Attributes

  /// An access control list that lets the user 65534 read.
  private static let list: [UInt8] = [
    2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 254, 255, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
    16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
  ]
  private static let listName = "system.posix_acl_access"

  private func set(_ name: String, _ value: [UInt8]) throws {
    let file = try path.openForReading()
    try #require(
      unsafe value.withUnsafeBytes { unsafe envelope_fsetxattr(file.number, name, $0.baseAddress, $0.count) } == 0)
  }

  private func attribute(_ name: String) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: 4096)
    let count = unsafe value.withUnsafeMutableBytes {
      unsafe envelope_getxattr(path.string, name, $0.baseAddress, $0.count)
    }
    return count < 0 ? nil : Array(value[..<count])
  }

  @Test(arguments: [true, false]) func extendedAttributesAreKept(isSecret: Bool) throws {
    let values = ["user.empty": [], "user.note": Array("text".utf8), "user.long": [UInt8](repeating: 7, count: 1000)]
    for (name, value) in values { try set(name, value) }
    #expect(try replace(isSecret: isSecret) == [])
    for (name, value) in values { #expect(attribute(name) == value) }
    #expect(try read("file") == "new")
  }

  #if os(Linux)
    @Test func accessControlListIsKept() throws {
      try set(Self.listName, Self.list)
      #expect(try replace() == [])
      #expect(attribute(Self.listName) == Self.list)
    }

    @Test func accessControlListDoesNotShareSecrets() throws {
      try set(Self.listName, Self.list)
      #expect(try replace(isSecret: true) == [])
      #expect(attribute(Self.listName) == nil)
      #expect(try folder.mode(of: path.string) == 0o600)
    }
  #endif

  // MARK: Mounts

  @Test(.enabled(if: SmallDisk.isPossible, "Only root can mount a file")) func mountedFileIsRewrittenOnlyIfAsked()
    throws
  {
    let mount = try MountedFile(at: path.string)
    for isSecret in [true, false] {
      let error = try #require(throws: EnvelopeError.self) { _ = try replace(isSecret: isSecret) }
      #expect(error.code == .fileFailure && error.message.contains("mounted by itself"))
      #expect(error.advice.contains("SETTING=1") == !isSecret)
      #expect(try read("file") == "mounted" && names() == ["file"])
    }
    #expect(try replace(isInPlace: true) == [])
    #expect(try bytes(of: mount.source) == Array("new".utf8))
    #expect(try names() == ["file"])
    // A key store is refused, and stays as it is.
    try write(bytes(of: mount.source), to: mount.source)
    try KeyStoreFile(at: folder.path + "/keys").make("default")
    let store = try MountedFile(at: folder.path + "/keys", copying: true)
    let before = try bytes(of: store.source)
    let error = try #require(throws: EnvelopeError.self) { try KeyStoreFile(at: folder.path + "/keys").make("more") }
    #expect(error.message.contains("mounted by itself") && error.advice.contains("Mount the folder"))
    #expect(try bytes(of: store.source) == before)
    #expect(try names() == ["file", "keys"])
  }
}

/// A file that another is mounted over until its owner is gone.
private final class MountedFile {
  private let folder: TemporaryFolder
  private let place: String
  var source: String { folder.path + "/source" }

  init(at place: String, copying: Bool = false) throws {
    folder = try TemporaryFolder()
    self.place = place
    try write(copying ? bytes(of: place) : Array("mounted".utf8), to: folder.path + "/source")
    try folder.setMode(0o600, of: folder.path + "/source")
    try SmallDisk.run("mount", "--bind", folder.path + "/source", place)
  }

  deinit { try? SmallDisk.run("umount", place) }
}
