// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeKit

/// The published vectors of HPKE's base mode: of RFC 9180 with X25519, and of draft-ietf-hpke-pq with X-Wing.
@Suite(.timeLimit(.minutes(20))) struct HPKEPublishedVectorTests {
  private struct Vector: Decodable {
    let kem_id: Int
    let info, ikmE, skRm, pkRm, enc, shared_secret, key, base_nonce: HexBytes
    let skEm: HexBytes?
    let encryptions: [Message]
  }

  private struct Message: Decodable {
    let aad, ct, pt: HexBytes
  }

  @Test(
    .enabled(if: PublishedVectors.areExpected, "The vectors hpke/*-hkdf-sha256-chacha20poly1305.json were not run"),
    arguments: KEM.here)
  func everyVectorDoesAsItSays(kem: KEM) async throws {
    let name = "\(kem == .x25519 ? "x25519" : "mlkem768x25519")-hkdf-sha256-chacha20poly1305.json"
    let data = try Data(contentsOf: PublishedVectors.folder.appending(path: "hpke/\(name)"))
    let vectors = try JSONDecoder().decode([Vector].self, from: data)
    #expect(!vectors.isEmpty, "vectors of \(name) are missing")
    for vector in vectors {
      #expect([UInt8(vector.kem_id >> 8), UInt8(vector.kem_id & 0xff)] == kem.id)
      let (privateKey, publicKey, info) = (vector.skRm.bytes, vector.pkRm.bytes, vector.info.bytes)
      #expect(try kem.publicKey(of: privateKey) == publicKey)
      let secret = try unsafe kem.sharedSecret(of: vector.enc.bytes.span.bytes, privateKey: privateKey.span.bytes)
      #expect(secret.vectorBytes == vector.shared_secret.bytes)
      let keys = try unsafe HPKE.MessageKeys(sharedSecret: secret, info: info.span.bytes, kem: kem)
      #expect(keys.key.vectorBytes == vector.key.bytes && keys.nonce.vectorBytes == vector.base_nonce.bytes)
      // The first message is what one call seals and opens; X-Wing's is made of 64 random bytes, X25519's of a key.
      let first = try #require(vector.encryptions.first)
      let sealed = try HPKE.seal(
        first.pt.bytes, authenticating: first.aad.bytes, info: info, to: publicKey, of: kem,
        randomness: vector.skEm?.bytes ?? vector.ikmE.bytes)
      #expect(sealed == vector.enc.bytes + first.ct.bytes)
      #expect(
        try HPKE.open(sealed, authenticating: first.aad.bytes, info: info, with: privateKey, of: kem) == first.pt.bytes)
      for message in vector.encryptions.dropFirst() {
        await expectError(.payloadAltered) {
          try HPKE.open(
            vector.enc.bytes + message.ct.bytes, authenticating: message.aad.bytes, info: info, with: privateKey,
            of: kem)
        }
      }
    }
  }
}
