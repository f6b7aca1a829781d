// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Opens a stream, synchronously: bytes in, bytes out, in memory that does not grow (`Docs/Format.md`, section Files).
///
/// Every chunk that comes out has verified, and is the next of what was sealed. That all of it has come out is known only
/// when ``finish(_:)`` or ``finish(into:)`` has returned. After an error the opener takes nothing more.
public struct StreamOpener: ~Copyable, Sendable {
  /// The entry of the header that the data key was unwrapped from.
  public let source: WrappedDataKey
  private var stream: ChunkStream

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
  ///   - coreCount: How many threads share the work of a call that gets many chunks at once: 1 to 256, or the nearest of
  ///     these. The work is done when the call returns.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept a stream that was opened through the entry of a recipient.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `contextDiffers`, `headerAltered`,
  ///   `anonymousSender`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    header: [UInt8], context: EncryptionContext, coreCount: Int = 1, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws {
    try await self.init(
      ChunkSequence.unlock(header, context: context, using: keyring, anonymousSender: sender), coreCount: coreCount)
  }

  /// Opens an unlocked sequence.
  package init(_ chunks: ChunkSequence, coreCount: Int) throws(EnvelopeError) {
    guard let source = chunks.source else { throw EnvelopeError(.keyNotFound, "The header was not unwrapped") }
    let stream = try ChunkStream(.opening, chunks, coreCount: coreCount)
    self.source = source
    self.stream = stream
  }

  /// How many bytes ``append(_:into:)`` appends for so many sealed bytes.
  public func outputByteCount(appending byteCount: Int) -> Int { stream.outputByteCount(appending: byteCount) }

  /// How many bytes ``finish(into:)`` appends.
  public var outputByteCountAtEnd: Int { stream.outputByteCountAtEnd }

  /// Takes bytes that follow the header, and appends the plaintext of each chunk that is complete.
  ///
  /// - Parameters:
  ///   - sealed: Any number of bytes. Up to one chunk is kept until more come, or the end.
  ///   - output: Has room for ``outputByteCount(appending:)``.
  /// - Throws: `payloadAltered`: what was appended up to then has verified; `bufferTooSmall`; `invalidArgument` after an
  ///   error.
  public mutating func append(_ sealed: RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    try stream.begin()
    guard output.freeCapacity >= outputByteCount(appending: sealed.byteCount) else { throw .bufferTooSmall }
    try stream.append(sealed, into: &output)
    stream.succeed()
  }

  /// Takes bytes that follow the header, and passes the plaintext of each chunk that is complete to `body`.
  ///
  /// - Parameters:
  ///   - sealed: Any number of bytes. Up to one chunk is kept until more come, or the end.
  ///   - body: Receives the next bytes of the plaintext, which have verified. They are valid only inside it.
  /// - Throws: `payloadAltered`; `invalidArgument` after an error; what `body` throws.
  public mutating func append(
    _ sealed: RawSpan, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    try stream.begin()
    try stream.append(sealed, body)
    stream.succeed()
  }

  /// Opens the last chunk, and appends its plaintext.
  ///
  /// - Parameter output: Has room for ``outputByteCountAtEnd``.
  /// - Throws: As ``append(_:into:)``; `malformed` if the stream ends within a tag or before its last chunk.
  public consuming func finish(into output: inout OutputRawSpan) throws(EnvelopeError) {
    try stream.begin()
    guard output.freeCapacity >= outputByteCountAtEnd else { throw .bufferTooSmall }
    try stream.finish(into: &output)
  }

  /// Opens the last chunk, and passes its plaintext to `body`.
  ///
  /// - Throws: As ``append(_:_:)``; `malformed` if the stream ends within a tag or before its last chunk.
  public consuming func finish(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    try stream.begin()
    var buffer = try WipedBuffer(capacity: outputByteCountAtEnd)
    try buffer.append { (output) throws(EnvelopeError) in try stream.finish(into: &output) }
    if buffer.byteCount > 0 { try buffer.withBytes(body) }
  }

  /// How many bytes to collect before a call, so that all cores have work.
  package var batchByteCount: Int { stream.batchByteCount }
}
