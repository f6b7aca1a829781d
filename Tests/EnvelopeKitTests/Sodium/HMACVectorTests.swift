// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct HMACVectorTests {
  private struct Group: Decodable {
    let tagSize: Int
    let tests: [Vector]
  }

  private struct Vector: Decodable {
    let tcId: Int
    let key, msg, tag: HexBytes
    let result: WycheproofResult
  }

  @Test(.enabled(if: PublishedVectors.areExpected, "The vectors wycheproof/hmac_sha256_test.json were not run"))
  func everyVectorDoesAsItSays() throws {
    let vectors = try Wycheproof<Group>.load("hmac_sha256")
    var (run, invalid) = (0, 0)
    for group in vectors.testGroups {
      for vector in group.tests {
        run += 1
        invalid += vector.result == .invalid ? 1 : 0
        let tag = try code(of: vector.msg.bytes, [], key: vector.key.bytes).prefix(group.tagSize / 8)
        #expect((Array(tag) == vector.tag.bytes) == (vector.result == .valid), "\(vector.tcId)")
      }
    }
    #expect(run == vectors.numberOfTests && run >= 174 && invalid > 0)
  }

  /// RFC 2104 pads a key with zeros, so no key and a zero are one; how a message is split makes no difference.
  @Test func emptyKeysAndSplitMessages() throws {
    let message = Array("what do ya want for nothing?".utf8)
    #expect(try code(of: message, [], key: []) == code(of: [], message, key: [0]))
    for index in message.indices {
      #expect(
        try code(of: Array(message[..<index]), Array(message[index...]), key: Array("Jefe".utf8)).hex
          == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
  }

  @Test func aBufferWithoutRoomIsRefused() async {
    await expectError(.bufferTooSmall) {
      try [UInt8].appending(capacity: 31) { (output) throws(EnvelopeError) in
        try unsafe HMACSHA256.append(of: ([1] as [UInt8]).span.bytes, key: ([2] as [UInt8]).span.bytes, to: &output)
      }
    }
  }

  private func code(of first: [UInt8], _ second: [UInt8], key: [UInt8]) throws -> [UInt8] {
    try [UInt8].appending(capacity: 32) { (output) throws(EnvelopeError) in
      try unsafe HMACSHA256.append(of: first.span.bytes, second.span.bytes, key: key.span.bytes, to: &output)
    }
  }
}
