// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("SealedFile", .timeLimit(.minutes(20))) struct SealedFileTests {
  let world: FileWorld

  init() throws { world = try FileWorld() }

  @Test(arguments: FileWorld.suites) func opensWhatWasSealed(suite: AlgorithmSuite) async throws {
    for length in FileWorld.lengths {
      let content = FileWorld.content(length)
      for cores in [1, 2, 5] {
        var options = FileOptions()
        options.coreCount = cores
        let path = try await world.seal(content, suite: suite, options: options)
        #expect(try await world.open(path, cores: cores) == content, "\(length) bytes, \(cores) cores")
        let verified = try await SealedFile.verify(.path(path), context: world.context, using: world.keyring)
        #expect(verified == length)
      }
    }
    #expect(try names() == ["opened", "plain", "sealed"])
  }

  @Test func everyChunkSizeOpens() async throws {
    for exponent in 12...20 {
      let chunkSize = try #require(ChunkSize(byteCount: 1 << exponent))
      let content = FileWorld.content((2 << exponent) + 5)
      let path = try await world.seal(content, chunkSize: chunkSize)
      #expect(try await world.open(path) == content)
    }
    for byteCount in [0, 1, 2048, 4095, 4097, 65_535, 2 << 20, -4096, .max] {
      #expect(ChunkSize(byteCount: byteCount) == nil, "\(byteCount)")
    }
  }

  /// Files and streams are one form: what was sealed as the one opens as the other.
  @Test(arguments: FileWorld.suites) func streamsAndFilesAreTheSame(suite: AlgorithmSuite) async throws {
    for length in FileWorld.lengths {
      let content = FileWorld.content(length)
      let path = try await world.seal(content, suite: suite)
      // A named pipe is a stream on either side.
      let pipe = world.path("pipe")
      try #require(unsafe mkfifo(pipe, 0o600) == 0)
      async let streamed: [UInt8] = read(pipe)
      try await SealedFile.open(.path(path), to: .path(pipe), context: world.context, using: world.keyring)
      #expect(try await streamed == content, "\(length)")
      async let sealed: Void = feed(content, to: pipe)
      try await SealedFile.seal(
        .path(pipe), to: .path(world.path("streamed")), context: world.context, suite: suite,
        chunkSize: FileWorld.chunkSize, using: world.keyring)
      try await sealed
      #expect(try await world.open(world.path("streamed")) == content, "\(length)")
      async let again: Void = feed(bytes(of: path), to: pipe)
      let count = try await SealedFile.verify(.path(pipe), context: world.context, using: world.keyring)
      try await again
      #expect(count == length)
      try FileManager.default.removeItem(atPath: pipe)
    }
  }

  /// Blocking work of another thread, which reads a pipe to its end.
  private func read(_ path: String) async throws -> [UInt8] {
    try await onThread { [UInt8](try #require(FileHandle(forReadingAtPath: path)).readToEnd() ?? Data()) }
  }

  private func feed(_ bytes: [UInt8], to path: String) async throws {
    try await onThread {
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.write(contentsOf: bytes)
      try file.close()
    }
  }

  private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try body() }) }.start()
    }
  }

  @Test func otherContextKeyOrKindIsRefused() async throws {
    let path = try await world.seal([1, 2, 3])
    let other = try KeysetKeyring(.generate())
    await expectError(.contextDiffers) {
      try await SealedFile(at: path, context: ["purpose": "other"], using: world.keyring)
    }
    await expectError(.keyNotFound) { try await SealedFile(at: path, context: world.context, using: other) }
    let value = try await Envelope.seal([1, 2, 3], context: world.context, using: world.keyring)
    try write(value, to: world.path("value"))
    await world.expectRefused(world.path("value"), [.malformed], at: "a value")
    let sealed = try bytes(of: path)
    await expectError(.malformed) {
      _ = try await Envelope.open(sealed, context: world.context, using: world.keyring)
    }
  }

  @Test func anonymousSenderIsRefusedUnlessAccepted() async throws {
    let identity = try Keyset.generate(.identity)
    let recipient = try identity.recipient()
    try write([7], to: world.path("plain"))
    try await SealedFile.seal(
      .path(world.path("plain")), to: .path(world.path("sealed")), context: world.context,
      using: RecipientKeyring([recipient]))
    let keyring = KeysetKeyring(identity)
    await expectError(.anonymousSender) {
      try await SealedFile(at: world.path("sealed"), context: world.context, using: keyring)
    }
    await expectError(.anonymousSender) {
      try await SealedFile.verify(.path(world.path("sealed")), context: world.context, using: keyring)
    }
    let file = try await SealedFile(
      at: world.path("sealed"), context: world.context, using: keyring, anonymousSender: .accepted)
    #expect(try file.read(0..<1).withBytes { $0.byteCount } == 1)
    #expect(file.source.scheme == .recipient)
  }

  @Test func plaintextIsForItsOwnerAlone() async throws {
    let path = try await world.seal([1])
    try write([], to: world.path("opened"))
    try world.folder.setMode(0o644, of: world.path("opened"))
    _ = try await world.open(path)
    #expect(try world.folder.mode(of: world.path("opened")) == 0o600)
  }

  @Test func sealedFileKeepsPermissionsOfReplacedOne() async throws {
    let path = try await world.seal([1])
    try world.folder.setMode(0o640, of: path)
    try await world.seal([2])
    #expect(try world.folder.mode(of: path) == 0o640)
  }

  @Test func attributesAreKeptIfAsked() async throws {
    try write([1, 2], to: world.path("plain"))
    let (accessed, modified) = (
      timespec(tv_sec: 1_000_000_000, tv_nsec: 5), timespec(tv_sec: 1_100_000_000, tv_nsec: 7)
    )
    for mode in [0o640, 0o4751] as [mode_t] {
      try #require(unsafe chmod(world.path("plain"), mode) == 0)
      try #require(unsafe utimensat(AT_FDCWD, world.path("plain"), [accessed, modified], 0) == 0)
      var options = FileOptions()
      options.keepsAttributes = true
      try await SealedFile.seal(
        .path(world.path("plain")), to: .path(world.path("sealed")), context: world.context, options: options,
        using: world.keyring)
      try await SealedFile.open(
        .path(world.path("sealed")), to: .path(world.path("opened")), context: world.context, options: options,
        using: world.keyring)
      for name in ["sealed", "opened"] {
        var status = stat()
        try #require(unsafe stat(world.path(name), &status) == 0)
        #expect(status.st_mtim.tv_sec == 1_100_000_000 && status.st_mtim.tv_nsec == 7, "\(name)")
        #expect(status.st_mode & 0o7777 == mode & 0o777, "\(name)")
      }
    }
  }

  @Test func sourceAndDestinationMayBeOne() async throws {
    let content = FileWorld.content(300_000)
    let path = try await world.seal(content, as: "plain")
    #expect(try await world.open(path) == content)
    try await SealedFile.open(.path(path), to: .path(path), context: world.context, using: world.keyring)
    #expect(try bytes(of: path) == content)
  }

  @Test func progressGrowsToTheEnd() async throws {
    let content = FileWorld.content(3 * 64 * 4096 + 7)
    let seen = Mutex<[(Int, Int?)]>([])
    var options = FileOptions()
    options.progress = { done, total in seen.withLock { $0.append((done, total)) } }
    options.coreCount = 3
    let path = try await world.seal(content, options: options)
    let calls = seen.withLock { $0 }
    #expect(calls.map(\.0) == calls.map(\.0).sorted() && calls.count == 4)
    #expect(calls.allSatisfy { $0.1 == content.count } && calls.last?.0 == content.count)
    seen.withLock { $0 = [] }
    try await SealedFile.verify(.path(path), context: world.context, options: options, using: world.keyring)
    let sealedByteCount = try bytes(of: path).count
    #expect(seen.withLock { $0.last?.0 } == sealedByteCount)
  }

  @Test func cancellationLeavesTheOldFile() async throws {
    let path = try await world.seal([1, 2, 3])
    let before = try bytes(of: path)
    let (started, signal) = AsyncStream<Void>.makeStream()
    let cancelled = DispatchSemaphore(value: 0)
    let isFirst = Atomic(true)
    var options = FileOptions()
    options.coreCount = 1
    // The work waits until it has been cancelled, so that no clock decides.
    options.progress = { _, _ in
      guard isFirst.exchange(false, ordering: .relaxed) else { return }
      signal.yield()
      cancelled.wait()
    }
    let (world, content, chosen) = (world, FileWorld.content(2_000_000), options)
    let sealing = Task { try await world.seal(content, options: chosen) }
    for await _ in started { break }
    sealing.cancel()
    cancelled.signal()
    await expectError(.fileFailure, saying: "cancelled") { try await sealing.value }
    #expect(try bytes(of: path) == before)
    #expect(try names() == ["plain", "sealed"])
  }

  @Test(arguments: [Int.min, 0, 1, 1_000, .max]) func anyNumberOfCoresWorks(count: Int) async throws {
    let content = FileWorld.content(1_000_000)
    var options = FileOptions()
    options.coreCount = count
    let path = try await world.seal(content, options: options)
    #expect(try await world.open(path, cores: count) == content)
    try await SealedFile.seal(
      .path(world.path("plain")), to: .path("/dev/null"), context: world.context, options: options,
      using: world.keyring)
  }

  /// Whoever owns the sealed file must not choose who reads the plaintext; only root can give files away.
  @Test(.enabled(if: geteuid() == 0)) func permissionsOfForeignFileAreNotGivenToPlaintext() async throws {
    let path = try await world.seal([1])
    var options = FileOptions()
    options.keepsAttributes = true
    for (owner, mode) in [(0, 0o664), (65_534, 0o600)] as [(uid_t, Int)] {
      try #require(unsafe chown(path, owner, owner) == 0 && chmod(path, 0o664) == 0)
      try await SealedFile.open(
        .path(path), to: .path(world.path("opened")), context: world.context, options: options, using: world.keyring)
      #expect(try world.folder.mode(of: world.path("opened")) == mode)
    }
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: world.folder.path).sorted()
  }
}
