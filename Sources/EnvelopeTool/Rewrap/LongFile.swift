// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// A file that is longer than any command reads.
///
/// Nothing in it can be opened. A former reader could pad a sealed file so that it is passed over, and remove the padding
/// later, so such a file is searched for what it would hold then.
enum LongFile {
  /// Whether something that looks sealed is anywhere in a file, read in parts.
  static func mayHoldSealed(
    _ file: borrowing Descriptor, byteCount: Int, of path: Path, partByteCount: Int = 1 << 20
  ) throws(EnvelopeError) -> Bool {
    for start in stride(from: 0, to: byteCount, by: partByteCount) {
      let range = max(0, start - RawSpan.longestSealedMark)..<min(start + partByteCount, byteCount)
      let part = try file.readPart(range, of: path)
      if unsafe part.span.bytes.holdsSealedMark { return true }
    }
    return false
  }
}

extension RawSpan {
  /// The number of base64url digits of an authentication tag, which every sealed value has at least.
  private static let digitCount = 22

  /// The most bytes that a mark takes, each character of it written as an escape of JSON such as `\u0065`.
  fileprivate static let longestSealedMark = 6 * ("ek1:".utf8.count + digitCount)

  /// Whether the bytes hold the beginning of an envelope, or of a sealed variable's text.
  ///
  /// Names such as `ENVELOPE_HEADER` are no mark: programs and pages have them, too.
  fileprivate var holdsSealedMark: Bool {
    for offset in 0..<byteCount {
      switch byte(at: offset) {
      case UInt8(ascii: "E"): if isHeader(at: offset) { return true }
      case UInt8(ascii: "e"), .backslash: if isSealedText(at: offset) { return true }
      default: break
      }
    }
    return false
  }

  /// Magic, version, kind and suite.
  private func isHeader(at offset: Int) -> Bool {
    byteIfAny(at: offset + 1) == UInt8(ascii: "K") && byteIfAny(at: offset + 2) == 1
      && (1...5).contains(byteIfAny(at: offset + 3) ?? 0) && [1, 2].contains(byteIfAny(at: offset + 4))
  }

  /// Whether the text of something sealed begins here, of an envelope or a variable, as far as it has a tag's length.
  func isSealedText(at start: Int) -> Bool {
    var offset = start
    guard takeCharacter(&offset) == UInt8(ascii: "e"),
      let second = takeCharacter(&offset), second == UInt8(ascii: "k") || second == UInt8(ascii: "v"),
      takeCharacter(&offset) == UInt8(ascii: "1"), takeCharacter(&offset) == UInt8(ascii: ":")
    else { return false }
    for _ in 0..<Self.digitCount {
      guard let digit = takeCharacter(&offset), Base64URL.isDigit(digit) else { return false }
    }
    return true
  }

  /// The next ASCII character, which JSON may spell as an escape; nil at the end.
  private func takeCharacter(_ offset: inout Int) -> UInt8? {
    guard let byte = byteIfAny(at: offset) else { return nil }
    offset += 1
    guard byte == .backslash, byteIfAny(at: offset) == UInt8(ascii: "u"),
      let unit = JSONScanner.unit(at: offset + 1, in: self), let character = UInt8(exactly: unit)
    else { return byte }
    offset += 5
    return character
  }
}
