// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct AEADTests {
  private let key = [UInt8](repeating: 4, count: 32)
  private let none: [UInt8] = []

  @Test(arguments: AEAD.here)
  func everyFlippedBitAndEveryTruncationIsDetected(aead: AEAD) async throws {
    let nonce = [UInt8](repeating: 1, count: aead.nonceByteCount)
    let sealed = try aead.seal([1, 2, 3], authenticating: [4, 5], nonce: nonce, key: key)
    for index in sealed.indices {
      for bit in 0..<8 {
        await expectError(.payloadAltered) { try open(aead, sealed.flipping(bit: bit, of: index), [4, 5], nonce, key) }
      }
      await expectError(.payloadAltered) { try open(aead, Array(sealed[..<index]), [4, 5], nonce, key) }
    }
    for other in [[], [4], [5, 4], [4, 5, 0]] as [[UInt8]] {
      await expectError(.payloadAltered) { try open(aead, sealed, other, nonce, key) }
    }
    await expectError(.payloadAltered) { try open(aead, sealed, [4, 5], nonce.flipping(bit: 0, of: 0), key) }
    await expectError(.payloadAltered) { try open(aead, sealed, [4, 5], nonce, key.flipping(bit: 7, of: 31)) }
  }

  @Test(arguments: AEAD.here, [0, 1, 16, 31, 33])
  func keysOfAnotherLengthAreRefused(aead: AEAD, byteCount: Int) async throws {
    let nonce = [UInt8](repeating: 1, count: aead.nonceByteCount)
    let key = [UInt8](repeating: 4, count: byteCount)
    await expectError(.invalidArgument) { try aead.seal([1], authenticating: [], nonce: nonce, key: key) }
    await expectError(.invalidArgument) {
      try open(aead, [UInt8](repeating: 0, count: 40), [], nonce, key)
    }
  }

  @Test(arguments: AEAD.here)
  func nothingIsAppendedWhereItDoesNotVerifyOrFit(aead: AEAD) async throws {
    let plaintext: [UInt8] = [1, 2, 3]
    let sealed = try [UInt8].appending(capacity: 100) { (output) throws(EnvelopeError) in
      try unsafe aead.seal(
        plaintext.span.bytes, authenticating: none.span.bytes, key: key.span.bytes, into: &output)
    }
    #expect(sealed.count == 3 + aead.overheadByteCount)
    let buffer = try [UInt8].appending(capacity: 4) { (output) throws(EnvelopeError) in
      output.append(7)
      let altered = sealed.flipping(bit: 0, of: sealed.count - 1)
      #expect(throws: EnvelopeError.payloadAltered) {
        try unsafe aead.open(altered.span.bytes, authenticating: none.span.bytes, key: key.span.bytes, into: &output)
      }
      try unsafe aead.open(sealed.span.bytes, authenticating: none.span.bytes, key: key.span.bytes, into: &output)
      // Full by now.
      #expect(throws: EnvelopeError.bufferTooSmall) {
        try unsafe aead.open(sealed.span.bytes, authenticating: none.span.bytes, key: key.span.bytes, into: &output)
      }
    }
    #expect(buffer == [7, 1, 2, 3])
  }

  @Test(arguments: AEAD.here)
  func noncesAreDrawnAnew(aead: AEAD) throws {
    var nonces = Set<[UInt8]>()
    for _ in 0..<200 {
      let sealed = try [UInt8].appending(capacity: aead.overheadByteCount) { (output) throws(EnvelopeError) in
        try unsafe aead.seal(none.span.bytes, authenticating: none.span.bytes, key: key.span.bytes, into: &output)
      }
      nonces.insert(Array(sealed.prefix(aead.nonceByteCount)))
    }
    #expect(nonces.count == 200)
  }

  private func open(
    _ aead: AEAD, _ sealed: [UInt8], _ associatedData: [UInt8], _ nonce: [UInt8], _ key: [UInt8]
  ) throws -> [UInt8] {
    try aead.open(sealed, authenticating: associatedData, nonce: nonce, key: key)
  }
}
