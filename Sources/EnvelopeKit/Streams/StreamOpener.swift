// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Opens a stream, synchronously: bytes in, bytes out, with memory for two chunks (`Docs/Format.md`, section Files).
///
/// Each chunk is passed on only when it has verified. What was passed on is the beginning of what was sealed; that it is
/// all of it is known only when ``finish(_:)`` has returned.
public struct StreamOpener: ~Copyable, Sendable {
  /// The entry of the header that the data key was unwrapped from.
  public let source: WrappedDataKey
  private let chunks: ChunkSequence
  private var sealed: WipedBuffer
  private var plaintext: WipedBuffer
  private var nextChunk = 0
  private var hasFailed = false

  /// The length of the header that bytes begin with.
  ///
  /// - Parameter beginning: The first bytes of the stream, as many as there are yet. A header has at most 1,052,779 bytes.
  /// - Returns: Nil if the header goes on after these bytes.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`.
  public static func headerByteCount(of beginning: RawSpan) throws(EnvelopeError) -> Int? {
    guard case .complete(_, let byteCount) = try Header.fileHeader(of: beginning) else { return nil }
    return byteCount
  }

  /// Unwraps the data key of a stream and verifies its header.
  ///
  /// - Parameters:
  ///   - header: The header's bytes, as many as ``headerByteCount(of:)`` says.
  ///   - context: The pairs given when the stream was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept a stream that was opened through the entry of a recipient.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `contextDiffers`, `headerAltered`,
  ///   `anonymousSender`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    header: [UInt8], context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws {
    chunks = try await ChunkSequence.unlock(header, context: context, using: keyring, anonymousSender: sender)
    guard let source = chunks.source else { throw EnvelopeError(.keyNotFound, "The header was not unwrapped") }
    self.source = source
    sealed = try WipedBuffer(capacity: chunks.chunkByteCount + chunks.tagByteCount)
    plaintext = try WipedBuffer(capacity: chunks.chunkByteCount)
  }

  /// Takes bytes that follow the header, and passes what they open to to `body`.
  ///
  /// - Parameters:
  ///   - bytes: Any number of bytes. Up to one chunk is kept until more come, or the end.
  ///   - body: Receives the plaintext of each chunk, which has verified. The bytes are valid only inside it.
  /// - Throws: `payloadAltered`; `invalidArgument` after an error; what `body` throws.
  public mutating func append(
    _ bytes: RawSpan, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    try begin()
    var rest = bytes
    while !rest.isEmpty {
      if sealed.freeCapacity == 0 { try openKept(endsFile: false, body) }
      let part = rest.extracting(first: sealed.freeCapacity)
      sealed.append(part)
      rest = rest.extracting(droppingFirst: part.byteCount)
    }
    hasFailed = false
  }

  /// Opens the last chunk, and passes it to `body`.
  ///
  /// - Throws: As ``append(_:_:)``; `malformed` if the stream ends within a tag or before its last chunk.
  public consuming func finish(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    try begin()
    do throws(EnvelopeError) {
      guard sealed.byteCount >= chunks.tagByteCount, nextChunk == 0 || sealed.byteCount > chunks.tagByteCount else {
        throw EnvelopeError.truncated
      }
    } catch {
      chunks.report(error)
      throw error
    }
    try openKept(endsFile: true, body)
    chunks.report()
  }

  /// Until the call that this begins has succeeded, the opener counts as failed.
  private mutating func begin() throws(EnvelopeError) {
    guard !hasFailed else { throw .streamFailed }
    hasFailed = true
  }

  private mutating func openKept(
    endsFile: Bool, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    plaintext.removeAll()
    do throws(EnvelopeError) {
      try sealed.withBytes { (sealed) throws(EnvelopeError) in
        try plaintext.append { (output) throws(EnvelopeError) in
          try chunks.open(sealed, from: nextChunk, endsFile: endsFile, into: &output)
        }
      }
    } catch {
      chunks.report(error)
      throw error
    }
    nextChunk += 1
    sealed.removeAll()
    guard plaintext.byteCount > 0 else { return }
    try plaintext.withBytes(body)
  }
}
