// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
  /// The bytes of hexadecimal text, or nil.
  init?(hex: String) {
    let digits = Array<Character>(hex)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(digits[index...index + 1]), radix: 16) else { return nil }
      bytes.append(byte)
    }
    self = bytes
  }

  /// Two lowercase digits for each byte.
  var hex: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The same bytes with one bit the other way.
  func flipping(bit: Int, of index: Int) -> [UInt8] {
    var bytes = self
    bytes[index] ^= 1 << UInt8(bit)
    return bytes
  }
}
