// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct HPKETests {
  private let privateKey = [UInt8]((1...32).map { UInt8($0 * 5) })

  @Test(arguments: KEM.here) func noTwoMessagesShareAnEphemeralKey(kem: KEM) throws {
    let publicKey = try kem.publicKey(of: privateKey)
    let sealed = try (0..<64).map { _ in
      try HPKE.seal([1], authenticating: [], info: [], to: publicKey, of: kem).prefix(32)
    }
    #expect(Set(sealed).count == 64)
  }

  @Test(arguments: KEM.here) func everyFlippedBitIsRefused(kem: KEM) async throws {
    let publicKey = try kem.publicKey(of: privateKey)
    let sealed = try HPKE.seal([1, 2, 3], authenticating: [4], info: [5], to: publicKey, of: kem)
    #expect(sealed.count == kem.encapsulatedByteCount + 3 + 16)
    for index in sealed.indices {
      for bit in 0..<8 {
        await expectError(.payloadAltered, at: "bit \(bit) of byte \(index)") {
          try HPKE.open(sealed.flipping(bit: bit, of: index), authenticating: [4], info: [5], with: privateKey, of: kem)
        }
      }
    }
    let others: [(associatedData: [UInt8], info: [UInt8])] = [
      ([], [5]), ([4], []), ([4, 0], [5]), ([4], [5, 0]), ([5], [4]),
    ]
    for (associatedData, info) in others {
      await expectError(.payloadAltered) {
        try HPKE.open(sealed, authenticating: associatedData, info: info, with: privateKey, of: kem)
      }
    }
    await expectError(.payloadAltered) {
      try HPKE.open(sealed, authenticating: [4], info: [5], with: privateKey.flipping(bit: 3, of: 9), of: kem)
    }
  }

  @Test(arguments: KEM.here) func whatIsTooShortIsRefused(kem: KEM) async throws {
    let publicKey = try kem.publicKey(of: privateKey)
    let sealed = try HPKE.seal([], authenticating: [], info: [], to: publicKey, of: kem)
    #expect(sealed.count == kem.encapsulatedByteCount + 16)
    #expect(try HPKE.open(sealed, authenticating: [], info: [], with: privateKey, of: kem) == [])
    for length in sealed.indices {
      await expectError(.payloadAltered, at: "\(length) bytes") {
        try HPKE.open(Array(sealed.prefix(length)), authenticating: [], info: [], with: privateKey, of: kem)
      }
    }
    await expectError(.payloadAltered) {
      try HPKE.open(sealed + [0], authenticating: [], info: [], with: privateKey, of: kem)
    }
  }

  /// The shared secret would be all zero, and known to everybody.
  @Test func pointsOfLowOrderAreRefusedInBothDirections() async throws {
    #expect(X25519.lowOrderPoints.count == 14 && X25519.lowOrderPoints.allSatisfy { $0.count == 32 })
    for point in X25519.lowOrderPoints {
      await expectError(.invalidArgument, at: point.hex) {
        try HPKE.seal([1], authenticating: [], info: [], to: point)
      }
      // What an attacker would send: all of it made from the all-zero secret.
      let forged = try forge([1], encapsulated: point, exchanged: [UInt8](repeating: 0, count: 32))
      await expectError(.payloadAltered, at: point.hex) {
        try HPKE.open(forged, authenticating: [], info: [], with: privateKey)
      }
    }
    // What is forged in the same way for an honest exchange opens: so the refusals are due to the points.
    let (ephemeral, publicKey) = ([UInt8](repeating: 3, count: 32), try X25519.publicKey(of: privateKey))
    let exchanged = try unsafe X25519.sharedSecret(
      privateKey: ephemeral.span.bytes, publicKey: publicKey.span.bytes)
    let honest = try forge([1], encapsulated: X25519.publicKey(of: ephemeral), exchanged: exchanged.copy())
    #expect(try HPKE.open(honest, authenticating: [], info: [], with: privateKey) == [1])
  }

  /// A message made of the outcome of an exchange, by whoever knows that.
  private func forge(_ plaintext: [UInt8], encapsulated: [UInt8], exchanged: [UInt8]) throws -> [UInt8] {
    let kemSuite = Array("KEM".utf8) + [0x00, 0x20]
    let prk = try HPKE.extract(exchanged, "eae_prk", suite: kemSuite)
    let context = try encapsulated + X25519.publicKey(of: privateKey)
    let secret = try HPKE.expand(32, from: prk, "shared_secret", info: context, suite: kemSuite)
    let keys = try HPKE.MessageKeys(sharedSecret: SecretBytes(secret), info: RawSpan(), kem: .x25519)
    let key = keys.key.withBytes { [UInt8](copying: $0) }
    let nonce = keys.nonce.withBytes { [UInt8](copying: $0) }
    return try encapsulated + AEAD.chaCha20Poly1305.seal(plaintext, authenticating: [], nonce: nonce, key: key)
  }

  @Test(arguments: KEM.here, [0, 1, 31, 33, 64, 1215, 1217])
  func keysOfAnotherLengthAreRefused(kem: KEM, byteCount: Int) async throws {
    let wrong = [UInt8](repeating: 9, count: byteCount)
    let sealed = try HPKE.seal([1], authenticating: [], info: [], to: kem.publicKey(of: privateKey), of: kem)
    await expectError(.invalidArgument) { try HPKE.seal([1], authenticating: [], info: [], to: wrong, of: kem) }
    await expectError(.invalidArgument) { try HPKE.open(sealed, authenticating: [], info: [], with: wrong, of: kem) }
  }

  @Test(arguments: KEM.here) func aBufferThatIsTooSmallGetsNothing(kem: KEM) async throws {
    let (privateKey, publicKey) = (privateKey, try kem.publicKey(of: privateKey))
    let sealed = try HPKE.seal([1, 2], authenticating: [], info: [], to: publicKey, of: kem)
    for capacity in [0, 31, 32, kem.encapsulatedByteCount, sealed.count - 1] {
      var count: Int?
      await expectError(.bufferTooSmall, at: "\(capacity)") {
        try [UInt8].appending(capacity: capacity) { (output) throws(EnvelopeError) in
          defer { count = output.byteCount }
          try unsafe HPKE.seal(
            ([1, 2] as [UInt8]).span.bytes, authenticating: RawSpan(), info: RawSpan(), to: publicKey.span.bytes,
            of: kem, into: &output)
        }
      }
      #expect(count == 0)
    }
    await expectError(.bufferTooSmall) {
      try [UInt8].appending(capacity: 1) { (output) throws(EnvelopeError) in
        try unsafe HPKE.open(
          sealed.span.bytes, authenticating: RawSpan(), info: RawSpan(), with: privateKey.span.bytes, of: kem,
          into: &output)
      }
    }
  }
}
