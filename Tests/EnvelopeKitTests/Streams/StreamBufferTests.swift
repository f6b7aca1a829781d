// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Streams that are sealed and opened into the caller's memory.
@Suite(.timeLimit(.minutes(20))) struct StreamBufferTests {
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  @Test(arguments: AlgorithmSuite.here, Splitting.allCases)
  func fillsExactlyWhatItAnnounces(suite: AlgorithmSuite, splitting: Splitting) async throws {
    var random = SplitMix64(seed: 1)
    for length in [0, 1, 4095, 4096, 4097, 8192, 9000] {
      let plaintext = random.bytes(length)
      var sealed: [UInt8] = []
      var sealer = try await StreamSealer(context: [:], suite: suite, chunkSize: .smallest, using: keyring)
      for piece in splitting.pieces(of: plaintext) {
        let count = sealer.outputByteCount(appending: piece.count)
        sealed += try Self.filled(count) { (output) throws(EnvelopeError) in
          try sealer.append(unsafe piece.span.bytes, into: &output)
        }
      }
      let sealedRest = sealer.outputByteCountAtEnd
      sealed += try Self.end(of: sealer, sealedRest)
      var opened: [UInt8] = []
      var opener = try await StreamOpener(header: Array(sealed.prefix(165)), context: [:], using: keyring)
      for piece in splitting.pieces(of: sealed.dropFirst(165)) {
        let count = opener.outputByteCount(appending: piece.count)
        opened += try Self.filled(count) { (output) throws(EnvelopeError) in
          try opener.append(unsafe piece.span.bytes, into: &output)
        }
      }
      let openedRest = opener.outputByteCountAtEnd
      opened += try Self.end(of: opener, openedRest)
      #expect(opened == plaintext)
    }
  }

  @Test(arguments: AlgorithmSuite.here, [1, 4])
  func appendsOnlyWhatHasVerified(suite: AlgorithmSuite, coreCount: Int) async throws {
    var random = SplitMix64(seed: 2)
    let plaintext = random.bytes(600_000)
    let sealed = try await StreamParts.seal(plaintext, suite: suite, using: keyring)
    let place = 100 * (4096 + suite.tagByteCount) + 17
    let chunks = Array(sealed.chunks.joined()).flipping(bit: 3, of: place)
    var opener = try await StreamOpener(header: sealed.header, context: [:], coreCount: coreCount, using: keyring)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: plaintext.count, alignment: 1)
    defer { unsafe memory.deallocate() }
    var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
    var failure: EnvelopeError?
    do { try opener.append(unsafe chunks.span.bytes, into: &output) } catch { failure = error }
    #expect(failure?.code == .payloadAltered)
    let count = unsafe output.finalize(for: memory)
    #expect(count <= 100 * 4096)
    #expect(unsafe plaintext.starts(with: memory[..<count]))
  }

  @Test(arguments: AlgorithmSuite.here) func refusesMemoryThatIsTooSmall(suite: AlgorithmSuite) async throws {
    let plaintext = [UInt8](repeating: 7, count: 9000)
    let sealed = try await StreamParts.seal(plaintext, suite: suite, using: keyring)
    let chunks = Array(sealed.chunks.joined())
    var sealer = try await StreamSealer(context: [:], suite: suite, chunkSize: .smallest, using: keyring)
    var opener = try await StreamOpener(header: sealed.header, context: [:], using: keyring)
    let sealedByteCount = sealer.outputByteCount(appending: plaintext.count)
    var failure: EnvelopeError?
    do {
      _ = try Self.filled(sealedByteCount - 1) { (output) throws(EnvelopeError) in
        try sealer.append(unsafe plaintext.span.bytes, into: &output)
      }
    } catch { failure = error }
    #expect(failure?.code == .bufferTooSmall)
    let openedByteCount = opener.outputByteCount(appending: chunks.count)
    failure = nil
    do {
      _ = try Self.filled(openedByteCount - 1) { (output) throws(EnvelopeError) in
        try opener.append(unsafe chunks.span.bytes, into: &output)
      }
    } catch { failure = error }
    #expect(failure?.code == .bufferTooSmall)
  }

  private static func end(of sealer: consuming StreamSealer, _ byteCount: Int) throws -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    defer { unsafe memory.deallocate() }
    var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
    try sealer.finish(into: &output)
    #expect(unsafe output.finalize(for: memory) == byteCount)
    return unsafe Array(memory)
  }

  private static func end(of opener: consuming StreamOpener, _ byteCount: Int) throws -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    defer { unsafe memory.deallocate() }
    var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
    try opener.finish(into: &output)
    #expect(unsafe output.finalize(for: memory) == byteCount)
    return unsafe Array(memory)
  }

  /// What is written to memory of this size, which it must fill.
  private static func filled(
    _ byteCount: Int, _ body: (inout OutputRawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    defer { unsafe memory.deallocate() }
    var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
    try body(&output)
    #expect(unsafe output.finalize(for: memory) == byteCount)
    return unsafe Array(memory)
  }
}
