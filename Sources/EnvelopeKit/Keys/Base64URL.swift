// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Unpadded base64url (RFC 4648, section 5) for public text: fast, canonical, not in constant time.
package enum Base64URL {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: .max, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  package static func isDigit(_ byte: UInt8) -> Bool { values[Int(byte)] < 64 }

  /// How many characters stand for so many bytes.
  package static func encodedLength(of byteCount: Int) -> Int { (byteCount * 4 + 2) / 3 }

  package static func encode(_ bytes: [UInt8]) -> String {
    unsafe String(unsafeUninitializedCapacity: encodedLength(of: bytes.count)) { buffer in
      var (count, bits, pending) = (0, 0, 0 as UInt32)
      for byte in bytes {
        pending = pending << 8 | UInt32(byte)
        bits += 8
        while bits >= 6 {
          bits -= 6
          unsafe buffer[count] = digits[Int(pending >> UInt32(bits)) & 63]
          count += 1
        }
      }
      if bits > 0 {
        unsafe buffer[count] = digits[Int(pending << UInt32(6 - bits)) & 63]
        count += 1
      }
      return count
    }
  }

  /// The bytes that a text stands for, or nil where it is not canonical: the whole text is consumed, holds
  /// nothing outside the alphabet, and its spare bits are zero.
  package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    let length = text.count
    guard length % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length * 3 / 4)
    var (bits, pending) = (0, 0 as UInt32)
    for character in text {
      let value = values[Int(character)]
      guard value < 64 else { return nil }
      pending = pending << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
      }
    }
    guard pending & (1 << UInt32(bits) - 1) == 0 else { return nil }
    return bytes
  }
}
