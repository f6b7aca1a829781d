// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// The maximum length of `envelope.yaml`, in bytes.
  static let byteLimit = 64 << 10

  /// The line of the first thing that could make the YAML parser work without end, before the parser sees the text.
  ///
  /// The parser hashes every key, an alias in it with all that it stands for, so that a few lines take for ever. Without
  /// an anchor there is no alias, and without the explicit form (`? key`) a key is at most 1,024 characters long. Both
  /// begin with a character at the start of a token. Here they may stand only where no token can start: after a letter,
  /// a digit or one of `/._=%`, and in comments. Quotes are not followed, because text that only seems to be quoted must
  /// not hide an anchor; so "R & D" is refused, too, and R&D is not.
  static func lineBeyondBounds(of yaml: String) -> Int? {
    var (line, previous, isComment) = (1, Unicode.Scalar("\n"), false)
    for scalar in yaml.unicodeScalars {
      switch scalar {
      case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
        isComment = false
        if scalar == "\n" { line += 1 }
      // A comment, or the text of a scalar: that ends at a quote at the earliest, or at the end of the line.
      case "#" where previous == " " || previous == "\t" || previous == "\n": isComment = true
      case "\"", "'": isComment = false
      case "&", "?":
        let isInside =
          previous.isASCII && previous.properties.isAlphabetic || "0123456789/._=%".unicodeScalars.contains(previous)
        if !isComment, !isInside { return line }
      default: break
      }
      previous = scalar
    }
    return nil
  }
}
