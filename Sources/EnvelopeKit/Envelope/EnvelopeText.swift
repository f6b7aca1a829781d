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
        .malformed, "The text is not \(prefix) followed by unpadded URL-safe base64", advice: "Copy all of it again.")
    }
    return bytes
  }

  /// The text of a variable without the line feed at its end, which Kubernetes adds to a value that comes from a file.
  static func withoutLineFeed(_ text: String) -> String {
    text.utf8.last == .lineFeed ? String(Substring(text.utf8.dropLast())) : text
  }
}
