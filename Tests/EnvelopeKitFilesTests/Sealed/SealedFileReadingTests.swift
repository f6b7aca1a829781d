// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

@Suite("SealedFile at offsets", .timeLimit(.minutes(20))) struct SealedFileReadingTests {
  let world: FileWorld

  init() throws { world = try FileWorld() }

  @Test(arguments: FileWorld.suites) func readsWhatIsThereAtAnyOffset(suite: AlgorithmSuite) async throws {
    for length in FileWorld.lengths {
      let content = FileWorld.content(length)
      let file = try await world.file(world.seal(content, suite: suite))
      #expect(file.byteCount == length)
      var random = SplitMix64(seed: UInt64(length))
      let offsets = [0, 1, 4095, 4096, 4097, 8191, 8192, length - 1].filter { (0..<max(length, 1)).contains($0) }
      for offset in offsets + (0..<20).map({ _ in Int(random.next() % UInt64(max(length, 1))) }) {
        let count = min(length - offset, [0, 1, 100, 4096, 8193, 20_000][Int(random.next() % 6)])
        let part = try file.read(offset..<offset + count)
        #expect(part.withBytes { [UInt8](copying: $0) } == Array(content[offset..<offset + count]))
      }
      #expect(try file.read(0..<length).withBytes { [UInt8](copying: $0) } == content)
    }
  }

  @Test func readsUpToTheEndAndRefusesWhatIsOutside() async throws {
    let content = FileWorld.content(10_000)
    let file = try await world.file(world.seal(content))
    for (offset, capacity, expected) in [(9_990, 100, 10), (10_000, 5, 0), (.max, 5, 0), (0, 0, 0), (4_000, 200, 200)] {
      let bytes = try [UInt8].appending(capacity: capacity) { (output) throws(EnvelopeError) in
        try file.read(at: offset, into: &output)
      }
      #expect(bytes == Array(content.dropFirst(offset).prefix(expected)))
    }
    for range in [-1..<0, 0..<10_001, 10_000..<10_001, -5..<(-2)] {
      await expectError(.invalidArgument, at: "\(range)") { _ = try file.read(range).byteCount }
    }
    await expectError(.invalidArgument) {
      _ = try [UInt8].appending(capacity: 1) { (output) throws(EnvelopeError) in try file.read(at: -1, into: &output) }
    }
  }

  @Test func manyReadersShareOneFile() async throws {
    let content = FileWorld.content(500_000)
    let file = try await world.file(world.seal(content))
    await withThrowingTaskGroup { group in
      for seed in 1...8 as ClosedRange<UInt64> {
        group.addTask {
          var random = SplitMix64(seed: seed)
          for _ in 0..<50 {
            let offset = Int(random.next() % 490_000)
            let part = try file.read(offset..<offset + 5_000)
            #expect(part.withBytes { [UInt8](copying: $0) } == Array(content[offset..<offset + 5_000]))
          }
        }
      }
    }
  }

  /// A chunk that does not verify does not keep the others from being read, and gives no byte.
  @Test func onlyChunksThatAreReadMustVerify() async throws {
    let content = FileWorld.content(20_000)
    let path = try await world.seal(content)
    var sealed = try bytes(of: path)
    sealed[sealed.count - 20_000 + 4_096 - 16 * 4] ^= 1
    try write(sealed, to: path)
    let file = try await world.file(path)
    let altered = (0..<5).filter { chunk in
      (try? file.read(chunk * 4096..<chunk * 4096 + 1).byteCount) == nil
    }
    #expect(altered.count == 1)
    let chunk = try #require(altered.first)
    var appended = -1
    await expectError(.payloadAltered) {
      _ = try [UInt8].appending(capacity: 20_000) { (output) throws(EnvelopeError) in
        defer { appended = output.byteCount }
        try file.read(at: 0, into: &output)
      }
    }
    #expect(appended == chunk * 4096)
  }

  @Test func fileThatIsReplacedStaysOpen() async throws {
    let content = FileWorld.content(50_000)
    let file = try await world.file(world.seal(content))
    try await world.seal(FileWorld.content(70_000, seed: 2))
    #expect(try file.read(0..<50_000).withBytes { [UInt8](copying: $0) } == content)
  }

  @Test func fileThatIsCutLaterGivesNothingButErrors() async throws {
    let path = try await world.seal(FileWorld.content(50_000))
    let file = try await world.file(path)
    try #require(unsafe truncate(path, 20_000) == 0)
    await expectError(.fileFailure, saying: "changed") { _ = try file.read(40_000..<40_001).byteCount }
    #expect(try file.read(0..<4096).byteCount == 4096)
  }

  @Test func whatIsNoRegularFileIsRefused() async throws {
    for path in ["/dev/null", "/dev/zero", "/proc/self/status", world.folder.path] {
      await expectError(.fileFailure, at: path) { try await world.file(path) }
    }
    await expectError(.fileFailure) { try await world.file(world.path("nothere")) }
  }

  @Test func nothingSecretIsShown() async throws {
    let file = try await world.file(world.seal(Array("hunter2".utf8)))
    #expect(shown(file).contains("SealedFile") && !shown(file).contains("ChunkSequence"))
  }
}
