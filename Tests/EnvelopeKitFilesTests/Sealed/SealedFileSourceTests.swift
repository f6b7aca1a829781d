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
      ("is overwritten, with its time restored", { try? overwriteRestoringTime($0) }),
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

  /// A source that grows as fast as it is read would have no end.
  @Test func sourceThatGrowsAsItIsStreamedIsRefused() async throws {
    let path = world.path("source")
    try write(FileWorld.content(3 << 20), to: path)
    var options = FileOptions()
    options.progress = { _, _ in try? append(FileWorld.content(1 << 20), to: path) }
    let chosen = options
    await expectError(.fileFailure, saying: "changed while it was read") {
      try await SealedFile.seal(
        .path(path), to: .path("/dev/null"), context: world.context, options: chosen, using: world.keyring)
    }
  }

  /// The threads that run tasks are as many as the cores: tasks that wait for pipes must leave them to others.
  @Test func waitingForPipesKeepsNoTaskFromRunning() async throws {
    let count = ProcessInfo.processInfo.activeProcessorCount + 2
    for number in 0..<count { try #require(unsafe mkfifo(world.path("pipe\(number)"), 0o600) == 0) }
    let world = world
    try await withThrowingTaskGroup { group in
      for number in 0..<count {
        group.addTask {
          try await SealedFile.seal(
            .path(world.path("pipe\(number)")), to: .path(world.path("sealed\(number)")), context: world.context,
            using: world.keyring)
        }
      }
      // It has a thread to run on only if the others, which have begun before, wait elsewhere.
      group.addTask {
        for number in 0..<count {
          Thread {
            let file = FileHandle(forWritingAtPath: world.path("pipe\(number)"))
            try? file?.write(contentsOf: [1, 2, 3])
            try? file?.close()
          }.start()
        }
        return 3
      }
      for try await byteCount in group { #expect(byteCount == 3) }
    }
  }

  @Test func pipeIsRefusedAsSealedFileWithoutWaiting() async throws {
    let pipe = world.path("pipe")
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    await expectError(.fileFailure, saying: "not a regular file") { try await world.file(pipe) }
    await expectError(.fileFailure, saying: "not a regular file") {
      try await SealedFile.rewrap(
        at: pipe, .newestVersions(of: world.keyring), context: world.context, using: world.keyring)
    }
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

private func overwriteRestoringTime(_ path: String) throws {
  var status = stat()
  try #require(unsafe stat(path, &status) == 0)
  let file = try #require(FileHandle(forUpdatingAtPath: path))
  try file.write(contentsOf: [0, 0])
  try #require(unsafe futimens(file.fileDescriptor, [status.st_atim, status.st_mtim]) == 0)
  try file.close()
}
