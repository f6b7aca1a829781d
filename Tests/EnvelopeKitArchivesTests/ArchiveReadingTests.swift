// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import Foundation
import TestSupport
import Testing

/// Archives that other tools made.
@Suite("SealedArchive: reading", .timeLimit(.minutes(20))) struct ArchiveReadingTests {
  let folder: ArchiveFolder

  init() throws { folder = try ArchiveFolder() }

  /// Has Python make an archive `made.zip` as `z`, with content of a few kinds.
  private func made(_ script: String) async throws -> SealedArchive {
    try folder.runPython(
      """
      import io, random, zipfile
      text = b"".join(b"line %d\\n" % number for number in range(30000))
      noise = random.Random(1).randbytes(200000)
      \(script)
      """)
    return try await folder.open(folder.seal("made.zip"))
  }

  private let text = Array((0..<30000).map { "line \($0)\n" }.joined().utf8)

  @Test(arguments: ["ZIP_STORED", "ZIP_DEFLATED"]) func readsArchiveOfPython(method: String) async throws {
    let archive = try await made(
      """
      with zipfile.ZipFile("made.zip", "w", zipfile.\(method)) as z:
          z.writestr("empty", b"")
          z.writestr("folder/", b"")
          z.writestr("folder/text.txt", text)
          z.writestr("noise", noise)
      open("noise", "wb").write(noise)
      """)
    #expect(archive.entries.map(\.name) == ["empty", "folder/", "folder/text.txt", "noise"])
    #expect(archive.entries.map(\.kind) == [.file, .folder, .file, .file])
    #expect(archive.entries.map(\.byteCount) == [0, 0, text.count, 200_000])
    #expect(try archive.content("empty") == [])
    #expect(try archive.content("folder/text.txt") == text)
    #expect(try archive.content("noise") == bytes(of: folder.path + "/noise"))
  }

  @Test func readsDataDescriptorsOfUnseekableOutput() async throws {
    let archive = try await made(
      """
      class Pipe(io.RawIOBase):
          def __init__(self): self.bytes = b""
          def writable(self): return True
          def write(self, part): self.bytes += bytes(part); return len(part)
      pipe = Pipe()
      with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as z:
          z.writestr("a", text)
          z.writestr("b", b"second")
      open("made.zip", "wb").write(pipe.bytes)
      """)
    #expect(try archive.content("a") == text)
    #expect(try archive.content("b") == Array("second".utf8))
  }

  @Test func readsZip64HeadersAndNamesInUTF8() async throws {
    let archive = try await made(
      """
      with zipfile.ZipFile("made.zip", "w", zipfile.ZIP_DEFLATED) as z:
          with z.open("größe/日本語.txt", "w", force_zip64=True) as entry: entry.write(text)
          z.comment = b"a comment"
      """)
    #expect(try archive.content("größe/日本語.txt") == text)
  }

  @Test func readsZip64DirectoryOfManyEntries() async throws {
    let archive = try await {
      try folder.runPython(
        """
        import zipfile
        with zipfile.ZipFile("many.zip", "w") as z:
            for number in range(65600): z.writestr("%d" % number, b"%d" % number)
        """)
      var limits = SealedArchive.Limits()
      limits.entryCount = 70000
      return try await folder.open(folder.seal("many.zip"), limits: limits)
    }()
    #expect(archive.entries.count == 65600)
    #expect(try archive.content("65599") == Array("65599".utf8))
    await expectError(.archiveTooLarge, saying: "65600 entries") {
      try await folder.open(folder.path + "/many.zip.sealed")
    }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zip")))
  func readsArchiveOfInfoZIP() async throws {
    let path = folder.path
    try FileManager.default.createDirectory(atPath: "\(path)/bin", withIntermediateDirectories: false)
    try Data(text).write(to: URL(filePath: "\(path)/bin/tool"))
    try Data("ü".utf8).write(to: URL(filePath: "\(path)/bin/ünï"))
    unsafe chmod("\(path)/bin/tool", 0o755)
    try folder.run("/usr/bin/zip", "-q", "-r", "made.zip", "bin")
    let archive = try await folder.open(folder.seal("made.zip"))
    #expect(try archive.content("bin/tool") == text)
    #expect(archive.entry(named: "bin/tool")?.isExecutable == true)
    #expect(archive.entry(named: "bin/ünï")?.isExecutable == false)
    #expect(try archive.content("bin/ünï") == Array("ü".utf8))
  }

  @Test func readsArchiveWithoutEntries() async throws {
    let archive = try await folder.archive(Zip())
    #expect(archive.entries.isEmpty)
    await expectError(.archiveEntryMissing) { try archive.read("a") }
  }

  @Test func readsZip64LengthsAndOffset() async throws {
    var entry = Zip.Entry("a")
    var extra: [UInt8] = []
    extra.append(little: UInt16(1))
    extra.append(little: UInt16(24))
    for value in [UInt64(7), 7, 0] { extra.append(little: value) }
    entry.central.extra = extra
    (entry.central.byteCount, entry.central.compressedByteCount, entry.central.offset) = (.max, .max, .max)
    entry.local.extra = extra
    (entry.local.byteCount, entry.local.compressedByteCount) = (.max, .max)
    var zip = Zip(entry)
    zip.zip64 = { _, _ in }
    #expect(try await folder.archive(zip).content("a") == Array("content".utf8))
    (zip.entryCount, zip.directoryByteCount, zip.directoryOffset) = (0xffff, 0xffff_ffff, 0xffff_ffff)
    #expect(try await folder.archive(zip).content("a") == Array("content".utf8))
  }

  @Test(arguments: [true, false], [true, false])
  func readsEveryFormOfDataDescriptor(hasSignature: Bool, isLong: Bool) async throws {
    var entry = Zip.Entry("a")
    entry.both { $0.flags = 8 }
    if hasSignature { entry.trailer.append(little: UInt32(0x0807_4b50)) }
    entry.trailer.append(little: entry.central.checksum)
    for _ in 0..<2 {
      if isLong { entry.trailer.append(little: UInt64(7)) } else { entry.trailer.append(little: UInt32(7)) }
    }
    (entry.local.checksum, entry.local.byteCount, entry.local.compressedByteCount) = (0, 0, 0)
    #expect(try await folder.archive(Zip(entry, Zip.Entry("b"))).content("a") == Array("content".utf8))
  }

  @Test func findsEntriesByTheBytesOfTheirNames() async throws {
    let names = ["a", "a!", "a/b/c", "a-b", "é", "e\u{301}", "b/", "Z", "a/b!"].map { $0 == "a" ? "a/" : $0 }
    let archive = try await folder.archive(
      Zip(
        names.map { name in
          var entry = Zip.Entry(name, name.hasSuffix("/") ? [] : Array(name.utf8))
          if name.hasSuffix("/") { entry.central.attributes = 0o040755 << 16 | 0x10 }
          return entry
        }))
    for name in names where !name.hasSuffix("/") { #expect(try archive.content(name) == Array(name.utf8)) }
    for name in ["", "a/b", "a/b/", "c", "a", "b", "zz", "/", "//"] {
      #expect(archive.entry(named: name) == nil, "\(name)")
      await expectError(.archiveEntryMissing) { try archive.read(name) }
    }
    await expectError(.archiveEntryMissing, saying: "is a folder") { try archive.read("b/") }
  }

  @Test(arguments: [AlgorithmSuite.chaCha20Poly1305]) func manyTasksReadAtOnce(suite: AlgorithmSuite) async throws {
    let archive = try await made(
      """
      with zipfile.ZipFile("made.zip", "w", zipfile.ZIP_DEFLATED) as z:
          for number in range(20): z.writestr("%d" % number, b"%d " % number * 20000)
      """)
    try await withThrowingTaskGroup { group in
      for number in 0..<100 {
        group.addTask {
          let expected = Array("\(number % 20) ".utf8)
          let bytes = try archive.read("\(number % 20)")
          let isRight = bytes.withBytes { bytes in
            (0..<bytes.byteCount).allSatisfy {
              unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == expected[$0 % expected.count]
            }
          }
          #expect(isRight && bytes.byteCount == expected.count * 20_000)
        }
      }
      try await group.waitForAll()
    }
  }
}
