// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitArchives
import Testing

/// Archives whose records contradict each other, lie outside, or overlap.
@Suite("SealedArchive: hostile directories", .timeLimit(.minutes(20))) struct HostileDirectoryTests {
  let folder: ArchiveFolder
  let zip = Zip(Zip.Entry("a"), Zip.Entry("b"))

  init() throws { folder = try ArchiveFolder() }

  typealias Change = @Sendable (inout Zip) -> Void

  static let directories: [(String, Change)] = [
    ("fewer or more", { $0.entryCount = 1 }),
    ("fewer or more", { $0.entryCount = 0 }),
    (
      "too early",
      {
        $0.entryCount = 3; $0.entries[1].central.comment = Array(repeating: 0, count: 46)
      }
    ),
    ("too short", { $0.entryCount = 3 }),
    ("too short", { $0.entryCount = 0xffff }),
    ("several parts", { $0.disk = 1 }),
    ("several parts", { $0.directoryDisk = 1 }),
    ("several parts", { $0.entryCountOfDisk = 1 }),
    ("several parts", { $0.entryCountOfDisk = 3 }),
    ("not where it says", { $0.directoryOffset = 0 }),
    ("not where it says", { $0.directoryOffset = 1 << 20 }),
    ("not where it says", { $0.directoryOffset = 0xffff_ffff }),
    ("not where it says", { $0.directoryByteCount = 0 }),
    ("not where it says", { $0.directoryByteCount = 0xffff_ffff }),
    ("not where it says", { $0.directoryByteCount = 93 }),
    (
      "not where it says",
      {
        $0.directoryOffset = 0xffff_fff0; $0.directoryByteCount = 0x30
      }
    ),
    (
      "not where it says",
      {
        $0.prefix = Array("#!/bin/sh\n".utf8); $0.directoryOffset = 88 - 10
      }
    ),
    ("not where it says", { $0.beforeEnd = [0] }),
    ("comment", { $0.commentByteCount = 1 }),
    (
      "comment",
      {
        $0.comment = [1, 2, 3]; $0.commentByteCount = 2
      }
    ),
    (
      "comment",
      {
        $0.comment = [1, 2, 3]; $0.commentByteCount = 0
      }
    ),
    ("too early", { $0.comment = Array("PK\u{5}\u{6}".utf8) }),
    ("comment", { $0.comment = Array("PK\u{5}\u{6}".utf8) + Array(repeating: 0xff, count: 18) }),
    // A second end record in the comment, of an archive without entries.
    ("not where it says", { $0.comment = Zip().bytes }),
    ("fewer", { $0.entries[1].central.signature = 0x0201_4b51 }),
    ("fewer", { $0.entries[0].central.signature = 0x0403_4b50 }),
    (
      "more",
      {
        $0.entries.append($0.entries[1]); $0.entryCount = 2
      }
    ),
  ]

  @Test(arguments: directories.indices) func refusesDirectory(index: Int) async throws {
    let (fault, change) = Self.directories[index]
    var zip = zip
    change(&zip)
    if fault == "fewer or more" {
      await expectError(.archiveMalformed, saying: "directory has more", at: "\(index)") {
        try await folder.archive(zip)
      }
    } else {
      await expectError(.archiveMalformed, saying: fault, at: "\(index)") { try await folder.archive(zip) }
    }
  }

  static let zip64s: [(String, @Sendable (inout [UInt8], inout [UInt8]) -> Void)] = [
    ("several parts", { $1.set(UInt32(1), at: 4) }),
    ("several parts", { $1.set(UInt32(2), at: 16) }),
    ("several parts", { $1.set(UInt32(0), at: 16) }),
    ("not where it says", { $1.set(UInt64.max, at: 8) }),
    ("not where it says", { $1.set(UInt64(1) << 40, at: 8) }),
    ("not where it says", { $1.set(UInt64(Int.max), at: 8) }),
    ("contradicts", { $1.set(UInt64(0), at: 8) }),
    ("contradicts", { record, _ in record.set(UInt32(0x0606_4b51), at: 0) }),
    ("contradicts", { record, _ in record.set(UInt64(45), at: 4) }),
    ("contradicts", { record, _ in record.set(UInt64.max, at: 4) }),
    ("contradicts", { record, _ in record.set(UInt32(1), at: 16) }),
    ("contradicts", { record, _ in record.set(UInt32(1), at: 20) }),
    ("contradicts", { record, _ in record.set(UInt64(3), at: 24) }),
    ("contradicts", { record, _ in record.set(UInt64(3), at: 32) }),
    ("contradicts", { record, _ in record.set(UInt64(1), at: 40) }),
    ("contradicts", { record, _ in record.set(UInt64.max, at: 48) }),
  ]

  @Test(arguments: zip64s.indices) func refusesZip64Record(index: Int) async throws {
    var zip = zip
    zip.zip64 = Self.zip64s[index].1
    await expectError(.archiveMalformed, saying: Self.zip64s[index].0, at: "\(index)") { try await folder.archive(zip) }
  }

  static let longZip64s: [(EnvelopeError.Code, @Sendable (inout [UInt8]) -> Void)] = [
    (
      .archiveTooLarge,
      {
        $0.set(UInt64.max, at: 24); $0.set(UInt64.max, at: 32)
      }
    ),
    (
      .archiveTooLarge,
      {
        $0.set(UInt64(65537), at: 24); $0.set(UInt64(65537), at: 32)
      }
    ),
    (
      .archiveMalformed,
      {
        $0.set(UInt64(65536), at: 24); $0.set(UInt64(65536), at: 32)
      }
    ),
    (.archiveMalformed, { $0.set(UInt64.max, at: 40) }),
    (.archiveMalformed, { $0.set(UInt64.max, at: 48) }),
    (
      .archiveMalformed,
      {
        $0.set(UInt64.max - 10, at: 48); $0.set(UInt64(200), at: 40)
      }
    ),
    (
      .archiveMalformed,
      {
        $0.set(UInt64(Int.max), at: 48); $0.set(UInt64(Int.max), at: 40)
      }
    ),
  ]

  @Test(arguments: longZip64s.indices) func refusesZip64Values(index: Int) async throws {
    var zip = zip
    (zip.entryCount, zip.directoryByteCount, zip.directoryOffset) = (0xffff, 0xffff_ffff, 0xffff_ffff)
    zip.zip64 = { record, _ in Self.longZip64s[index].1(&record) }
    await expectError(Self.longZip64s[index].0, at: "\(index)") { try await folder.archive(zip) }
  }

  @Test func refusesEveryTruncation() async throws {
    let bytes = zip.bytes
    for count in 0..<bytes.count {
      await expectError(.archiveMalformed, at: "\(count)") { try await folder.archive(Array(bytes[..<count])) }
    }
    #expect(try await folder.archive(bytes).entries.count == 2)
    await expectError(.archiveMalformed) { try await folder.archive(bytes + [0]) }
    await expectError(.archiveMalformed) { try await folder.archive([0] + bytes) }
  }

  @Test func refusesBytesThatAreNoArchive() async throws {
    for bytes in [[], [0x50, 0x4b, 5, 6], Array(repeating: 0x50, count: 200_000), Array("PK\u{5}\u{6}".utf8)] {
      await expectError(.archiveMalformed) { try await folder.archive(bytes as [UInt8]) }
    }
  }

  static let entries: [(String, Change)] = [
    ("another part", { $0.entries[0].central.disk = 1 }),
    ("outside", { $0.entries[0].central.offset = 1 << 30 }),
    ("overlaps", { $0.entries[0].central.offset = 38 }),
    ("overlaps", { $0.entries[1].central.offset = 0 }),
    ("overlaps", { $0.entries[1].central.offset = 10 }),
    ("overlaps", { $0.entries[1].central.offset = 75 }),
    (
      "outside",
      {
        $0.entries[1].both {
          $0.compressedByteCount = 1 << 30; $0.byteCount = 1 << 30
        }
      }
    ),
    (
      "overlaps",
      {
        $0.entries[1].both {
          $0.compressedByteCount = 8; $0.byteCount = 8
        }
      }
    ),
    (
      "overlaps",
      {
        $0.entries[0].both {
          $0.compressedByteCount = 8; $0.byteCount = 8
        }
      }
    ),
    // Two entries of one content, as in bombs that overlap.
    (
      "overlaps",
      {
        $0.entries[1].isCentralAlone = true; $0.entries[1].central.offset = 0
      }
    ),
    (
      "overlaps",
      {
        $0.entries[0].central.offset = 0;
        $0.entries[0].both {
          $0.compressedByteCount = 45; $0.byteCount = 45
        }
      }
    ),
    ("stored in fewer or more", { $0.entries[0].central.byteCount = 8 }),
    ("stored in fewer or more", { $0.entries[0].central.byteCount = 0 }),
    (
      "has content",
      {
        $0.entries[0].both { $0.name = Array("a/".utf8) }; $0.entries[0].central.attributes = 0o040755 << 16
      }
    ),
    (
      "has content",
      {
        $0.entries[0].both { $0.name = Array("a/".utf8) }; $0.entries[0].central.attributes = 0
      }
    ),
    ("folder by its name", { $0.entries[0].central.attributes = 0o040755 << 16 }),
    ("folder by its name", { $0.entries[0].central.attributes = 0x10 }),
    ("folder by its name", { $0.entries[0].both { $0.name = Array("a/".utf8) } }),
    ("longer than it says", { $0.entries[0].central.extra = [9, 9, 1, 0] }),
    ("longer than it says", { $0.entries[0].central.extra = [1, 0, 0xff, 0xff] }),
    ("too early", { $0.entries[1].central.nameByteCount = 0xffff }),
    ("too early", { $0.entries[1].central.extraByteCount = 0xffff }),
    ("Zip64", { $0.entries[0].central.byteCount = .max }),
    ("Zip64", { $0.entries[0].central.offset = .max }),
    (
      "Zip64",
      {
        $0.entries[0].central.byteCount = .max;
        $0.entries[0].central.extra = [1, 0, 7, 0] + Array(repeating: 0, count: 7)
      }
    ),
    (
      "Zip64",
      {
        $0.entries[0].central.byteCount = .max; $0.entries[0].central.compressedByteCount = .max;
        $0.entries[0].central.extra = [1, 0, 8, 0] + Array(repeating: 0, count: 8)
      }
    ),
    (
      "Zip64",
      {
        let extra: [UInt8] = [1, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0]; $0.entries[0].central.byteCount = .max;
        $0.entries[0].central.extra = extra + extra
      }
    ),
    (
      "outside",
      {
        $0.entries[0].central.byteCount = .max;
        $0.entries[0].central.extra = [1, 0, 8, 0] + Array(repeating: 0xff, count: 8)
      }
    ),
    (
      "outside",
      {
        $0.entries[0].central.compressedByteCount = .max;
        $0.entries[0].central.extra = [1, 0, 8, 0] + Array(repeating: 0xff, count: 7) + [0x7f]
      }
    ),
    (
      "outside",
      {
        $0.entries[0].central.offset = .max;
        $0.entries[0].central.extra = [1, 0, 8, 0] + Array(repeating: 0xff, count: 7) + [0x7f]
      }
    ),
  ]

  @Test(arguments: entries.indices) func refusesEntry(index: Int) async throws {
    var zip = zip
    Self.entries[index].1(&zip)
    await expectError(.archiveMalformed, saying: Self.entries[index].0, at: "\(index)") {
      try await folder.archive(zip)
    }
  }

  @Test func boundsDirectory() async throws {
    var limits = SealedArchive.Limits()
    limits.entryCount = 1
    await expectError(.archiveTooLarge, saying: "2 entries, more than 1") {
      try await folder.archive(zip, limits: limits)
    }
    limits.entryCount = 2
    limits.directoryByteCount = 2 * 47
    #expect(try await folder.archive(zip, limits: limits).entries.count == 2)
    limits.directoryByteCount -= 1
    await expectError(.archiveTooLarge, saying: "directory") { try await folder.archive(zip, limits: limits) }
  }
}
