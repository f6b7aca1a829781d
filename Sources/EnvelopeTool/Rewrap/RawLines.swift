// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// Reads a file line by line as it stands, in memory that its length does not determine.
struct RawLines: ~Copyable {
  private static let partByteCount = 1 << 20

  private var buffer: [UInt8] = []
  private var position = 0
  private var offset = 0
  private let byteCount: Int
  private let path: Path
  /// The number of lines that were passed on.
  private(set) var lineCount = 0
  /// Whether the bytes belong to a line that is longer than any that is sealed.
  private var isLong = false

  /// - Parameter byteCount: The length of the part to read, from the beginning.
  init(_ path: Path, byteCount: Int) { (self.path, self.byteCount) = (path, byteCount) }

  /// Passes on the next line with its line feed, or a part of one that is too long; false at the end.
  mutating func next(
    of file: borrowing Descriptor, _ body: (RawSpan, _ isLine: Bool, _ number: Int) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) -> Bool {
    while true {
      var end = position
      while end < buffer.count, buffer[end] != .lineFeed { end += 1 }
      let isEnded = end < buffer.count
      if isEnded || offset == byteCount && position < buffer.count || end - position > RecordLine.byteLimit {
        let last = isEnded ? end + 1 : end
        if !isLong { lineCount += 1 }
        let isLine = !isLong && (isEnded || offset == byteCount)
        isLong = !isEnded
        let range = position..<last
        position = last
        try unsafe body(buffer.span.bytes.extracting(range), isLine, lineCount)
        return true
      }
      guard offset < byteCount else { return false }
      let next = min(byteCount, offset + Self.partByteCount)
      buffer = try Array(buffer[position...]) + file.readPart(offset..<next, of: path)
      (position, offset) = (0, next)
    }
  }
}
