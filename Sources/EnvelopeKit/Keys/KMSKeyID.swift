// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The ids that AWS KMS gives its keys (AWS KMS API Reference, `KeyId`).
package enum KMSKeyID {
  /// Returns whether a name is a UUID, such as `1234abcd-12ab-34cd-56ef-1234567890ab`, or `mrk-` and 32 digits.
  ///
  /// No key of a key store may have such a name: it would not be known which of the two is meant.
  package static func isOne(_ name: String) -> Bool {
    let isHexadecimal = { (text: Substring) in
      text.utf8.allSatisfy { $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) }
    }
    if name.hasPrefix("mrk-") { return name.utf8.count == 36 && isHexadecimal(name.dropFirst(4)) }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.allSatisfy(isHexadecimal)
  }
}
