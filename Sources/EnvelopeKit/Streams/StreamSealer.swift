// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals a stream of any length, synchronously: bytes in, bytes out, with memory for two chunks
/// (`Docs/Format.md`, section Files).
///
/// A stream opens to its end only if ``finish(_:)`` has ended it. After an error nothing more can be sealed.
public struct StreamSealer: ~Copyable, Sendable {
  private let chunks: ChunkSequence
  private var plaintext: WipedBuffer
  private var sealed: WipedBuffer
  private var nextChunk = 0
  private var hasHeader = false
  private var hasFailed = false

  /// Generates a data key and wraps it.
  ///
  /// - Parameters:
  ///   - context: Pairs that must be given again to open.
  ///   - suite: The cipher.
  ///   - chunkSize: How many bytes are sealed together.
  ///   - keyring: Wraps the data key.
  /// - Throws: `unsupportedSuite`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    context: EncryptionContext, suite: AlgorithmSuite = .chaCha20Poly1305, chunkSize: ChunkSize = .standard,
    using keyring: some Keyring
  ) async throws {
    chunks = try await ChunkSequence.make(context: context, suite: suite, chunkSize: chunkSize, using: keyring)
    plaintext = try WipedBuffer(capacity: chunks.chunkByteCount)
    sealed = try WipedBuffer(capacity: chunks.chunkByteCount + chunks.tagByteCount)
  }

  /// Takes bytes of the plaintext, and passes what is sealed by then to `body`.
  ///
  /// - Parameters:
  ///   - bytes: Any number of bytes. Up to one chunk is kept until more come, or the end.
  ///   - body: Receives the header first, and then each sealed chunk once. The bytes are valid only inside it.
  /// - Throws: `systemFailure` in a fork of the process that created the sealer; `invalidArgument` after an error; what
  ///   `body` throws.
  public mutating func append(
    _ bytes: RawSpan, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    try begin(body)
    var rest = bytes
    while !rest.isEmpty {
      if plaintext.freeCapacity == 0 { try sealKept(endsFile: false, body) }
      if plaintext.byteCount == 0, rest.byteCount > plaintext.capacity {
        try seal(rest.extracting(first: plaintext.capacity), endsFile: false, body)
        rest = rest.extracting(droppingFirst: plaintext.capacity)
      } else {
        let part = rest.extracting(first: plaintext.freeCapacity)
        plaintext.append(part)
        rest = rest.extracting(droppingFirst: part.byteCount)
      }
    }
    hasFailed = false
  }

  /// Seals the last chunk, and passes it to `body`.
  ///
  /// - Throws: As ``append(_:_:)``; the stream has no end then.
  public consuming func finish(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    try begin(body)
    try sealKept(endsFile: true, body)
  }

  /// Until the call that this begins has succeeded, the sealer counts as failed.
  private mutating func begin(_ body: (RawSpan) throws(EnvelopeError) -> Void) throws(EnvelopeError) {
    guard !hasFailed else { throw .streamFailed }
    hasFailed = true
    guard !hasHeader else { return }
    hasHeader = true
    try unsafe body(chunks.header.span.bytes)
  }

  private mutating func sealKept(
    endsFile: Bool, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    sealed.removeAll()
    try plaintext.withBytes { (plaintext) throws(EnvelopeError) in
      try sealed.append { (output) throws(EnvelopeError) in
        try chunks.seal(plaintext, from: nextChunk, endsFile: endsFile, into: &output)
      }
    }
    nextChunk += 1
    plaintext.removeAll()
    try sealed.withBytes(body)
  }

  private mutating func seal(
    _ chunk: RawSpan, endsFile: Bool, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    sealed.removeAll()
    try sealed.append { (output) throws(EnvelopeError) in
      try chunks.seal(chunk, from: nextChunk, endsFile: endsFile, into: &output)
    }
    nextChunk += 1
    try sealed.withBytes(body)
  }
}

extension EnvelopeError {
  static let streamFailed = EnvelopeError(
    .invalidArgument, "The stream has failed before, and takes nothing more", advice: "Begin a new one.")
}
