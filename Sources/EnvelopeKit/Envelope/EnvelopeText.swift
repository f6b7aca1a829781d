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
  /// - Parameters:
  ///   - text: The text.
  ///   - prefix: What it must begin with.
  ///   - ignoresLineFeed: Whether it may end with a line feed: Kubernetes adds one to a value that comes from a file.
  /// - Throws: `malformed` where the prefix is another or the base64url is not canonical.
  package static func decode(
    _ text: String, prefix: String, ignoresLineFeed: Bool = false
  ) throws(EnvelopeError) -> [UInt8] {
    let bytes = text.withUTF8Bytes { text -> [UInt8]? in
      guard text.starts(with: prefix) else { return nil }
      let endsLine = ignoresLineFeed && text.byteIfAny(at: text.byteCount - 1) == .lineFeed
      return Base64URL.decode(text.extracting(prefix.utf8.count..<text.byteCount - (endsLine ? 1 : 0)))
    }
    guard let bytes else {
      throw EnvelopeError(
        .malformed, "The text is not \(prefix) followed by unpadded URL-safe base64", advice: "Copy all of it again.")
    }
    return bytes
  }
}
