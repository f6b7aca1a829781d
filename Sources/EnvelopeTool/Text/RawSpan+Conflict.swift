// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension RawSpan {
  /// Where the first line begins that git puts around the two sides of a conflict; nil if there is none.
  var firstConflictMark: Int? {
    var isLineStart = true
    for offset in 0..<byteCount {
      if isLineStart, isConflictMark(at: offset) { return offset }
      isLineStart = byte(at: offset) == .lineFeed
    }
    return nil
  }

  /// Whether seven of the same sign begin here, as in the lines that git puts around the two sides of a conflict.
  func isConflictMark(at start: Int) -> Bool {
    guard let mark = byteIfAny(at: start), Set("<|=>".utf8).contains(mark) else { return false }
    return (start..<start + 7).allSatisfy { byteIfAny(at: $0) == mark }
  }
}

extension EnvelopeError {
  static func mergeConflict(at offset: Int, in text: RawSpan) -> EnvelopeError {
    .line(
      at: offset, in: text, "is where git could not merge two edits",
      advice: "Keep one side of each conflict, either one of ENVELOPE_HEADER; then run: envelope accept FILE")
  }
}
