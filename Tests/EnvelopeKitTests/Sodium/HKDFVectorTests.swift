// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct HKDFVectorTests {
  private struct Group: Decodable {
    let tests: [Vector]
  }

  private struct Vector: Decodable {
    let tcId, size: Int
    let ikm, salt, info, okm: HexBytes
    let result: WycheproofResult
  }

  @Test(.enabled(if: PublishedVectors.areExpected, "The vectors wycheproof/hkdf_sha256_test.json were not run"))
  func everyVectorDoesAsItSays() async throws {
    let vectors = try Wycheproof<Group>.load("hkdf_sha256")
    var (run, invalid) = (0, 0)
    for vector in vectors.testGroups.flatMap(\.tests) {
      run += 1
      switch vector.result {
      case .valid, .acceptable: #expect(try derive(vector) == vector.okm.bytes, "\(vector.tcId)")
      case .invalid:
        invalid += 1
        await expectError(.invalidArgument, at: "\(vector.tcId)") { try derive(vector) }
      }
    }
    #expect(run == vectors.numberOfTests && run >= 86 && invalid > 0)
  }

  @Test(arguments: [-1, 255 * 32 + 1, .max]) func lengthsThatThereAreNotAreRefused(byteCount: Int) async {
    let key = [UInt8](repeating: 1, count: 32)
    await expectError(.invalidArgument) {
      try unsafe HKDFSHA256.expand(byteCount, from: key.span.bytes, info: key.span.bytes)
    }
  }

  private func derive(_ vector: Vector) throws -> [UInt8] {
    let key = try unsafe HKDFSHA256.extract(
      inputKey: vector.ikm.bytes.span.bytes, salt: vector.salt.bytes.span.bytes)
    return try key.withBytes { key in
      try unsafe HKDFSHA256.expand(vector.size, from: key, info: vector.info.bytes.span.bytes).copy()
    }
  }
}
