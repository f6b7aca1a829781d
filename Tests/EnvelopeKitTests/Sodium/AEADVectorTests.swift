// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct AEADVectorTests {
  fileprivate struct Group: Decodable {
    let ivSize: Int
    let tests: [Vector]
  }

  fileprivate struct Vector: Decodable {
    let tcId: Int
    let key, iv, aad, msg, ct, tag: HexBytes
    let result: WycheproofResult
  }

  @Test(
    .enabled(if: PublishedVectors.areExpected, "The vectors wycheproof/{x,}chacha20_poly1305_test.json were not run"),
    arguments: [
      ("chacha20_poly1305", AEAD.chaCha20Poly1305, 325), ("xchacha20_poly1305", AEAD.xChaCha20Poly1305, 315),
    ])
  func everyVectorDoesAsItSays(file: String, aead: AEAD, count: Int) async throws {
    let vectors = try Wycheproof<Group>.load(file)
    var (run, invalid) = (0, 0)
    for group in vectors.testGroups {
      for vector in group.tests {
        run += 1
        let id = "\(file) \(vector.tcId)"
        if vector.result == .valid {
          #expect(try aead.seal(vector) == vector.ct.bytes + vector.tag.bytes, "\(id)")
          #expect(try aead.open(vector) == vector.msg.bytes, "\(id)")
        } else if group.ivSize != aead.nonceByteCount * 8 {
          invalid += 1
          await expectError(.invalidArgument, at: id) { try aead.seal(vector) }
          await expectError(.invalidArgument, at: id) { try aead.open(vector) }
        } else {
          invalid += 1
          await expectError(.payloadAltered, at: id) { try aead.open(vector) }
        }
      }
    }
    #expect(run == vectors.numberOfTests)
    #expect(run >= count, "vectors of \(file) are missing")
    #expect(invalid > 0)
  }
}

extension AEAD {
  fileprivate func seal(_ vector: AEADVectorTests.Vector) throws -> [UInt8] {
    try seal(vector.msg.bytes, authenticating: vector.aad.bytes, nonce: vector.iv.bytes, key: vector.key.bytes)
  }

  fileprivate func open(_ vector: AEADVectorTests.Vector) throws -> [UInt8] {
    try open(
      vector.ct.bytes + vector.tag.bytes, authenticating: vector.aad.bytes, nonce: vector.iv.bytes,
      key: vector.key.bytes)
  }
}
