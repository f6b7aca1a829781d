// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

@testable import EnvelopeTool

/// What is a ciphertext of AWS KMS is told by its leading bytes.
@Suite(.timeLimit(.minutes(20))) struct KMSCiphertextTests {
  private func isCiphertext(_ text: String) -> Bool { text.withUTF8Bytes { $0.isKMSCiphertext } }

  private func isCiphertext(_ bytes: Data) -> Bool { isCiphertext(bytes.base64EncodedString()) }

  private static let identifier = Data((0..<32).map { 200 + $0 })
  /// The structure that follows the identifier of the key: PKCS #7 EncryptedData.
  private static let rest =
    Data([0, 0, 0, 0x7e, 0x30, 0x7c, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 6]) + Data(count: 110)

  /// The beginnings that public examples have.
  @Test(arguments: [[1, 2, 2], [1, 1, 2], [1, 2, 3], [1, 2, 1], [1, 1, 1]] as [[UInt8]])
  func beginningsOfCiphertextsAreKnown(version: [UInt8]) {
    let blob = Data(version + [0, 0x78]) + Self.identifier + Self.rest
    #expect(isCiphertext(blob))
    #expect(["AQICAH", "AQECAH", "AQIDAH", "AQIBAH", "AQEBAH"].contains(blob.base64EncodedString().prefix(6)))
    // Within a message, whose length takes two bytes or one.
    for length in [[UInt8(0xaf), 1], [0x7f]] {
      let message = Data([0x0a, 0x20]) + Self.identifier + Data([0x12] + length) + blob
      #expect(isCiphertext(message) && ["CiD", "CiA"].contains(message.base64EncodedString().prefix(3)))
    }
  }

  /// The first bytes of a secret, and how many zeros follow, 32 of them before the last part of a message.
  @Test(
    arguments: [
      ([], 64, []), ([UInt8](0..<64), 0, []), ([UInt8](repeating: 1, count: 96), 0, []), ([0x30, 0x82], 900, []),
      ([1, 2, 2, 0], 96, []), ([1, 2, 2, 1, 0x78], 96, []), ([0, 2, 2, 0, 0x78], 96, []), ([1, 0, 2, 0, 0x78], 96, []),
      ([1, 2, 10, 0, 0x78], 96, []), ([0x0a, 0x20], 96, []), ([0x0a, 0x20], 96, [0x12, 0x70]),
      ([0x0a, 0x20], 96, [0x12, 0x70, 0x70, 0x70, 1, 1, 2, 0, 0x78]),
      ([0x0a, 0x21], 96, [0x12, 0x70, 1, 1, 2, 0, 0x78]),
    ] as [([UInt8], Int, [UInt8])])
  func secretsInBase64AreNotCiphertexts(start: [UInt8], zeroCount: Int, part: [UInt8]) {
    let identifier = part.isEmpty ? Data() : Data(count: 32)
    let secret = Data(start) + identifier + Data(part) + Data(count: zeroCount)
    #expect(!isCiphertext(secret))
  }

  @Test func textThatIsNotPaddedBase64IsNoCiphertext() {
    let text = (Data([1, 2, 2, 0, 0x78]) + Data(count: 96)).base64EncodedString()
    #expect(isCiphertext(text) && text.hasSuffix("="))
    for other in [
      "", "AQICAHg=", String(text.prefix(84)), String(text.dropLast()), text + "\n", text + "====", " " + text,
      text.replacing("=", with: "-"), "AQICAH" + String(repeating: "é", count: 41),
      text.replacing("AAAA", with: "A=AA"),
    ] { #expect(!isCiphertext(other), "\(other)") }
  }
}
