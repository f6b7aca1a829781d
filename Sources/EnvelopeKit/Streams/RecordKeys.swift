// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The keys of a segment's records for a reader, who may need any of them.
///
/// A chain is kept for every 256 records that were passed, so that no sequence that a line claims costs more than the
/// first walk to it and 256 steps.
struct RecordKeys: ~Copyable {
  private static let interval = 256
  private static let chainByteCount = Ratchet.chainByteCount

  private let aead: AEAD
  /// The sequence whose key `chain` leads to.
  private var position = 0
  private var chain = GrowingBuffer(capacity: 32)
  /// The chains of the sequences 0, 256, 512 …, as far as there are any.
  private var checkpoints = GrowingBuffer(capacity: 32)
  /// What a step writes.
  private var next = GrowingBuffer(capacity: 64)

  /// Begins with the keys of an unlocked header.
  init(_ unlocked: borrowing UnlockedHeader) throws(EnvelopeError) {
    aead = unlocked.header.suite.aead
    try unlocked.keys.appendChain(to: &chain)
    chain.withBytes { checkpoints.append($0) }
  }

  /// Opens the sealed bytes of a record, and appends its payload if they verify.
  ///
  /// - Throws: `payloadAltered`.
  mutating func open(
    _ sealed: RawSpan, sequence: Int, authenticating associatedData: RawSpan, into payload: inout GrowingBuffer
  ) throws(EnvelopeError) {
    guard sealed.byteCount >= aead.overheadByteCount else { throw .payloadAltered }
    if sequence != position { try walk(to: sequence) }
    try step()
    let byteCount = sealed.byteCount - aead.overheadByteCount
    try next.withBytes { (next) throws(EnvelopeError) in
      try payload.append(capacity: byteCount) { (output) throws(EnvelopeError) in
        try aead.open(
          sealed, authenticating: associatedData, key: next.extracting(last: Self.chainByteCount), into: &output)
      }
    }
    advance()
  }

  /// Goes to the chain of a sequence, from the nearest one before it that is there.
  private mutating func walk(to sequence: Int) throws(EnvelopeError) {
    let nearest = min(sequence / Self.interval, checkpoints.byteCount / Self.chainByteCount - 1)
    if sequence < position || nearest * Self.interval > position {
      chain.remove()
      checkpoints.withBytes { checkpoints in
        let start = nearest * Self.chainByteCount
        chain.append(checkpoints.extracting(start..<start + Self.chainByteCount))
      }
      position = nearest * Self.interval
    }
    while position < sequence {
      try step()
      advance()
    }
  }

  private mutating func step() throws(EnvelopeError) {
    next.remove()
    try chain.withBytes { (chain) throws(EnvelopeError) in
      try next.append(capacity: 2 * Self.chainByteCount) { (output) throws(EnvelopeError) in
        try Ratchet.step(chain, into: &output)
      }
    }
  }

  private mutating func advance() {
    chain.remove()
    next.withBytes { chain.append($0.extracting(first: Self.chainByteCount)) }
    position += 1
    if position == checkpoints.byteCount / Self.chainByteCount * Self.interval {
      chain.withBytes { checkpoints.append($0) }
    }
  }
}

extension KeySchedule {
  /// Appends the chain that leads to the keys of a segment's records.
  fileprivate borrowing func appendChain(to output: inout GrowingBuffer) throws(EnvelopeError) {
    try output.append(capacity: Ratchet.chainByteCount) { (output) throws(EnvelopeError) in
      try append(.records, to: &output)
    }
  }
}
