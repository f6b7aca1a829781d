// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals the records of one segment: a header, and records under keys that move on (`Docs/Format.md`, section Records).
///
/// The data key is gone when the segment has been made, and the key of a record when the record has been sealed. A copy of
/// the process goes on with the same keys; nonces are random, so none repeats under a key.
package struct RecordSegment: ~Copyable, Sendable {
  /// The most records of a segment.
  package static let recordLimit = 65_536
  /// The longest canonical form of a record's clear pairs in bytes.
  package static let clearByteLimit = 65_536
  /// The length of the sequence and the type in a record's associated data, before its clear pairs.
  static let fixedDataByteCount = 9

  /// The header's bytes.
  package let header: [UInt8]
  /// The salt of the header, which the next segment names.
  package let salt: [UInt8]
  /// The name of the segment in its lines.
  package let id: SegmentID
  /// The first bytes of the nonce of the record that was sealed last, which the next part of its payload names.
  package private(set) var lastMark: UInt64 = 0
  /// The sequence of the next record.
  package private(set) var nextSequence = 0
  private let aead: AEAD
  private var ratchet: Ratchet

  /// Generates a data key and wraps it.
  ///
  /// - Throws: `unsupportedSuite`, `invalidArgument` for a context that breaks a limit or a keyring of a passphrase, or
  ///   what the keyring throws.
  package static func make(
    context: EncryptionContext, suite: AlgorithmSuite, using keyring: some Keyring
  ) async throws -> RecordSegment {
    let unlocked = try await UnlockedHeader.make(.records(suite), context: context, using: keyring)
    guard unlocked.header.hasSchemeOfRecords else {
      throw EnvelopeError(
        .invalidArgument, "Records cannot be sealed under a passphrase: each segment would cost a slow hash",
        advice: "Seal them to a recipient or under a key.")
    }
    return try RecordSegment(unlocked)
  }

  private init(_ unlocked: borrowing UnlockedHeader) throws(EnvelopeError) {
    header = unlocked.header.bytes
    let salt = unlocked.header.salt
    self.salt = salt
    id = unsafe SegmentID(salt: salt.span.bytes)
    aead = unlocked.header.suite.aead
    ratchet = try unlocked.keys.ratchet()
  }

  /// Whether the system keeps the keys out of swap.
  package var isLocked: Bool { ratchet.isLocked }

  /// How many bytes a sealed record is longer than its payload.
  package var overheadByteCount: Int { aead.overheadByteCount }

  /// Appends the associated data of the next record, before its clear pairs.
  package func appendAssociatedData(
    _ type: RecordType, _ part: RecordPart = .whole, to output: inout GrowingBuffer
  ) {
    Self.appendAssociatedData(nextSequence, type, part, to: &output)
  }

  static func appendAssociatedData(
    _ sequence: Int, _ type: RecordType, _ part: RecordPart, to output: inout GrowingBuffer
  ) {
    output.append(bigEndian: UInt64(sequence))
    output.append(type.rawValue | part.rawValue)
  }

  /// Seals the next record, and moves the key on.
  ///
  /// - Parameters:
  ///   - payload: The payload.
  ///   - associatedData: What ``appendAssociatedData(_:_:to:)`` appended, and the clear pairs behind it.
  ///   - output: Receives the nonce, the ciphertext and the tag.
  /// - Throws: `invalidArgument` if the segment is full; `bufferTooSmall` for an impossible length.
  package mutating func seal(
    _ payload: RawSpan, authenticating associatedData: RawSpan, into output: inout GrowingBuffer
  ) throws(EnvelopeError) {
    guard nextSequence < Self.recordLimit else {
      throw EnvelopeError(.invalidArgument, "A segment has at most \(Self.recordLimit) records")
    }
    nextSequence += 1
    output.reserve(payload.byteCount + overheadByteCount)
    let start = output.byteCount
    try ratchet.advance { (key) throws(EnvelopeError) in
      try output.append(capacity: payload.byteCount + aead.overheadByteCount) { (output) throws(EnvelopeError) in
        try aead.seal(payload, authenticating: associatedData, key: key, into: &output)
      }
    }
    lastMark = output.withBytes { RecordSegment.mark(of: $0.extracting(droppingFirst: start)) }
  }

  /// The first bytes of the nonce of a sealed record, which distinguish two records of one sequence.
  static func mark(of sealed: RawSpan) -> UInt64 { sealed.bigEndianInteger(at: 0) }
}

extension KeySchedule {
  /// The keys of a segment's records, from the first.
  borrowing func ratchet() throws(EnvelopeError) -> Ratchet {
    try Ratchet { (output) throws(EnvelopeError) in try append(.records, to: &output) }
  }
}
