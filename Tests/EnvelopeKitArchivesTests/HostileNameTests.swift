// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import Testing

/// Names with which an attacker leaves the folder, or hides one entry behind another.
@Suite("SealedArchive: hostile names", .timeLimit(.minutes(20))) struct HostileNameTests {
  let folder: ArchiveFolder

  init() throws { folder = try ArchiveFolder() }

  @Test(arguments: [
    ("", "empty"), ("/etc/passwd", "absolute"), ("//host/share", "absolute"), ("..", "stands for a folder"),
    ("../x", "stands for a folder"), ("a/../../x", "stands for a folder"), ("a/..", "stands for a folder"),
    ("a/../", "stands for a folder"), (".", "stands for a folder"), ("./a", "stands for a folder"),
    ("a/./b", "stands for a folder"), ("a//b", "empty part"), ("a//", "empty part"), ("a\\b", "backslash"),
    ("..\\x", "backslash"), ("C:/x", "drive"), ("c:x", "drive"), ("C:", "drive"), ("a\0b", "NUL"), ("a\0", "NUL"),
    ("\0", "NUL"), ("/", "absolute"), ("../", "stands for a folder"), ("a/b/../../../c", "stands for a folder"),
  ])
  func refusesName(name: String, fault: String) async throws {
    var entry = Zip.Entry(name)
    if name.hasSuffix("/") { entry = Zip.Entry(name, []) }
    if name.hasSuffix("/") { entry.central.attributes = 0o040755 << 16 }
    await expectError(.archiveMalformed, saying: fault, at: name) {
      try await folder.archive(Zip(Zip.Entry("good"), entry))
    }
  }

  @Test(arguments: [[0xff], [0x61, 0xc3], [0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x61], [0xed, 0xa0, 0x80], [0x82, 0x61]])
  func refusesNameThatIsNotUTF8(name: [UInt8]) async throws {
    await expectError(.archiveMalformed, saying: "not UTF-8") { try await folder.archive(Zip(Zip.Entry(name))) }
  }

  @Test func showsControlCharactersEscaped() async throws {
    let name = "a\u{1b}[2Jb\nc\u{202e}"
    let archive = try await folder.archive(Zip(Zip.Entry(name)))
    #expect(try archive.content(name) == Array("content".utf8))
    await expectError(.archiveEntryMissing, saying: "\\u{1b}[2Jb\\u{a}c\\u{202e}") { try archive.read(name + "x") }
  }

  @Test(arguments: [
    ["a", "a"], ["b", "a", "c", "a"], ["a", "a/"], ["a/", "a/"], ["a", "a/b"], ["x/a/b", "x/a"], ["a/b/c/d", "a"],
    ["a", "a!", "a-", "a/b"],
  ])
  func refusesTwoEntriesInOnePlace(names: [String]) async throws {
    let entries = names.map { name in
      var entry = Zip.Entry(name, name.hasSuffix("/") ? [] : [1])
      if name.hasSuffix("/") { entry.central.attributes = 0o040755 << 16 }
      return entry
    }
    await expectError(.archiveMalformed, at: "\(names)") { try await folder.archive(Zip(entries)) }
    await expectError(.archiveMalformed, at: "\(names)") { try await folder.archive(Zip(entries.reversed())) }
  }

  @Test func refusesFileBelowLink() async throws {
    var link = Zip.Entry("a", Array("/etc".utf8))
    link.central.attributes = 0o120777 << 16
    await expectError(.archiveMalformed, saying: "no folder") {
      try await folder.archive(Zip(link, Zip.Entry("a/passwd")))
    }
  }

  @Test func acceptsNeighboursOfNames() async throws {
    let names = ["a", "a!", "a.b", "ab", "..a", "a..", "...", "a b", "-rf", "~", "con", ":", "1:", "é"]
    let archive = try await folder.archive(Zip(names.map { Zip.Entry($0) }))
    for name in names { #expect(try archive.content(name) == Array("content".utf8)) }
  }

  @Test func refusesOtherNameInUnicodePath() async throws {
    for (other, isRefused) in [("a", false), ("b", true), ("../a", true), ("", true)] {
      var entry = Zip.Entry("a")
      var extra: [UInt8] = []
      extra.append(little: UInt16(0x7075))
      extra.append(little: UInt16(5 + other.utf8.count))
      extra += [1, 0, 0, 0, 0] + Array(other.utf8)
      entry.central.extra = extra
      if isRefused {
        await expectError(.archiveMalformed, saying: "another name") { try await folder.archive(Zip(entry)) }
      } else {
        #expect(try await folder.archive(Zip(entry)).content("a").count == 7)
      }
      entry.central.extra = []
      entry.local.extra = extra
      if isRefused {
        let archive = try await folder.archive(Zip(entry))
        await expectError(.archiveMalformed, saying: "differs") { try archive.read("a") }
      }
    }
  }

  @Test func refusesLongAndDeepNames() async throws {
    let limits = SealedArchive.Limits()
    let long = String(repeating: "n", count: limits.nameByteCount)
    #expect(try await folder.archive(Zip(Zip.Entry(long))).content(long).count == 7)
    await expectError(.archiveTooLarge, saying: "1025 bytes") { try await folder.archive(Zip(Zip.Entry(long + "n"))) }
    let deep = Array(repeating: "d", count: limits.partCount).joined(separator: "/")
    #expect(try await folder.archive(Zip(Zip.Entry(deep))).content(deep).count == 7)
    await expectError(.archiveTooLarge, saying: "parts") { try await folder.archive(Zip(Zip.Entry(deep + "/d"))) }
  }
}
