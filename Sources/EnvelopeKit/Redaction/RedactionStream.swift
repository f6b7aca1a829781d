// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Masks secrets in a stream of bytes, also if they are split over several parts of it.
///
/// Bytes that may be the beginning of a secret are held back until the following ones decide it, in memory that is
/// wiped. The stream never holds back more bytes than the longest form of a secret has.
package struct RedactionStream: ~Copyable {
  private let redactor: Redactor
  private var search = PatternSearch()
  /// The ranges that are not written yet, by their positions in the whole stream.
  private var ranges: [MaskedRange] = []
  /// How many bytes have been appended.
  private var end = 0
  /// The position up to which bytes are written, or lie in the first range and are not needed any more.
  private var done = 0
  /// The bytes from `done` to `end`.
  private var held = HeldBytes()

  package init(_ redactor: Redactor) { self.redactor = redactor }

  /// The number of bytes that are held back.
  package var heldByteCount: Int { held.byteCount }

  /// The number of steps of the search so far.
  var stepCount: Int { search.stepCount }

  /// Appends bytes.
  ///
  /// - Parameter write: Receives bytes that hold no secret, in order; they are valid only inside.
  /// - Throws: What `write` throws. The stream must not be used after that.
  package mutating func append<E: Error>(_ bytes: RawSpan, _ write: (RawSpan) throws(E) -> Void) throws(E) {
    guard let automaton = redactor.automaton else { return try write(bytes) }
    let start = end
    let depth = automaton.withTables { tables in
      tables.search(bytes, &search, continues: true) { position, pattern in
        let length = tables.length(ofPattern: pattern)
        ranges.add(
          MaskedRange(
            start: start + position - length, end: start + position, secret: tables.secret(ofPattern: pattern),
            matchLength: length))
      }
      return tables.depth(search.node)
    }
    end += bytes.byteCount
    // No match that is still possible begins before this position.
    try advance(to: end - depth, bytes, from: start, write)
    // The rest of what was held lies before the rest of the new bytes.
    held.removeFirst(held.byteCount - max(start - done, 0))
    held.append(bytes.extracting(max(done - start, 0)..<bytes.byteCount))
  }

  /// Writes what is held back, as no more bytes follow.
  package consuming func finish<E: Error>(_ write: (RawSpan) throws(E) -> Void) throws(E) {
    try advance(to: end, RawSpan(), from: end, write)
  }

  /// Writes everything before a position at which a secret may begin.
  private mutating func advance<E: Error>(
    to limit: Int, _ bytes: RawSpan, from start: Int, _ write: (RawSpan) throws(E) -> Void
  ) throws(E) {
    let first = start - held.byteCount
    var written = 0
    for range in ranges {
      guard range.start < limit else { break }
      try Self.write(done..<max(range.start, done), held, from: first, bytes, from: start, write)
      done = max(done, range.start)
      // A later match may overlap this one; the bytes are not needed for that.
      guard range.end <= limit else { break }
      try redactor.masks[range.secret].withUTF8Bytes { (mask) throws(E) in try write(mask) }
      done = range.end
      written += 1
    }
    ranges.removeFirst(written)
    let next = ranges.first.map { min($0.start, limit) } ?? limit
    try Self.write(done..<max(next, done), held, from: first, bytes, from: start, write)
    done = max(done, limit)
  }

  /// Writes a range of the held bytes and those that follow them.
  private static func write<E: Error>(
    _ range: Range<Int>, _ held: borrowing HeldBytes, from first: Int, _ bytes: RawSpan, from start: Int,
    _ write: (RawSpan) throws(E) -> Void
  ) throws(E) {
    if range.lowerBound < min(range.upperBound, start) {
      try held.withBytes { (held) throws(E) in
        try write(held.extracting(range.lowerBound - first..<min(range.upperBound, start) - first))
      }
    }
    if max(range.lowerBound, start) < range.upperBound {
      try write(bytes.extracting(max(range.lowerBound, start) - start..<range.upperBound - start))
    }
  }
}
