// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Collects the pieces of an asynchronous sequence into longer ones.
struct ByteCollector<Base: AsyncIteratorProtocol> where Base.Element == [UInt8] {
  private var base: Base
  private var piece: [UInt8] = []
  private var position = 0
  /// Whether all bytes have been collected.
  private(set) var isAtEnd = false

  init(_ base: Base) { self.base = base }

  /// The next bytes: so many, fewer at the end of the sequence.
  mutating func collect(upTo byteCount: Int, isolation actor: isolated (any Actor)?) async throws -> WipedBuffer {
    var buffer = try WipedBuffer(capacity: byteCount)
    while buffer.freeCapacity > 0 {
      if position == piece.count {
        guard let next = try await base.next(isolation: actor) else {
          (piece, position, isAtEnd) = ([], 0, true)
          break
        }
        (piece, position) = (next, 0)
      }
      let count = min(buffer.freeCapacity, piece.count - position)
      unsafe buffer.append(piece.span.bytes.extracting(position..<position + count))
      position += count
    }
    return buffer
  }

  /// The header that the sequence begins with.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`.
  mutating func collectHeader(isolation actor: isolated (any Actor)?) async throws -> [UInt8] {
    var header: [UInt8] = []
    while case .needs(let byteCount) = try unsafe Header.fileHeader(of: header.span.bytes) {
      let more = try await collect(upTo: byteCount - header.count, isolation: actor)
      guard more.byteCount > 0 else { throw EnvelopeError.truncated }
      more.withBytes { header.append(copying: $0) }
    }
    return header
  }
}

extension Array where Element == UInt8 {
  /// Appends a copy of bytes.
  mutating func append(copying bytes: RawSpan) {
    append(addingCapacity: bytes.byteCount) { $0.withRawSpan(capacity: bytes.byteCount) { $0.append(bytes) } }
  }
}
