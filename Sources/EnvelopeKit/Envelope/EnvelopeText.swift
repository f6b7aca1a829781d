// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The text form: a prefix and unpadded base64url, canonical (`Docs/Format.md`, section Text form).
package enum EnvelopeText {
  /// Marks anything that begins with a header.
  package static let headerPrefix = "ek1:"
  /// Marks a sealed variable.
  package static let variablePrefix = "ev1:"

  package static func encode(_ bytes: [UInt8], prefix: String) -> String {
    Base64URL.encode(bytes, after: prefix)
  }

  /// The bytes of a text with this prefix.
  ///
  /// - Throws: `malformed` where the prefix is another or the base64url is not canonical.
  package static func decode(_ text: String, prefix: String) throws(EnvelopeError) -> [UInt8] {
    guard text.utf8.starts(with: prefix.utf8), let bytes = Base64URL.decode(text.utf8.dropFirst(prefix.utf8.count))
    else {
      throw EnvelopeError(
        .malformed, "A text that should begin with \(prefix) and go on in unpadded URL-safe base64 does not",
        advice: "Check that it was copied whole.")
    }
    return bytes
  }
}
