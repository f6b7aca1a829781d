// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct WrappedDataKeyTests {
  @Test(arguments: [
    (WrappingScheme.keyset, [72], [0, 1, 71, 73, 80, 65535]), (.recipient, [80], [0, 72, 79, 81]),
    (.awsKMS, [1, 184, 6144], [0, 6145, 65535]), (.passphrase, [90], [0, 89, 91]), (.other, [1, 65535], [0, 65536]),
    (WrappingScheme(rawValue: 0), [1, 65535], [0, 65536]),
  ])
  func lengthsAreFixedByTheScheme(scheme: WrappingScheme, fit: [Int], others: [Int]) async throws {
    let id = try KeyID("key")
    for count in fit {
      let key = try WrappedDataKey(scheme: scheme, keyID: id, bytes: [UInt8](repeating: 1, count: count))
      #expect(key.bytes.count == count)
    }
    for count in others {
      await expectError(.malformed) {
        try WrappedDataKey(scheme: scheme, keyID: id, bytes: [UInt8](repeating: 1, count: count))
      }
    }
  }

  @Test(arguments: [0, 1, 16, 31, 33, 64]) func dataKeysOfAnotherLengthAreRefused(byteCount: Int) async {
    await expectError(.invalidArgument) { try DataKey(copying: [UInt8](repeating: 1, count: byteCount)) }
  }
}
