// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals a stream of any length, synchronously: bytes in, bytes out, in memory that does not grow
/// (`Docs/Format.md`, section Files).
///
/// A stream opens to its end only if ``finish(_:)`` or ``finish(into:)`` has ended it. After an error the sealer takes
/// nothing more.
public struct StreamSealer: ~Copyable, Sendable {
  private var stream: ChunkStream
  private var hasHeader = false

  /// Generates a data key and wraps it.
  ///
  /// - Parameters:
  ///   - context: Pairs that must be given again to open.
  ///   - suite: The cipher.
  ///   - chunkSize: How many bytes are sealed together.
  ///   - coreCount: How many threads share the work of a call that gets many chunks at once: 1 to 256, or the nearest of
  ///     these. The work is done when the call returns.
  ///   - keyring: Wraps the data key.
  /// - Throws: `unsupportedSuite`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    context: EncryptionContext, suite: AlgorithmSuite = .chaCha20Poly1305, chunkSize: ChunkSize = .standard,
    coreCount: Int = 1, using keyring: some Keyring
  ) async throws {
    try await self.init(
      ChunkSequence.make(context: context, suite: suite, chunkSize: chunkSize, using: keyring), coreCount: coreCount)
  }

  /// Seals a sequence of which no chunk has been sealed.
  package init(_ chunks: ChunkSequence, coreCount: Int) throws(EnvelopeError) {
    stream = try ChunkStream(.sealing, chunks, coreCount: coreCount)
  }

  /// How many bytes ``append(_:into:)`` appends for so many bytes of plaintext.
  public func outputByteCount(appending byteCount: Int) -> Int {
    stream.outputByteCount(appending: byteCount) + (hasHeader ? 0 : stream.chunks.header.count)
  }

  /// How many bytes ``finish(into:)`` appends.
  public var outputByteCountAtEnd: Int {
    stream.outputByteCountAtEnd + (hasHeader ? 0 : stream.chunks.header.count)
  }

  /// Takes bytes of the plaintext, and appends what is sealed by then: first the header, then chunks.
  ///
  /// - Parameters:
  ///   - plaintext: Any number of bytes. Up to one chunk is kept until more come, or the end.
  ///   - output: Has room for ``outputByteCount(appending:)``.
  /// - Throws: `bufferTooSmall`; `systemFailure` in a fork of the process that created the sealer; `invalidArgument` after
  ///   an error.
  public mutating func append(_ plaintext: RawSpan, into output: inout OutputRawSpan) throws(EnvelopeError) {
    try stream.begin()
    guard output.freeCapacity >= outputByteCount(appending: plaintext.byteCount) else { throw .bufferTooSmall }
    appendHeader(to: &output)
    try stream.append(plaintext, into: &output)
    stream.succeed()
  }

  /// Takes bytes of the plaintext, and passes what is sealed by then to `body`: first the header, then chunks.
  ///
  /// - Parameters:
  ///   - plaintext: Any number of bytes. Up to one chunk is kept until more come, or the end.
  ///   - body: Receives the next sealed bytes. They are valid only inside it.
  /// - Throws: `systemFailure` in a fork of the process that created the sealer; `invalidArgument` after an error; what
  ///   `body` throws.
  public mutating func append(
    _ plaintext: RawSpan, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    try stream.begin()
    try passHeader(to: body)
    try stream.append(plaintext, body)
    stream.succeed()
  }

  /// Seals the last chunk, and appends it.
  ///
  /// - Parameter output: Has room for ``outputByteCountAtEnd``.
  /// - Throws: As ``append(_:into:)``; the stream has no end then.
  public consuming func finish(into output: inout OutputRawSpan) throws(EnvelopeError) {
    try stream.begin()
    guard output.freeCapacity >= outputByteCountAtEnd else { throw .bufferTooSmall }
    appendHeader(to: &output)
    try stream.finish(into: &output)
  }

  /// Seals the last chunk, and passes it to `body`.
  ///
  /// - Throws: As ``append(_:_:)``; the stream has no end then.
  public consuming func finish(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    try stream.begin()
    try passHeader(to: body)
    var buffer = try WipedBuffer(capacity: stream.outputByteCountAtEnd)
    try buffer.append { (output) throws(EnvelopeError) in try stream.finish(into: &output) }
    try buffer.withBytes(body)
  }

  /// How many bytes to collect before a call, so that all cores have work.
  package var batchByteCount: Int { stream.batchByteCount }

  private mutating func appendHeader(to output: inout OutputRawSpan) {
    guard !hasHeader else { return }
    hasHeader = true
    unsafe output.append(stream.chunks.header.span.bytes)
  }

  private mutating func passHeader(to body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    guard !hasHeader else { return }
    hasHeader = true
    try unsafe body(stream.chunks.header.span.bytes)
  }
}
