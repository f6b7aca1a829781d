// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reading 4 KiB at random offsets of a sealed file that is open, beside reading one sealed chunk and opening it by plain
/// calls; and of the longest file beside the shortest.
///
/// The files lie in memory, and one is as long as `sizes` says, in MiB.
func compareFileReads(_ suite: AlgorithmSuite, _ sizes: [Int]) {
  guard let longest = sizes.last, let shortest = sizes.first else { return }
  let measures = sizes.flatMap { size in
    [
      Measure("plain-\(size)"),
      Measure(
        "read-\(size)", over: "plain-\(size)", alsoOver: size == shortest ? nil : "read-\(shortest)",
        countsAllocations: size == longest),
    ]
  }
  compare("file-read-\(suite.mark)\(longest)", measures) {
    var contenders: [Contender] = []
    for size in sizes {
      let plain = try PlainFile(suite, byteCount: size << 20)
      let sealed = try await sealedFile(suite, byteCount: size << 20)
      contenders += [plain.contender("plain-\(size)"), reading(sealed, "read-\(size)")]
    }
    return contenders
  }
}

private let readByteCount = 4 << 10

/// A sealed file that has no name any more.
private func sealedFile(_ suite: AlgorithmSuite, byteCount: Int) async throws -> SealedFile {
  let (keyring, context): (_, EncryptionContext) = (KeysetKeyring(try .generate()), ["function": "checkout"])
  let plaintext = UnnamedFile(Memory(byteCount))
  let path = UnnamedFile.newPath()
  defer { unlink(path) }
  try await SealedFile.seal(.path(plaintext.path), to: .path(path), context: context, suite: suite, using: keyring)
  return try await SealedFile(at: path, context: context, using: keyring)
}

private func reading(_ file: SealedFile, _ name: String) -> Contender {
  let output = Memory(readByteCount)
  let buffer = UnsafeMutableRawBufferPointer(start: output.base, count: output.byteCount)
  return Contender(name) { count in
    var offsets = Offsets()
    for _ in 0..<count {
      var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
      try file.read(at: offsets.next(below: file.byteCount - readByteCount + 1), into: &span)
      let written = span.finalize(for: buffer)
      precondition(written == readByteCount)
    }
  }
}

/// A file of chunks that plain calls sealed.
private struct PlainFile {
  private let plain: PlainStream
  private let file: UnnamedFile
  private let chunkCount: Int

  init(_ suite: AlgorithmSuite, byteCount: Int) throws {
    plain = PlainStream(suite)
    chunkCount = byteCount / PlainStream.chunkByteCount
    let sealed = Memory(chunkCount * plain.sealedChunkByteCount)
    plain.seal(Memory(byteCount), into: sealed)
    file = UnnamedFile(sealed)
  }

  func contender(_ name: String) -> Contender {
    let (sealed, output) = (Memory(plain.sealedChunkByteCount), Memory(PlainStream.chunkByteCount))
    return Contender(name) { count in
      var offsets = Offsets()
      for _ in 0..<count {
        let index = offsets.next(below: chunkCount)
        let read = pread(file.descriptor, sealed.base, sealed.byteCount, off_t(index * sealed.byteCount))
        precondition(read == sealed.byteCount)
        plain.openChunk(sealed.base, index, into: output.base)
      }
    }
  }
}

/// A file in memory, which the system removes when the process ends.
private struct UnnamedFile {
  let descriptor: Int32
  var path: String { "/proc/self/fd/\(descriptor)" }

  init(_ content: Memory) {
    let path = Self.newPath()
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    precondition(descriptor >= 0, "cannot make the file \(path)")
    unlink(path)
    var written = 0
    while written < content.byteCount {
      let count = write(descriptor, content.base + written, content.byteCount - written)
      precondition(count > 0, "cannot write \(content.byteCount) bytes to \(path)")
      written += count
    }
    content.base.deallocate()
  }

  static func newPath() -> String { "/dev/shm/envelope-benchmark-\(getpid())-\(UInt64.random(in: 0...UInt64.max))" }
}

/// Numbers that look random and cost next to nothing.
private struct Offsets {
  private var state = UInt64.random(in: 0...UInt64.max)

  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 11) % UInt64(limit))
  }
}
