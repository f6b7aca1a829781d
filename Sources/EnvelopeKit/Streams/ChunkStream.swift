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
  /// Room for as many chunks as all cores take at once; nil until a caller brings no room of its own.
  private var batch: WipedBuffer?
  private var nextChunk = 0
  private var hasFailed = false

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

  /// Begins a call: until ``succeed()``, the stream counts as failed.
  ///
  /// - Throws: `invalidArgument` if a call before has failed.
  mutating func begin() throws(EnvelopeError) {
    guard !hasFailed else { throw .streamFailed }
    hasFailed = true
  }

  /// Ends a call that was begun.
  mutating func succeed() { hasFailed = false }

  /// Takes bytes, and appends what comes out of them, for which there must be room.
  ///
  /// - Throws: `payloadAltered`, or what sealing throws.
  mutating func append(_ bytes: RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    var rest = bytes
    try take(from: &rest, into: &output)
  }

  /// Takes bytes, and passes what comes out of them to `body`, some chunks at a time.
  ///
  /// - Throws: `payloadAltered`, or what sealing throws; what `body` throws.
  mutating func append(_ bytes: RawSpan, _ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    var buffer = try takeBatch()
    var rest = bytes
    while !rest.isEmpty {
      buffer.removeAll()
      try buffer.append { (output) throws(EnvelopeError) in try take(from: &rest, into: &output) }
      if buffer.byteCount > 0 { try buffer.withBytes(body) }
    }
    batch = consume buffer
  }

  private mutating func takeBatch() throws(EnvelopeError) -> WipedBuffer {
    if let buffer = batch.take() { return buffer }
    let chunkCount = coreCount == 1 ? 1 : coreCount * chunks.stripeChunkCount
    return try WipedBuffer(capacity: chunkCount * chunks.outputByteCount(direction))
  }

  /// Takes bytes from the front of `rest`, until there are none or the output has no room for one more chunk.
  private mutating func take(from rest: inout RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    let (inputChunk, outputChunk) = (chunks.inputByteCount(direction), chunks.outputByteCount(direction))
    while !rest.isEmpty {
      if kept.byteCount == 0, rest.byteCount > inputChunk {
        let chunkCount = min((rest.byteCount - 1) / inputChunk, output.freeCapacity / outputChunk)
        guard chunkCount > 0 else { return }
        let part = rest.extracting(first: chunkCount * inputChunk)
        try reporting { () throws(EnvelopeError) in
          try chunks.convert(
            direction, part, from: nextChunk, endsFile: false, into: &output, coreCount: coreCount)
        }
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
      try reporting { () throws(EnvelopeError) in
        let tagByteCount = chunks.tagByteCount
        guard kept.byteCount >= tagByteCount, nextChunk == 0 || kept.byteCount > tagByteCount else {
          throw EnvelopeError.truncated
        }
      }
    }
    try convertKept(endsFile: true, into: &output)
    if direction == .opening { chunks.report() }
  }

  private mutating func convertKept(endsFile: Bool, into output: inout OutputRawSpan) throws(EnvelopeError) {
    try reporting { () throws(EnvelopeError) in
      try kept.withBytes { (kept) throws(EnvelopeError) in
        try chunks.convert(direction, kept, from: nextChunk, endsFile: endsFile, into: &output)
      }
    }
    nextChunk += 1
    kept.removeAll()
  }

  /// Reports to the keyring's observer if `body` fails; a sequence that is sealed has none.
  private func reporting(_ body: () throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      try body()
    } catch {
      chunks.report(error)
      throw error
    }
  }
}

extension EnvelopeError {
  fileprivate static let streamFailed = EnvelopeError(
    .invalidArgument, "The stream has failed before, and takes nothing more", advice: "Begin a new one.")
}
