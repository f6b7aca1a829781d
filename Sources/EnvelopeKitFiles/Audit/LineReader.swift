// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Reads a file line by line, however long the file is.
struct LineReader: ~Copyable {
  private let file: Descriptor
  private let path: Path
  private let limit: Int
  private var buffer: [UInt8] = []
  private var position = 0
  private var offset = 0
  private var lineCount = 0
  private let byteCount: Int

  /// - Parameter limit: The most bytes of a line, its line feed included.
  init(file: consuming Descriptor, path: Path, limit: Int, wait: LockWait) throws(EnvelopeError) {
    // Whoever appends has the lock: a line that is being written is not looked at, and none that was cut off.
    let beside = try file.lock(shared: true, of: path, wait) ? nil : try path.lock(wait)
    byteCount = try file.status(of: path).byteCount
    flock(file.number, LOCK_UN)
    _ = consume beside
    self.file = file
    self.path = path
    self.limit = limit
  }

  private var tooLong: EnvelopeError {
    .auditLogAltered("entry \(lineCount + 1) was altered: its line is longer than any entry")
  }

  /// Whether bytes follow the last line feed.
  var hasRest: Bool { position < buffer.count }

  /// The next line without its line feed, or nil where there is none.
  ///
  /// - Throws: `auditLogAltered` where a line is longer than the limit, `fileFailure`.
  mutating func next() throws(EnvelopeError) -> [UInt8]? {
    while true {
      if let end = buffer[position...].firstIndex(of: .lineFeed) {
        guard end - position < limit else { throw tooLong }
        defer { (position, lineCount) = (end + 1, lineCount + 1) }
        return Array(buffer[position..<end])
      }
      guard offset < byteCount else { return nil }
      guard buffer.count - position < limit else { throw tooLong }
      let end = min(byteCount, offset + (1 << 20))
      buffer = try Array(buffer[position...]) + file.readPart(offset..<end, of: path)
      (position, offset) = (0, end)
    }
  }
}
