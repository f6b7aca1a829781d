// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import TestSupport
import Testing

/// Sources that are no plain file, or do not hold still.
@Suite("SealedFile, sources", .timeLimit(.minutes(20))) struct SealedFileSourceTests {
  let world: FileWorld

  init() throws { world = try FileWorld() }

  /// The file is written to while it is read: when the first stripe is done, which no clock decides.
  private func seal(changing change: @escaping @Sendable (String) -> Void) async throws {
    let path = world.path("source")
    try write(FileWorld.content(2_000_000), to: path)
    let isFirst = Atomic(true)
    var options = FileOptions()
    options.coreCount = 1
    options.progress = { _, _ in
      if isFirst.exchange(false, ordering: .relaxed) { change(path) }
    }
    try await SealedFile.seal(
      .path(path), to: .path(world.path("sealed")), context: world.context, options: options, using: world.keyring)
  }

  @Test func sourceThatChangesIsRefused() async throws {
    let changes: [(String, @Sendable (String) -> Void)] = [
      ("grows", { try? append([1], to: $0) }),
      ("shrinks", { unsafe _ = truncate($0, 1_000_000) }),
      ("is overwritten", { FileHandle(forUpdatingAtPath: $0)?.write(Data([0, 0])) }),
    ]
    for (name, change) in changes {
      await expectError(.fileFailure, saying: "changed while it was read", at: name) {
        try await seal(changing: change)
      }
      #expect(!FileManager.default.fileExists(atPath: world.path("sealed")), "\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.folder.path) == ["source"])
  }

  @Test func sourceThatIsReplacedIsSealedAsItWas() async throws {
    try await seal { path in
      try? write([9], to: path + ".new")
      _ = unsafe rename(path + ".new", path)
    }
    #expect(try await world.open(world.path("sealed")) == FileWorld.content(2_000_000))
  }

  @Test func holesAreBytes() async throws {
    let path = world.path("sparse")
    try write([1], to: path)
    try #require(unsafe truncate(path, 1_000_000) == 0)
    try await SealedFile.seal(
      .path(path), to: .path(world.path("sealed")), context: world.context, using: world.keyring)
    #expect(try await world.open(world.path("sealed")) == [1] + [UInt8](repeating: 0, count: 999_999))
  }

  /// The kernel makes such a file up as it is read, and says that it has no bytes.
  @Test func filesWithoutLengthAreStreams() async throws {
    try await SealedFile.seal(
      .path("/proc/self/cmdline"), to: .path(world.path("sealed")), context: world.context, using: world.keyring)
    #expect(try await world.open(world.path("sealed")) == bytes(of: "/proc/self/cmdline"))
    try await SealedFile.seal(
      .path("/dev/null"), to: .path(world.path("sealed")), context: world.context, using: world.keyring)
    #expect(try await world.open(world.path("sealed")) == [])
  }

  @Test func foldersAndMissingFilesAreRefused() async throws {
    await expectError(.fileFailure, saying: "is a folder") {
      try await SealedFile.seal(
        .path(world.folder.path), to: .path(world.path("sealed")), context: world.context, using: world.keyring)
    }
    for source in ["nothere", "no/folder"] {
      await expectError(.fileFailure) {
        try await SealedFile.seal(
          .path(world.path(source)), to: .path(world.path("sealed")), context: world.context, using: world.keyring)
      }
    }
    await expectError(.invalidArgument) {
      try await SealedFile.seal(
        .standardOutput, to: .path(world.path("sealed")), context: world.context, using: world.keyring)
    }
    try write([1], to: world.path("source"))
    await expectError(.invalidArgument) {
      try await SealedFile.seal(
        .path(world.path("source")), to: .standardInput, context: world.context, using: world.keyring)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.folder.path) == ["source"])
  }

  /// What processes that were killed left beside the output is removed, on a file system that has no unnamed files.
  @Test func removesWhatKilledProcessLeft() async throws {
    let stale = world.path(".sealed.AAAAAAAAAAAA.new")
    try write([1, 2, 3], to: stale)
    let notices = Mutex<[String]>([])
    var options = FileOptions()
    options.notify = { notice in notices.withLock { $0.append(notice) } }
    try await world.seal([1], options: options)
    #expect(!FileManager.default.fileExists(atPath: stale))
    #expect(notices.withLock { $0.count } == 1)
  }

  @Test(.enabled(if: SmallDisk.isPossible)) func fullDiskLeavesTheOldFile() async throws {
    let disk = try SmallDisk()
    let path = disk.path + "/sealed"
    try write([1], to: world.path("small"))
    try await SealedFile.seal(
      .path(world.path("small")), to: .path(path), context: world.context, using: world.keyring)
    let before = try bytes(of: path)
    try write(FileWorld.content(4_000_000), to: world.path("large"))
    for cores in [1, 3] {
      var options = FileOptions()
      options.coreCount = cores
      await expectError(.fileFailure, saying: "Cannot write") {
        try await SealedFile.seal(
          .path(world.path("large")), to: .path(path), context: world.context, options: options, using: world.keyring)
      }
      #expect(try bytes(of: path) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["sealed"])
    }
  }
}

private func append(_ bytes: [UInt8], to path: String) throws {
  let file = try #require(FileHandle(forUpdatingAtPath: path))
  try file.seekToEnd()
  try file.write(contentsOf: bytes)
  try file.close()
}
