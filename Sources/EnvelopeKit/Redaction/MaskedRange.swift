// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Bytes of a text that one mask replaces.
struct MaskedRange: Sendable, Equatable {
  var start: Int
  var end: Int
  /// The secret of the longest match in the range.
  var secret: Int
  /// The length of that match.
  var matchLength: Int
}

extension [MaskedRange] {
  /// Adds a match that ends at or after all others, and merges those that it overlaps.
  mutating func add(_ match: MaskedRange) {
    var match = match
    while let last, last.end > match.start {
      match.start = Swift.min(match.start, last.start)
      match.end = Swift.max(match.end, last.end)
      if last.matchLength >= match.matchLength { (match.secret, match.matchLength) = (last.secret, last.matchLength) }
      removeLast()
    }
    append(match)
  }
}
