// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct Argon2idTests {
  /// Under the salt 00 01 … 0f, in one lane, by OpenSSL's implementation, which shares nothing with libsodium's. (The
  /// vector of RFC 9106 has four lanes, a secret and associated data, none of which libsodium takes.)
  private static let vectors: [(passphrase: String, memoryLog2: UInt8, passes: UInt8, key: String)] = [
    ("passphrase", 3, 1, "fbf7e4ccf0f8866cd1825daa1412c2d48ca7ed8c0afc5e335aab5c73c2bf906f"),
    ("passphrase", 6, 3, "a335787b3b623fd60eb32e4a115530a46ba9039aa16d09980ce20926a7cd47a3"),
    ("\0", 3, 255, "642e00072cae63c3c94a7ab7633baa0bb37dc4e75ff4ed4b4a297d1914b3f685"),
    ("pässwörd λ", 10, 2, "5c60e653f587fa0957eccc0adb1ade4a65adb07674ae162cb09fcabb3fe99c35"),
    (String(repeating: "x", count: 200), 4, 4, "f65fbbd55e6c7e2db93728c4ce752cd790683775c57bbe7d44326a7e2e2de4e5"),
    ("passphrase", 18, 3, "5d9964c20801680b202c603b2e09284db91fba5176c42c463ae74d42e3372795"),
  ]

  private func key(_ passphrase: [UInt8], salt: [UInt8], cost: Argon2id.Cost) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: 32) { (output) throws(EnvelopeError) in
      try unsafe Argon2id.append(passphrase: passphrase.span.bytes, salt: salt.span.bytes, cost: cost, to: &output)
    }
  }

  @Test(arguments: vectors)
  func everyVectorGivesItsKey(passphrase: String, memoryLog2: UInt8, passes: UInt8, key: String) throws {
    let cost = Argon2id.Cost(memoryLog2: memoryLog2, passes: passes)
    #expect(try self.key(Array(passphrase.utf8), salt: Array(0..<16), cost: cost).hex == key)
  }

  /// What a header may ask for: at least 8 KiB, at most 1 GiB, and passes × MiB of at most 4,096.
  @Test func everyPairOfCostBytesIsBoundedByTheRule() {
    var bounded = 0
    for memoryLog2 in UInt8.min ... .max {
      for passes in UInt8.min ... .max {
        let mebibytes = Double(sign: .plus, exponent: Int(memoryLog2) - 10, significand: 1)
        let isAllowed =
          mebibytes >= 8.0 / 1024 && mebibytes <= 1024 && passes >= 1 && Double(passes) * mebibytes <= 4096
        let cost = Argon2id.Cost(memoryLog2: memoryLog2, passes: passes)
        #expect(cost.isBounded == isAllowed, "\(memoryLog2), \(passes)")
        bounded += isAllowed ? 1 : 0
      }
    }
    // 255 passes up to 16 MiB, and then half as many with each doubling: 128, 64, 32, 16, 8 and 4.
    #expect(bounded == 12 * 255 + 128 + 64 + 32 + 16 + 8 + 4)
    #expect(Argon2id.Cost.moderate == Argon2id.Cost(memoryLog2: 18, passes: 3) && Argon2id.Cost.moderate.isBounded)
  }

  @Test func whatDoesNotFitIsRefused() async {
    let (good, salt) = ([1, 2, 3] as [UInt8], [UInt8](0..<16))
    for cost in [(0, 1), (2, 1), (3, 0), (21, 1), (20, 5), (64, 1), (255, 255)] as [(UInt8, UInt8)] {
      await expectError(.invalidArgument, at: "\(cost)") {
        try key(good, salt: salt, cost: Argon2id.Cost(memoryLog2: cost.0, passes: cost.1))
      }
    }
    for salt in [[], Array(0..<15), Array(0..<17)] as [[UInt8]] {
      await expectError(.invalidArgument) { try key(good, salt: salt, cost: .cheap) }
    }
    for passphrase in [[], [UInt8](repeating: 1, count: (1 << 20) + 1)] {
      await expectError(.invalidArgument) { try key(passphrase, salt: salt, cost: .cheap) }
    }
    await expectError(.bufferTooSmall) {
      try [UInt8].appending(capacity: 31) { (output) throws(EnvelopeError) in
        try unsafe Argon2id.append(passphrase: good.span.bytes, salt: salt.span.bytes, cost: .cheap, to: &output)
      }
    }
  }
}
