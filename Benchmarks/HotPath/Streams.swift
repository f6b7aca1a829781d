// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import EnvelopeKit

/// How much a stream comparison seals, and how often.
struct StreamSize {
  let name: String
  let byteCount: Int
  let roundCount: Int

  /// What the thresholds are checked with, and what was asked for.
  static let all = [
    StreamSize(name: "32MiB", byteCount: 32 << 20, roundCount: 15),
    StreamSize(name: "1GiB", byteCount: 1 << 30, roundCount: 5),
  ]
}

/// A stream sealed or opened from memory to memory, on one core and on two, beside plain calls chunk by chunk.
///
/// - `plain` and `one` pass from one part of memory to another; `plain-two` and `two` do the same with two threads.
/// - `plain-buffer` and `pieces` pass from memory to a buffer that stays in the processor's cache, `pieces` in the way of
///   a program that reads a file: 256 KiB in a call.
func compareStreams(_ operation: ValueOperation, _ suite: AlgorithmSuite, _ size: StreamSize) {
  let measures =
    [
      Measure("plain"), Measure("one", over: "plain"), Measure("plain-buffer"),
      Measure("pieces", over: "plain-buffer", countsAllocations: true), Measure("plain-two", over: "plain"),
      Measure("two", over: "one", alsoOver: "plain-two"),
    ] + SwiftCrypto.streamMeasures
  compare("stream-\(operation.rawValue)-\(suite.mark)\(size.name)", measures, rounds: size.roundCount) {
    let work = try await StreamWork(operation, suite, byteCount: size.byteCount)
    let contenders = operation == .seal ? work.sealing : work.opening
    return try contenders + SwiftCrypto.streams(work)
  }
}

/// Bytes in memory, where they are sealed or opened to, and what does it.
struct StreamWork {
  let operation: ValueOperation
  let plaintext: Memory
  /// Room for the plaintext, or for what is sealed with a header, tags and nonces of any kind.
  let output: Memory
  private let suite: AlgorithmSuite
  private let plain: PlainStream
  /// What is opened, by the plain calls and by a stream.
  private let sealedByPlain: Memory
  private let sealed: Memory
  private let header: [UInt8]
  private let keyring: KeysetKeyring
  private static let context: EncryptionContext = ["function": "checkout"]
  private static let pieceByteCount = 256 << 10

  init(_ operation: ValueOperation, _ suite: AlgorithmSuite, byteCount: Int) async throws {
    (self.operation, self.suite) = (operation, suite)
    plaintext = Memory(byteCount)
    output = Memory(byteCount + byteCount / PlainStream.chunkByteCount * 64 + 4096)
    plain = PlainStream(suite)
    keyring = KeysetKeyring(try .generate())
    guard operation == .open else {
      (sealedByPlain, sealed, header) = (.empty, .empty, [])
      return
    }
    sealedByPlain = Memory(byteCount + byteCount / PlainStream.chunkByteCount * plain.tagByteCount)
    plain.seal(plaintext, into: sealedByPlain)
    let written = try await Self.seal(plaintext, suite, keyring, into: output)
    guard let headerByteCount = try StreamOpener.headerByteCount(of: output.buffer.bytes) else {
      preconditionFailure("what is sealed begins with a header")
    }
    header = Array(UnsafeBufferPointer(start: output.base, count: headerByteCount))
    sealed = Memory(written - headerByteCount)
    sealed.base.update(from: output.base + headerByteCount, count: sealed.byteCount)
  }

  private static func seal(
    _ plaintext: Memory, _ suite: AlgorithmSuite, _ keyring: KeysetKeyring, into output: Memory, coreCount: Int = 1
  ) async throws -> Int {
    var sealer = try await StreamSealer(context: context, suite: suite, coreCount: coreCount, using: keyring)
    let buffer = UnsafeMutableRawBufferPointer(start: output.base, count: output.byteCount)
    var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
    try sealer.append(plaintext.buffer.bytes, into: &span)
    try sealer.finish(into: &span)
    return span.finalize(for: buffer)
  }

  var sealing: [Contender] {
    [
      Contender("plain") { for _ in 0..<$0 { plain.seal(plaintext, into: output) } },
      Contender("one") { for _ in 0..<$0 { try await seal(coreCount: 1) } },
      Contender("plain-buffer") { for _ in 0..<$0 { plain.seal(plaintext, into: output, .buffer) } },
      Contender("pieces") { for _ in 0..<$0 { try await sealPieces() } },
      Contender("plain-two") { for _ in 0..<$0 { plain.seal(plaintext, into: output, threadCount: 2) } },
      Contender("two") { for _ in 0..<$0 { try await seal(coreCount: 2) } },
    ]
  }

  var opening: [Contender] {
    let byteCount = plaintext.byteCount
    return [
      Contender("plain") { for _ in 0..<$0 { plain.open(sealedByPlain, byteCount: byteCount, into: output) } },
      Contender("one") { for _ in 0..<$0 { try await open(coreCount: 1) } },
      Contender("plain-buffer") {
        for _ in 0..<$0 { plain.open(sealedByPlain, byteCount: byteCount, into: output, .buffer) }
      },
      Contender("pieces") { for _ in 0..<$0 { try await openPieces() } },
      Contender("plain-two") {
        for _ in 0..<$0 { plain.open(sealedByPlain, byteCount: byteCount, into: output, threadCount: 2) }
      },
      Contender("two") { for _ in 0..<$0 { try await open(coreCount: 2) } },
    ]
  }

  private func seal(coreCount: Int) async throws {
    let written = try await Self.seal(plaintext, suite, keyring, into: output, coreCount: coreCount)
    precondition(written > plaintext.byteCount)
  }

  private func open(coreCount: Int) async throws {
    var opener = try await StreamOpener(header: header, context: Self.context, coreCount: coreCount, using: keyring)
    let buffer = UnsafeMutableRawBufferPointer(start: output.base, count: output.byteCount)
    var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
    try opener.append(sealed.buffer.bytes, into: &span)
    try opener.finish(into: &span)
    let written = span.finalize(for: buffer)
    precondition(written == plaintext.byteCount)
  }

  private func sealPieces() async throws {
    var sealer = try await StreamSealer(context: Self.context, suite: suite, using: keyring)
    let buffer = plaintext.buffer
    var (rest, written) = (buffer.bytes, 0)
    while !rest.isEmpty {
      try sealer.append(rest.extracting(first: Self.pieceByteCount)) { (bytes) in written += bytes.byteCount }
      rest = rest.extracting(droppingFirst: Self.pieceByteCount)
    }
    try sealer.finish { (bytes) in written += bytes.byteCount }
    precondition(written > plaintext.byteCount)
  }

  private func openPieces() async throws {
    var opener = try await StreamOpener(header: header, context: Self.context, using: keyring)
    let buffer = sealed.buffer
    var (rest, written) = (buffer.bytes, 0)
    while !rest.isEmpty {
      try opener.append(rest.extracting(first: Self.pieceByteCount)) { (bytes) in written += bytes.byteCount }
      rest = rest.extracting(droppingFirst: Self.pieceByteCount)
    }
    try opener.finish { (bytes) in written += bytes.byteCount }
    precondition(written == plaintext.byteCount)
  }
}
