// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import Testing

/// Entries whose content, local header or lengths are not what the directory says; links and bombs.
@Suite("SealedArchive: lying entries", .timeLimit(.minutes(20))) struct LyingEntryTests {
  let folder: ArchiveFolder

  init() throws { folder = try ArchiveFolder() }

  /// Expects that the first entry is refused when it is read, also piece by piece, and that the other can be read.
  private func expectRefusal(
    _ code: EnvelopeError.Code = .archiveMalformed, saying fault: String, of entry: Zip.Entry, at index: Int = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let archive = try await folder.archive(Zip(entry, Zip.Entry("other")))
    let name = archive.entries[0].name
    await expectError(code, saying: fault, at: "\(index)", sourceLocation: sourceLocation) { try archive.read(name) }
    await expectError(code, saying: fault, at: "\(index)", sourceLocation: sourceLocation) {
      try archive.read(name) { _ in }
    }
    await expectError(code, saying: fault, at: "\(index)", sourceLocation: sourceLocation) {
      try archive.extract(to: folder.path + "/extracted")
    }
    #expect(try folder.names().allSatisfy { !$0.contains("extracted") }, sourceLocation: sourceLocation)
    #expect(try archive.content("other") == Array("content".utf8), sourceLocation: sourceLocation)
  }

  typealias Change = @Sendable (inout Zip.Entry) -> Void

  static let headers: [(String, Change)] = [
    ("differs", { $0.local.signature = 0x0403_4b51 }),
    ("differs", { $0.local.name = Array("b".utf8) }),
    ("differs", { $0.local.name = Array("../../a".utf8) }),
    // As long as the directory's together.
    ("differs", { ($0.local.name, $0.local.extra) = ([], [0]) }),
    ("differs", { $0.local.name = Array("A".utf8) }),
    ("differs", { $0.local.nameByteCount = 0xffff }),
    ("overlaps", { $0.local.extraByteCount = 0xffff }),
    ("overlaps", { $0.local.extraByteCount = 1 }),
    ("differs", { $0.local.method = 8 }),
    ("differs", { $0.local.flags = 1 }),
    ("differs", { $0.local.flags = 1 << 6 }),
    ("differs", { $0.local.flags = 1 << 11 }),
    ("differs", { $0.local.flags = 1 << 13 }),
    ("differs", { $0.local.checksum ^= 1 }),
    ("differs", { $0.local.byteCount = 8 }),
    ("differs", { $0.local.compressedByteCount = 6 }),
    ("differs", { $0.local.compressedByteCount = 0 }),
    ("Zip64", { $0.local.byteCount = .max }),
    (
      "Zip64",
      {
        $0.local.byteCount = .max; $0.local.extra = [1, 0, 0, 0]
      }
    ),
    (
      "differs",
      {
        $0.local.byteCount = .max; $0.local.extra = [1, 0, 8, 0, 8, 0, 0, 0, 0, 0, 0, 0]
      }
    ),
    ("longer than it says", { $0.local.extra = [9, 9, 9, 0] }),
    // A data descriptor that is missing, or says something else.
    ("what follows", { $0.both { $0.flags = 8 } }),
    (
      "what follows",
      {
        $0.local.flags = 8; $0.trailer = Array(repeating: 0, count: 16)
      }
    ),
    (
      "what follows",
      {
        $0.local.flags = 8; $0.trailer.append(little: UInt32(0x0807_4b50));
        $0.trailer.append(little: $0.central.checksum); $0.trailer.append(little: UInt32(7));
        $0.trailer.append(little: UInt32(8))
      }
    ),
    (
      "what follows",
      {
        $0.local.flags = 8; $0.trailer.append(little: $0.central.checksum); $0.trailer.append(little: UInt32(6));
        $0.trailer.append(little: UInt32(7))
      }
    ),
    (
      "differs",
      {
        $0.local.flags = 8; $0.local.checksum ^= 1; $0.trailer = Array(repeating: 0, count: 16)
      }
    ),
  ]

  @Test(arguments: headers.indices) func refusesLocalHeader(index: Int) async throws {
    var entry = Zip.Entry("a")
    Self.headers[index].1(&entry)
    try await expectRefusal(saying: Self.headers[index].0, of: entry, at: index)
  }

  static let content = Array("some content to compress".utf8)
  static let contents: [(String, Change)] = [
    ("checksum", { $0.both { $0.checksum ^= 1 } }),
    ("checksum", { $0.both { $0.checksum = 0 } }),
    ("longer than it says", { $0.both { $0.byteCount -= 1 } }),
    // The checksum of the beginning, for readers that stop at the stated length.
    (
      "longer than it says",
      {
        $0.both {
          $0.byteCount = 4; $0.checksum = Zip.checksum(Array(content[..<4]))
        }
      }
    ),
    (
      "longer than it says",
      {
        $0.both {
          $0.byteCount = 0; $0.checksum = 0
        }
      }
    ),
    ("is shorter than it says", { $0.both { $0.byteCount += 1 } }),
    ("is shorter than it says", { $0.both { $0.byteCount = 1 << 20 } }),
    ("shorter or longer", { $0.compress(as: $0.data + [0]) }),
    ("shorter or longer", { $0.compress(as: $0.data + $0.data) }),
    ("shorter or longer", { $0.compress(as: $0.data.dropLast()) }),
    ("shorter or longer", { $0.compress(as: []) }),
    ("damaged", { $0.data[0] = 7 }),
    ("damaged", { $0.data[1] ^= 1 }),
    ("shorter or longer", { $0.data[0] = 0 }),
    ("checksum", { $0.data[7] ^= 1 }),
  ]

  @Test(arguments: contents.indices) func refusesContent(index: Int) async throws {
    var entry = Zip.Entry("a", Self.content)
    entry.compress(as: Zip.deflated(Self.content))
    Self.contents[index].1(&entry)
    try await expectRefusal(saying: Self.contents[index].0, of: entry, at: index)
  }

  @Test func refusesStoredContentOfOtherChecksum() async throws {
    var entry = Zip.Entry("a")
    entry.data[0] ^= 1
    try await expectRefusal(saying: "checksum", of: entry)
  }

  @Test func acceptsDeflatedContentOfManyBlocks() async throws {
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }
    var entry = Zip.Entry("a", content)
    entry.compress(as: Zip.deflated(content))
    #expect(try await folder.archive(Zip(Zip.Entry("b"), entry)).content("a") == content)
  }

  static let kinds: [(String, Change)] = [
    ("symbolic link", { $0.central.attributes = 0o120777 << 16 }),
    // Whatever host the archive says it is of.
    (
      "symbolic link",
      {
        $0.central.attributes = 0o120777 << 16; $0.central.madeBy = 0
      }
    ),
    ("special file", { $0.central.attributes = 0o010644 << 16 }),
    ("special file", { $0.central.attributes = 0o020644 << 16 }),
    ("special file", { $0.central.attributes = 0o060644 << 16 }),
    ("special file", { $0.central.attributes = 0o140644 << 16 }),
    ("special file", { $0.central.attributes = 0o170000 << 16 }),
    ("encrypted", { $0.both { $0.flags = 1 } }),
    ("encrypted", { $0.both { $0.flags = 1 << 6 } }),
    ("encrypted", { $0.both { $0.flags = 1 << 13 } }),
    ("encrypted", { $0.both { $0.flags = 1 << 5 } }),
    (
      "encrypted",
      {
        $0.both {
          $0.flags = 1; $0.method = 99
        }
      }
    ),
    ("method 12", { $0.both { $0.method = 12 } }),
    ("method 9", { $0.both { $0.method = 9 } }),
    ("method 93", { $0.both { $0.method = 93 } }),
    ("method 65535", { $0.both { $0.method = 65535 } }),
  ]

  @Test(arguments: kinds.indices) func refusesKindOfEntry(index: Int) async throws {
    var entry = Zip.Entry("a")
    Self.kinds[index].1(&entry)
    try await expectRefusal(.archiveEntryUnsupported, saying: Self.kinds[index].0, of: entry, at: index)
  }

  // MARK: Bombs

  /// Two files, of 3 MiB in 15 KB and of 1 MiB in 1 KB.
  private func bombs(_ limits: SealedArchive.Limits = SealedArchive.Limits()) async throws -> SealedArchive {
    try folder.runPython(
      """
      import random, zipfile
      with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
          z.writestr("high", bytes(3 << 20))
          z.writestr("small", bytes(1 << 20))
          z.writestr("text", b"0123456789abcdef" * (1 << 16))
      """)
    return try await folder.open(folder.seal("bomb.zip"), limits: limits)
  }

  @Test func boundsCompressionRatio() async throws {
    let archive = try await bombs()
    await expectError(.archiveTooLarge, saying: "ratio of 200") { try archive.read("high") }
    await expectError(.archiveTooLarge, saying: "ratio of 200") { try archive.read("high") { _ in } }
    await expectError(.archiveTooLarge, saying: "ratio of 200") { try archive.extract(to: folder.path + "/extracted") }
    #expect(try folder.names().allSatisfy { !$0.contains("extracted") })
    #expect(try archive.read("small").byteCount == 1 << 20)
    var limits = SealedArchive.Limits()
    limits.compressionRatio = 1100
    #expect(try await bombs(limits).read("high").byteCount == 3 << 20)
  }

  @Test func boundsLengthOfRead() async throws {
    let archive = try await bombs()
    #expect(try archive.read("small", limit: 1 << 20).byteCount == 1 << 20)
    await expectError(.archiveTooLarge, saying: "1048576 bytes, more than 1048575") {
      try archive.read("small", limit: 1 << 20 - 1)
    }
    await expectError(.archiveTooLarge) { try archive.read("small", limit: -1) }
  }

  @Test func boundsExtraction() async throws {
    var limits = SealedArchive.Limits()
    limits.extractedByteCount = 2 << 20
    let archive = try await bombs(limits)
    try archive.extract(["small", "text"], to: folder.path + "/two")
    limits.extractedByteCount -= 1
    let other = try await bombs(limits)
    await expectError(.archiveTooLarge, saying: "in all") {
      try other.extract(["small", "text"], to: folder.path + "/extracted")
    }
    #expect(try folder.names().allSatisfy { !$0.contains("extracted") })
  }

  @Test func boundsClaimedLengths() async throws {
    // Lengths that no content in the archive can have, of which the sum overflows.
    let entries = (0..<3).map { number in
      var entry = Zip.Entry("\(number)", Self.content)
      entry.compress(as: Zip.deflated(Self.content))
      entry.central.byteCount = .max
      entry.central.extra = [1, 0, 8, 0] + Array(repeating: 0xff, count: 7) + [0x7f]
      return entry
    }
    var limits = SealedArchive.Limits()
    limits.compressionRatio = .max
    let archive = try await folder.archive(Zip(entries), limits: limits)
    await expectError(.archiveTooLarge) { try archive.read("0") }
    await expectError(.archiveMalformed) { try archive.read("0") { _ in } }
    await expectError(.archiveTooLarge) { try archive.extract(to: folder.path + "/extracted") }
  }
}
