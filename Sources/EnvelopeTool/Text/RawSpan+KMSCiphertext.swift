// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension RawSpan {
  /// Whether this is padded base64 of a ciphertext of a symmetric KMS key, as its leading bytes tell.
  ///
  /// AWS does not document them. In all examples of AWS's documentation and in public repositories a ciphertext begins with
  /// 01, a number of 1 or 2, a number of 1 to 3, 00 and 78: in base64 `AQICAH`, `AQECAH`, `AQIDAH`, `AQIBAH` or
  /// `AQEBAH`. Until about 2016 the same was inside a message: 0a 20, 32 bytes that identify the key, 12 and the length of
  /// the rest (`CiA` to `CiD`). Larger numbers are taken, too. A random key, a hash or a certificate begins otherwise.
  ///
  /// Of other secrets no more than five bytes are decoded.
  var isKMSCiphertext: Bool {
    // As many bytes as AWS KMS makes of one character, or more.
    guard byteCount >= 88, byteCount % 4 == 0 else { return false }
    let digits = byteCount - (0..<2).count { byte(at: byteCount - 1 - $0) == .equals }
    guard (0..<digits).allSatisfy({ Self.sextet(byte(at: $0)) != nil }) else { return false }
    if isKMSBlob(at: 0) { return true }
    guard decoded(0) == 0x0a, decoded(1) == 0x20, decoded(34) == 0x12 else { return false }
    // A length of 128 or more takes two bytes.
    return isKMSBlob(at: decoded(35) & 0x80 == 0 ? 36 : 37)
  }

  private func isKMSBlob(at offset: Int) -> Bool {
    decoded(offset) == 1 && (1...9).contains(decoded(offset + 1)) && (1...9).contains(decoded(offset + 2))
      && decoded(offset + 3) == 0 && decoded(offset + 4) == 0x78
  }

  /// The byte at an offset of what the base64 stands for; there are at least 64.
  private func decoded(_ offset: Int) -> UInt8 {
    let start = offset / 3 * 4
    let word = (0..<4).reduce(UInt32(0)) { $0 << 6 | UInt32(Self.sextet(byte(at: start + $1)) ?? 0) }
    return UInt8(truncatingIfNeeded: word >> (16 - offset % 3 * 8))
  }

  private static func sextet(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
