// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

extension HPKE {
  /// Seals into an array of its own, with given random bytes or drawn ones.
  static func seal(
    _ plaintext: [UInt8], authenticating associatedData: [UInt8], info: [UInt8], to publicKey: [UInt8],
    of kem: KEM = .x25519, randomness: [UInt8]? = nil
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: plaintext.count + overheadByteCount(of: kem)) { (output) throws(EnvelopeError) in
      guard let randomness else {
        return try unsafe seal(
          plaintext.span.bytes, authenticating: associatedData.span.bytes, info: info.span.bytes,
          to: publicKey.span.bytes, of: kem, into: &output)
      }
      try unsafe seal(
        plaintext.span.bytes, authenticating: associatedData.span.bytes, info: info.span.bytes,
        to: publicKey.span.bytes, of: kem, randomness: SecretBytes(randomness), into: &output)
    }
  }

  /// Opens into an array of its own.
  static func open(
    _ sealed: [UInt8], authenticating associatedData: [UInt8], info: [UInt8], with privateKey: [UInt8],
    of kem: KEM = .x25519
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: sealed.count) { (output) throws(EnvelopeError) in
      try unsafe open(
        sealed.span.bytes, authenticating: associatedData.span.bytes, info: info.span.bytes,
        with: privateKey.span.bytes, of: kem, into: &output)
    }
  }

  /// LabeledExtract over arrays.
  static func extract(_ inputKey: [UInt8], _ label: String, suite: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try unsafe labeledExtract(inputKey.span.bytes, label: label, salt: RawSpan(), suite: suite).copy()
  }

  /// LabeledExpand over arrays.
  static func expand(
    _ byteCount: Int, from key: [UInt8], _ label: String, info: [UInt8], suite: [UInt8]
  ) throws(EnvelopeError) -> [UInt8] {
    try unsafe labeledExpand(byteCount, from: key.span.bytes, label: label, info: info, suite: suite).copy()
  }
}

extension KEM {
  /// The public key of a private one, over arrays.
  func publicKey(of privateKey: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try unsafe publicKey(of: privateKey.span.bytes)
  }
}

extension X25519 {
  /// The public key of a private one, over arrays.
  static func publicKey(of privateKey: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try unsafe publicKey(of: privateKey.span.bytes)
  }

  /// Every point of low order as libsodium knows them, on the curve and on its twist (p being 2²⁵⁵ − 19): 0, 1, the two
  /// of order 8, p − 1, p and p + 1, and each once more with its unused highest bit set.
  static let lowOrderPoints: [[UInt8]] = [
    String(repeating: "00", count: 32),
    "01" + String(repeating: "00", count: 31),
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + String(repeating: "ff", count: 30) + "7f",
    "ed" + String(repeating: "ff", count: 30) + "7f",
    "ee" + String(repeating: "ff", count: 30) + "7f",
  ].compactMap { [UInt8](hex: $0) }.flatMap { [$0, $0.flipping(bit: 7, of: 31)] }
}
