// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Divides bytes that come in pieces of any length into chunks, and seals or opens each once it is known whether it is
/// the last.
struct ChunkStream: ~Copyable, Sendable {
  let chunks: ChunkSequence
  private let direction: ChunkSequence.Direction
  private let coreCount: Int
  /// Up to one chunk that may be the last.
  private var kept: WipedBuffer
  private(set) var nextChunk = 0

  init(_ direction: ChunkSequence.Direction, _ chunks: ChunkSequence, coreCount: Int) throws(EnvelopeError) {
    kept = try WipedBuffer(capacity: chunks.inputByteCount(direction))
    self.chunks = chunks
    self.direction = direction
    self.coreCount = min(max(1, coreCount), 256)
  }

  /// How many bytes come out if so many are taken in.
  func outputByteCount(appending byteCount: Int) -> Int {
    // One byte more is needed to know that a chunk is not the last.
    let chunkCount = max(0, kept.byteCount + min(byteCount, 1 << 61) - 1) / chunks.inputByteCount(direction)
    return chunkCount * chunks.outputByteCount(direction)
  }

  /// How many bytes come out at the end.
  var outputByteCountAtEnd: Int {
    max(0, kept.byteCount + chunks.outputByteCount(direction) - chunks.inputByteCount(direction))
  }

  /// How many bytes to collect before a call, so that all cores have work: two stripes each, but at most 8 MiB or a chunk.
  var batchByteCount: Int {
    let chunkByteCount = chunks.inputByteCount(direction)
    return min(2 * coreCount * chunks.stripeChunkCount, max(1, (8 << 20) / chunkByteCount)) * chunkByteCount
  }

  /// Room for as many chunks as all cores take at once.
  func batchBuffer() throws(EnvelopeError) -> WipedBuffer {
    let chunkCount = coreCount == 1 ? 1 : coreCount * chunks.stripeChunkCount
    return try WipedBuffer(capacity: chunkCount * chunks.outputByteCount(direction))
  }

  /// Takes bytes from the front of `rest`, until there are none or the output has no room for one more chunk.
  mutating func take(from rest: inout RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    let (inputChunk, outputChunk) = (chunks.inputByteCount(direction), chunks.outputByteCount(direction))
    while !rest.isEmpty {
      if kept.byteCount == 0, rest.byteCount > inputChunk {
        let chunkCount = min((rest.byteCount - 1) / inputChunk, output.freeCapacity / outputChunk)
        guard chunkCount > 0 else { return }
        let part = rest.extracting(first: chunkCount * inputChunk)
        try chunks.convert(
          direction, part, from: nextChunk, endsFile: false, into: &output, coreCount: coreCount)
        nextChunk += chunkCount
        rest = rest.extracting(droppingFirst: part.byteCount)
      } else if kept.freeCapacity == 0 {
        guard output.freeCapacity >= outputChunk else { return }
        try convertKept(endsFile: false, into: &output)
      } else {
        let part = rest.extracting(first: kept.freeCapacity)
        kept.append(part)
        rest = rest.extracting(droppingFirst: part.byteCount)
      }
    }
  }

  /// Seals or opens the last chunk.
  ///
  /// - Throws: `malformed` if sealed bytes end within a tag, or the last of several chunks is empty.
  mutating func finish(into output: inout OutputRawSpan) throws(EnvelopeError) {
    if direction == .opening {
      let tagByteCount = chunks.tagByteCount
      guard kept.byteCount >= tagByteCount, nextChunk == 0 || kept.byteCount > tagByteCount else {
        throw EnvelopeError.truncated
      }
    }
    try convertKept(endsFile: true, into: &output)
  }

  private mutating func convertKept(endsFile: Bool, into output: inout OutputRawSpan) throws(EnvelopeError) {
    try kept.withBytes { (kept) throws(EnvelopeError) in
      try chunks.convert(direction, kept, from: nextChunk, endsFile: endsFile, into: &output)
    }
    nextChunk += 1
    kept.removeAll()
  }
}
