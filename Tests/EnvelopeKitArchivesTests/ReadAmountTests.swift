// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@testable import EnvelopeKitArchives

/// How much of a sealed archive is read for its directory, and for one entry.
@Suite("SealedArchive: bytes read", .timeLimit(.minutes(20))) struct ReadAmountTests {
  let folder: ArchiveFolder

  init() throws { folder = try ArchiveFolder() }

  /// 200 MiB: files of 1 MiB, and one of 10 KiB in the middle, stored or deflated.
  private func large() async throws -> String {
    try folder.runPython(
      """
      import random, zipfile
      block = random.Random(1).randbytes(1 << 20)
      with zipfile.ZipFile("large.zip", "w") as z:
          for number in range(200):
              z.writestr("block/%d" % number, block)
              if number == 100: z.writestr("small/stored", block[:10240])
              if number == 150: z.writestr("small/deflated", block[:10240], zipfile.ZIP_DEFLATED)
      open("expected", "wb").write(block[:10240])
      """)
    let sealed = try await folder.seal("large.zip")
    try FileManager.default.removeItem(atPath: folder.path + "/large.zip")
    return sealed
  }

  /// Changes a byte in every chunk but some.
  private func alterChunks(of path: String, butThose isKept: (Int) -> Bool) throws -> Int {
    let header = try SealedFile.header(of: path).bytes.count
    let file = unsafe open(path, O_RDWR)
    try #require(file >= 0)
    defer { close(file) }
    let byteCount = Int(lseek(file, 0, SEEK_END))
    let chunk = 65536 + 16
    var kept = 0
    for (number, offset) in stride(from: header, to: byteCount, by: chunk).enumerated() {
      if isKept(number) {
        kept += 1
        continue
      }
      var byte: UInt8 = 0
      try #require(unsafe pread(file, &byte, 1, off_t(offset + 100)) == 1)
      byte ^= 1
      try #require(unsafe pwrite(file, &byte, 1, off_t(offset + 100)) == 1)
    }
    return kept
  }

  @Test(arguments: ["small/stored", "small/deflated"]) func oneEntryNeedsFewChunks(name: String) async throws {
    let sealed = try await large()
    let expected = try bytes(of: folder.path + "/expected")
    let before = try await folder.open(sealed)
    #expect(try before.content(name) == expected)
    let found = try #require(before.entry(named: name))
    let chunkCount = (try bytes(of: sealed).count + 65551) / 65552
    let entry = found.offset / 65536...found.end / 65536
    // All that is read when it is opened and for this entry: what else there is, is altered, and is not noticed.
    let kept = try alterChunks(of: sealed) { entry.contains($0) || $0 >= chunkCount - 2 }
    #expect(kept * 65552 < 512 * 1024)
    let archive = try await folder.open(sealed)
    #expect(archive.entries.count == 202)
    #expect(try archive.content(name) == expected)
    await expectError(.payloadAltered) { try archive.read("block/3") }
  }

  #if os(Linux)
    @Test func oneEntryReadsLessThan512KiB() async throws {
      let sealed = try await large()
      let expected = try bytes(of: folder.path + "/expected")
      for name in ["small/stored", "small/deflated"] {
        let start = try readByteCount()
        let archive = try await folder.open(sealed)
        let opened = try readByteCount()
        let content = try archive.read(name)
        let end = try readByteCount()
        #expect(content.withBytes { [UInt8](copying: $0) } == expected)
        #expect(end - start < 512 * 1024, "\(opened - start) to open, \(end - opened) to read")
      }
    }

    /// How many bytes this process has read so far.
    private func readByteCount() throws -> Int {
      let text = String(decoding: try bytes(of: "/proc/self/io"), as: UTF8.self)
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("rchar: ") })
      return try #require(Int(line.dropFirst(7)))
    }
  #endif
}
