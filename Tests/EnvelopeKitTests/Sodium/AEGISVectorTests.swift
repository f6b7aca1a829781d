// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// The published vectors of AEGIS-256 have tags of 128 bits, which are the exclusive or of the halves of one of 256.
@Suite(.timeLimit(.minutes(20))) struct AEGISVectorTests {
  private struct Group: Decodable {
    let tests: [Vector]
  }

  private struct Vector: Decodable {
    let tcId: Int
    let key, iv, aad, msg, ct, tag: HexBytes
    let result: WycheproofResult
  }

  @Test(
    .enabled(if: PublishedVectors.areExpected, "The vectors wycheproof/aegis256_test.json were not run"),
    .enabled(
      if: AEAD.aegis256.isAvailable, "libsodium has no AEGIS-256 before 1.0.19: Tests/run tries another one, too"))
  func everyVectorDoesAsItSays() async throws {
    let vectors = try Wycheproof<Group>.load("aegis256")
    var (run, invalid) = (0, 0)
    for vector in vectors.testGroups.flatMap(\.tests) {
      run += 1
      let id = "aegis256 \(vector.tcId)"
      let (key, nonce, data) = (vector.key.bytes, vector.iv.bytes, vector.aad.bytes)
      let sealed = try AEAD.aegis256.seal(vector.msg.bytes, authenticating: data, nonce: nonce, key: key)
      let tag = sealed.suffix(32)
      let folded = zip(tag.prefix(16), tag.suffix(16)).map { $0 ^ $1 }
      #expect(
        (Array(sealed.dropLast(32)) + folded == vector.ct.bytes + vector.tag.bytes) == (vector.result == .valid),
        "\(id)")
      #expect(
        try AEAD.aegis256.open(sealed, authenticating: data, nonce: nonce, key: key) == vector.msg.bytes, "\(id)")
      guard vector.result == .invalid else { continue }
      invalid += 1
      // No tag of 256 bits for what the vector alters: its ciphertext with the tag of the message it was made of.
      let altered = zip(folded, vector.tag.bytes).map { $0 ^ $1 }
      guard altered.contains(where: { $0 != 0 }) else { continue }
      let wrong = Array(sealed.dropLast(32)) + zip(tag, altered + [UInt8](repeating: 0, count: 16)).map { $0 ^ $1 }
      await expectError(.payloadAltered, at: id) {
        try AEAD.aegis256.open(wrong, authenticating: data, nonce: nonce, key: key)
      }
    }
    #expect(run == vectors.numberOfTests)
    #expect(run >= 472, "vectors of aegis256 are missing")
    #expect(invalid > 0)
  }
}
