// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct SealerTests {
  private let row = Array("tokens/17".utf8)

  @Test(arguments: [0, 1, 63, 64, 65, 1 << 20], AlgorithmSuite.here) func roundTripInTheCallersBuffer(
    byteCount: Int, suite: AlgorithmSuite
  ) async throws {
    let (sealer, opener) = try await pair(suite)
    let seed: UInt64 = 0x5eed_0005
    var random = SplitMix64(seed: seed)
    let plaintext = random.bytes(byteCount)
    #expect(sealer.overheadByteCount == opener.overheadByteCount)
    let envelope = try [UInt8].appending(capacity: byteCount + sealer.overheadByteCount) {
      (output) throws(EnvelopeError) in
      try unsafe sealer.seal(plaintext.span.bytes, authenticating: row.span.bytes, into: &output)
    }
    #expect(envelope.count == byteCount + sealer.overheadByteCount)
    let opened = try [UInt8].appending(capacity: byteCount) { (output) throws(EnvelopeError) in
      try unsafe opener.open(envelope.span.bytes, authenticating: row.span.bytes, into: &output)
    }
    #expect(opened == plaintext, "seed \(seed)")
    #expect(try opener.open(sealer.seal(plaintext, authenticating: row), authenticating: row).copy() == plaintext)
  }

  @Test(arguments: AlgorithmSuite.here) func everyByteOfTheHeaderMustBeTheSame(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let envelope = try sealer.seal([1, 2, 3], authenticating: row)
    for position in 0..<opener.overheadByteCount - suite.aead.overheadByteCount {
      for bit in [1, 0x80] as [UInt8] {
        var altered = envelope
        altered[position] ^= bit
        await expectError(.headerUnknown, at: "byte \(position)") { try opener.open(altered, authenticating: row) }
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func aBufferTooSmallStaysAsItWas(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let plaintext = Array(Planted.token.utf8)
    let envelope = try sealer.seal(plaintext, authenticating: row)
    for missing in [1, 2, 16, 40, 64, envelope.count] {
      let sealed = try await bufferLeft(room: envelope.count - missing) { (output) throws(EnvelopeError) in
        try unsafe sealer.seal(plaintext.span.bytes, authenticating: row.span.bytes, into: &output)
      }
      #expect(sealed == untouched(envelope.count - missing), "sealing, \(missing) bytes short")
    }
    for missing in [1, 2, plaintext.count] {
      let opened = try await bufferLeft(room: plaintext.count - missing) { (output) throws(EnvelopeError) in
        try unsafe opener.open(envelope.span.bytes, authenticating: row.span.bytes, into: &output)
      }
      #expect(opened == untouched(plaintext.count - missing), "opening, \(missing) bytes short")
    }
  }

  private func untouched(_ room: Int) -> [UInt8] { [1, 2, 3] + [UInt8](repeating: 0xee, count: room) }

  /// The memory of a buffer behind three bytes that were there, after `body` found no room.
  private func bufferLeft(
    room: Int, _ body: (inout OutputRawSpan) throws(EnvelopeError) -> Void
  ) async throws -> [UInt8] {
    var memory = untouched(room)
    var failure: EnvelopeError?
    var count = 0
    unsafe memory.withUnsafeMutableBytes { buffer in
      var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 3)
      do throws(EnvelopeError) { try body(&output) } catch { failure = error }
      count = unsafe output.finalize(for: buffer)
    }
    #expect(failure?.code == .bufferTooSmall)
    #expect(count == 3)
    return memory
  }

  @Test(arguments: AlgorithmSuite.here) func associatedDataIsRequiredAndMustBeTheSame(suite: AlgorithmSuite)
    async throws
  {
    let (sealer, opener) = try await pair(suite)
    await expectError(.invalidArgument) { try sealer.seal([1], authenticating: []) }
    let envelope = try sealer.seal(Array(Planted.token.utf8), authenticating: row)
    for other in [[], row + [0], Array(row.dropLast()), Array("tokens/18".utf8)] {
      await expectError(.payloadAltered) { try opener.open(envelope, authenticating: other) }
    }
  }

  /// An envelope of another sealer is whole, also if it is shorter than any with the opener's longer header.
  @Test(arguments: AlgorithmSuite.here) func wholeEnvelopeWithShorterHeaderIsUnknown(suite: AlgorithmSuite) async throws
  {
    let (a, b) = (StubKeyring(keyID: "a"), StubKeyring(keyID: "b"))
    let long = try await Sealer(context: ["a": "b"], suite: suite, using: MultiKeyring([a, b]))
    let opener = try await Opener(for: long.seal([], authenticating: row), context: ["a": "b"], using: a)
    let short = try await Sealer(context: ["a": "b"], suite: suite, using: a)
    let envelope = try short.seal([], authenticating: row)
    try #require(envelope.count < opener.overheadByteCount)
    await expectError(.headerUnknown) { try opener.open(envelope, authenticating: row) }
    await expectError(.headerUnknown) { try opener.open([envelope], authenticating: [row]) { _, _ in } }
    // What was cut is no whole envelope, whichever header it begins with.
    for count in 0..<envelope.count {
      await expectError(.malformed) { try opener.open(Array(envelope.prefix(count)), authenticating: row) }
    }
    let own = try long.seal([], authenticating: row)
    for count in 0..<own.count {
      await expectError(.malformed) { try opener.open(Array(own.prefix(count)), authenticating: row) }
    }
    var packed = envelope
    packed[3] = 3  // the kind of an environment
    await expectError(.malformed) { try opener.open(packed, authenticating: row) }
  }

  @Test(arguments: AlgorithmSuite.here) func anotherHeaderIsUnknown(suite: AlgorithmSuite) async throws {
    let (sealer, opener) = try await pair(suite)
    let (other, _) = try await pair(suite)
    let envelope = try sealer.seal([1, 2], authenticating: row)
    let foreign = try other.seal([1, 2], authenticating: row)
    await expectError(.headerUnknown) { try opener.open(foreign, authenticating: row) }
    for index in 0..<HeaderPart.headerByteCount {
      await expectError(.headerUnknown) { try opener.open(envelope.flipping(bit: 1, of: index), authenticating: row) }
    }
    for index in HeaderPart.headerByteCount..<envelope.count {
      await expectError(.payloadAltered) { try opener.open(envelope.flipping(bit: 1, of: index), authenticating: row) }
    }
    for count in 0..<envelope.count {
      await expectError(.malformed, .payloadAltered, .headerUnknown) {
        try opener.open(Array(envelope[..<count]), authenticating: row)
      }
    }
  }

  @Test func whatAnOpenerIsMadeForMustBeAValue() async throws {
    let keyring = KeysetKeyring(try .generate())
    let environment = try await SealedEnvironment.seal(Planted.values, context: [:], using: keyring)
    await expectError(.malformed) {
      try await Opener(for: environment.header.bytes, context: [:], using: keyring)
    }
    await expectError(.malformed) { try await Opener(for: [], context: [:], using: keyring) }
  }

  @Test func contextsAreCheckedBeforeTheKeyringIsAsked() async throws {
    let keyring = StubKeyring(keyID: "k")
    await expectError(.invalidArgument) { try await Sealer(context: ["a": ""], suite: .tested, using: keyring) }
    let envelope = try await Envelope.seal([1], context: ["a": "b"], suite: .tested, using: keyring)
    await expectError(.contextDiffers) { try await Opener(for: envelope, context: [:], using: keyring) }
    #expect(keyring.unwraps.value == 0)
  }

  private func pair(_ suite: AlgorithmSuite) async throws -> (Sealer, Opener) {
    let keyring = KeysetKeyring(try .generate())
    let context: EncryptionContext = ["table": "tokens"]
    let sealer = try await Sealer(context: context, suite: suite, using: keyring)
    let opener = try await Opener(for: sealer.seal([], authenticating: row), context: context, using: keyring)
    return (sealer, opener)
  }
}
