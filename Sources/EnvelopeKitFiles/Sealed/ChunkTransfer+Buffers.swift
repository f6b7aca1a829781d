// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

extension ChunkTransfer {
  /// The memory of one worker for one stripe: what is read, what is written, and the plaintext between if both are sealed.
  struct Buffers: ~Copyable {
    private let transfer: ChunkTransfer
    private var input: WipedBuffer
    private var plaintext: WipedBuffer
    private var output: WipedBuffer

    init(for transfer: ChunkTransfer) throws(EnvelopeError) {
      let chunks = transfer.opening ?? transfer.sealing
      let chunkCount = chunks?.stripeChunkCount ?? 0
      // The bytes of a chunk are the same in both sequences, the suite too.
      let (plain, sealed) = (
        chunkCount * (chunks?.outputByteCount(.opening) ?? 0), chunkCount * (chunks?.outputByteCount(.sealing) ?? 0)
      )
      let isResealing = transfer.opening != nil && transfer.sealing != nil
      let input = try WipedBuffer(capacity: transfer.opening == nil ? plain : sealed)
      let plaintext = try WipedBuffer(capacity: isResealing ? plain : 0)
      let output = try WipedBuffer(capacity: transfer.sealing == nil ? plain : sealed)
      self.transfer = transfer
      self.input = input
      self.plaintext = plaintext
      self.output = output
    }

    var inputByteCount: Int { input.byteCount }

    /// Replaces what was read.
    mutating func read(_ body: (inout OutputRawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
      input.removeAll()
      try input.append(body)
    }

    /// Makes the output of what was read.
    mutating func convert(from first: Int, endsFile: Bool) throws(EnvelopeError) {
      output.removeAll()
      switch (transfer.opening, transfer.sealing) {
      case (let opening?, let sealing?):
        plaintext.removeAll()
        try input.withBytes { (input) throws(EnvelopeError) in
          try plaintext.append { (output) throws(EnvelopeError) in
            try opening.convert(
              .opening, input, from: first, endsFile: endsFile, into: &output)
          }
        }
        try plaintext.withBytes { (plaintext) throws(EnvelopeError) in
          try output.append { (output) throws(EnvelopeError) in
            try sealing.convert(
              .sealing, plaintext, from: first, endsFile: endsFile, into: &output)
          }
        }
      case (let opening?, nil): try convert(.opening, opening, from: first, endsFile: endsFile)
      case (nil, let sealing?): try convert(.sealing, sealing, from: first, endsFile: endsFile)
      case (nil, nil): return
      }
    }

    private mutating func convert(
      _ direction: ChunkSequence.Direction, _ chunks: ChunkSequence, from first: Int, endsFile: Bool
    ) throws(EnvelopeError) {
      try input.withBytes { (input) throws(EnvelopeError) in
        try output.append { (output) throws(EnvelopeError) in
          try chunks.convert(direction, input, from: first, endsFile: endsFile, into: &output)
        }
      }
    }

    /// Gives access to the output.
    func withOutput(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
      try output.withBytes(body)
    }
  }
}
