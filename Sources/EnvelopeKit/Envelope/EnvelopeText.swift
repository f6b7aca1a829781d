// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The text form: a prefix and unpadded base64url, canonical (`Docs/Format.md`, section Text form).
package enum EnvelopeText {
  /// Marks anything that begins with a header.
  package static let headerPrefix = "ek1:"
  /// Marks a sealed variable.
  package static let variablePrefix = "ev1:"

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
    var isText = false
    let bytes = [UInt8].appending(capacity: Base64URL.decodedLength(of: text.utf8.count)) { output in
      isText = append(decoding: text, prefix: prefix, ignoresLineFeed: ignoresLineFeed, to: &output)
    }
    guard isText else {
      throw EnvelopeError(
        .malformed, "The text is not \(prefix) followed by unpadded URL-safe base64", advice: "Copy all of it again.")
    }
    return bytes
  }

  /// Appends the bytes of a text with this prefix, for which there must be room; returns false if it is not such a text.
  static func append(
    decoding text: String, prefix: String, ignoresLineFeed: Bool, to output: inout OutputRawSpan
  ) -> Bool {
    text.withUTF8Bytes { text in
      guard text.starts(with: prefix) else { return false }
      let endsLine = ignoresLineFeed && text.byteIfAny(at: text.byteCount - 1) == .lineFeed
      return Base64URL.append(
        decoding: text.extracting(prefix.utf8.count..<text.byteCount - (endsLine ? 1 : 0)), to: &output)
    }
  }
}
