// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Many chunks in memory at once, on several cores.
extension ChunkSequence {
  /// What is done to chunks.
  package enum Direction: Sendable {
    case sealing
    case opening
  }

  /// How many chunks a worker takes at once: 256 KiB, or one chunk if that is longer.
  package var stripeChunkCount: Int { max(1, (1 << 18) / chunkByteCount) }

  /// The bytes of a chunk before, but for a file's last.
  package func inputByteCount(_ direction: Direction) -> Int {
    direction == .sealing ? chunkByteCount : chunkByteCount + tagByteCount
  }

  /// The bytes of a chunk afterwards, but for a file's last.
  package func outputByteCount(_ direction: Direction) -> Int {
    direction == .sealing ? chunkByteCount + tagByteCount : chunkByteCount
  }

  /// Seals or opens chunks on one core.
  ///
  /// - Throws: What ``seal(_:from:endsFile:into:)`` and ``open(_:from:endsFile:into:)`` throw.
  package func convert(
    _ direction: Direction, _ bytes: RawSpan, from first: Int, endsFile: Bool, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    switch direction {
    case .sealing: try seal(bytes, from: first, endsFile: endsFile, into: &output)
    case .opening: try open(bytes, from: first, endsFile: endsFile, into: &output)
    }
  }

  /// Seals or opens chunks on several cores.
  ///
  /// - Throws: As on one core; nothing is appended then.
  package func convert(
    _ direction: Direction, _ bytes: RawSpan, from first: Int, endsFile: Bool, into output: inout OutputRawSpan,
    coreCount: Int
  ) throws(EnvelopeError) {
    let (inputChunk, outputChunk) = (inputByteCount(direction), outputByteCount(direction))
    let chunkCount = max(1, (bytes.byteCount + inputChunk - 1) / inputChunk)
    let stripeCount = (chunkCount + stripeChunkCount - 1) / stripeChunkCount
    guard coreCount > 1, stripeCount > 1 else {
      return try convert(direction, bytes, from: first, endsFile: endsFile, into: &output)
    }
    let byteCount = bytes.byteCount + chunkCount * (outputChunk - inputChunk)
    guard output.freeCapacity >= byteCount else { throw .bufferTooSmall }
    let queue = StripeQueue(count: stripeCount)
    try unsafe output.withUnsafeMutableBytes { (buffer, initialized) throws(EnvelopeError) in
      let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[initialized..<initialized + byteCount])
      // Each worker writes the stripes that it took, which share no byte with those of others.
      try queue.run(coreCount: coreCount) { () throws(EnvelopeError) in
        while let stripe = queue.take() {
          let chunk = stripe * stripeChunkCount
          let isLast = stripe == stripeCount - 1
          let input = bytes.extracting(droppingFirst: chunk * inputChunk)
          let end = isLast ? byteCount : (chunk + stripeChunkCount) * outputChunk
          let place = unsafe UnsafeMutableRawBufferPointer(rebasing: free[chunk * outputChunk..<end])
          var stripeOutput = unsafe OutputRawSpan(buffer: place, initializedCount: 0)
          try convert(
            direction, isLast ? input : input.extracting(first: stripeChunkCount * inputChunk), from: first + chunk,
            endsFile: endsFile && isLast, into: &stripeOutput)
          _ = unsafe stripeOutput.finalize(for: place)
        }
      }
      initialized += byteCount
    }
  }
}
