// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct X25519VectorTests {
  private struct Group: Decodable {
    let tests: [Vector]
  }

  private struct Vector: Decodable {
    let tcId: Int
    let `public`, `private`, shared: HexBytes
    let result: WycheproofResult
  }

  @Test(.enabled(if: PublishedVectors.areExpected, "The vectors wycheproof/x25519_test.json were not run"))
  func everyVectorDoesAsItSays() async throws {
    let vectors = try Wycheproof<Group>.load("x25519")
    var (run, zero) = (0, 0)
    for vector in vectors.testGroups.flatMap(\.tests) {
      run += 1
      if vector.shared.bytes.allSatisfy({ $0 == 0 }) {
        zero += 1
        #expect(vector.result != .valid)
        await expectError(.invalidArgument, at: "\(vector.tcId)") {
          try sharedSecret(vector.private.bytes, vector.public.bytes)
        }
      } else {
        let secret = try sharedSecret(vector.private.bytes, vector.public.bytes)
        #expect((secret == vector.shared.bytes) == (vector.result != .invalid), "\(vector.tcId)")
      }
    }
    #expect(run == vectors.numberOfTests && run >= 518 && zero > 0)
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func keysOfAnotherLengthAreRefused(byteCount: Int) async {
    let (wrong, right) = ([UInt8](repeating: 9, count: byteCount), [UInt8](repeating: 9, count: 32))
    await expectError(.invalidArgument) { try sharedSecret(wrong, right) }
    await expectError(.invalidArgument) { try sharedSecret(right, wrong) }
  }

  private func sharedSecret(_ privateKey: [UInt8], _ publicKey: [UInt8]) throws -> [UInt8] {
    try unsafe X25519.sharedSecret(privateKey: privateKey.span.bytes, publicKey: publicKey.span.bytes).copy()
  }
}
