// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Seals and opens the chunks that follow one header (`Docs/Format.md`, section Files).
///
/// The caller sees to it that each chunk number is sealed once. Safe to share between threads.
package struct ChunkSequence: Sendable {
  /// The header's bytes.
  package let header: [UInt8]
  /// The entry that the data key was unwrapped from; nil if it was just generated.
  package let source: WrappedDataKey?
  package let chunkByteCount: Int
  package var tagByteCount: Int { aead.tagByteCount }
  private let aead: AEAD
  private let payloadKey: GuardedMemory
  private let observer: (any EnvelopeObserver)?
  private let process = getpid()

  private init(_ unlocked: borrowing UnlockedHeader, observer: (any EnvelopeObserver)?) throws(EnvelopeError) {
    guard let chunkSize = unlocked.header.form.chunkSize else {
      throw EnvelopeError(.malformed, "The envelope is of another kind than expected here")
    }
    header = unlocked.header.bytes
    source = unlocked.source
    chunkByteCount = chunkSize.byteCount
    aead = unlocked.header.suite.chunkAEAD
    self.observer = observer
    payloadKey = try unlocked.keys.guardedKey(.payload)
  }

  /// Begins a file: generates a data key, and wraps it.
  package static func make(
    context: EncryptionContext, suite: AlgorithmSuite, chunkSize: ChunkSize, using keyring: some Keyring
  ) async throws -> ChunkSequence {
    let unlocked = try await UnlockedHeader.make(.file(suite, chunkSize), context: context, using: keyring)
    return try ChunkSequence(unlocked, observer: nil)
  }

  /// Unwraps the data key of a file's header and verifies the header.
  ///
  /// - Throws: `malformed` if the bytes are not one header of a file and nothing else; `unsupportedSuite`,
  ///   `contextDiffers`, `headerAltered`, `anonymousSender`, or what the keyring throws.
  package static func unlock(
    _ header: [UInt8], context: EncryptionContext, using keyring: some Keyring, anonymousSender: AnonymousSender
  ) async throws -> ChunkSequence {
    do {
      var reader = ByteReader(header)
      let parsed = try Header(from: &reader, expecting: .file)
      guard reader.remainingByteCount == 0 else {
        throw EnvelopeError(.malformed, "Bytes follow the header of the file")
      }
      try parsed.suite.chunkAEAD.checkIsAvailable()
      let unlocked = try await UnlockedHeader.unlock(
        parsed, context: context, using: keyring, anonymousSender: anonymousSender)
      return try ChunkSequence(unlocked, observer: keyring.observer)
    } catch {
      keyring.observer?.observe(EnvelopeEvent(.openFailed, failure: error))
      throw error
    }
  }

  /// How a plaintext of this length divides into chunks.
  package func layout(plaintext byteCount: Int) throws(EnvelopeError) -> ChunkLayout {
    try ChunkLayout(plaintext: byteCount, chunkByteCount: chunkByteCount, tagByteCount: tagByteCount)
  }

  /// How sealed bytes of this length divide into chunks.
  package func layout(sealed byteCount: Int) throws(EnvelopeError) -> ChunkLayout {
    try ChunkLayout(sealed: byteCount, chunkByteCount: chunkByteCount, tagByteCount: tagByteCount)
  }

  /// Appends sealed chunks.
  ///
  /// - Parameters:
  ///   - plaintext: Whole chunks; the last may be shorter if it is the file's last.
  ///   - first: The number of the first chunk.
  ///   - endsFile: Whether the last chunk is the file's last; no bytes are then one empty chunk.
  ///   - output: Has room for the plaintext and a tag for each chunk.
  /// - Throws: `systemFailure` in a fork of the process that began the file; `bufferTooSmall`.
  package func seal(
    _ plaintext: RawSpan, from first: Int, endsFile: Bool, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    // Two processes would seal different bytes under one chunk number.
    guard getpid() == process else {
      throw EnvelopeError(
        .systemFailure, "A file is sealed by the process that began it, and this is a fork of that process",
        advice: "Seal the file anew.")
    }
    try forEachChunk(of: plaintext, byteCount: chunkByteCount, from: first, endsFile: endsFile) {
      (chunk, nonce) throws(EnvelopeError) in
      try payloadKey.withBytes { (key) throws(EnvelopeError) in
        try aead.seal(chunk, authenticating: RawSpan(), nonce: nonce, key: key, into: &output)
      }
    }
  }

  /// Appends the plaintext of sealed chunks, up to the first that does not verify.
  ///
  /// - Parameters:
  ///   - sealed: Whole sealed chunks; the last may be shorter if it is the file's last.
  ///   - first: The number of the first chunk.
  ///   - endsFile: Whether the last chunk is the file's last.
  ///   - output: Has room for the sealed bytes without a tag for each chunk.
  /// - Throws: `payloadAltered`, `bufferTooSmall`.
  package func open(
    _ sealed: RawSpan, from first: Int, endsFile: Bool, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try forEachChunk(of: sealed, byteCount: chunkByteCount + tagByteCount, from: first, endsFile: endsFile) {
      (chunk, nonce) throws(EnvelopeError) in
      let status = Result { () throws(EnvelopeError) in
        try payloadKey.withBytes { (key) throws(EnvelopeError) in
          try aead.open(chunk, authenticating: RawSpan(), nonce: nonce, key: key, into: &output)
        }
      }
      guard case .failure(let error) = status else { return }
      throw error.code == .payloadAltered ? .chunkAltered : error
    }
  }

  @inline(__always)
  private func forEachChunk(
    of bytes: RawSpan, byteCount: Int, from first: Int, endsFile: Bool,
    _ body: (RawSpan, RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    guard endsFile || bytes.byteCount % byteCount == 0 else {
      throw EnvelopeError(.invalidArgument, "Only the last chunk of a file can be shorter than the others")
    }
    var (rest, number) = (bytes, UInt64(first))
    while !rest.isEmpty || endsFile && number == first {
      let chunk = rest.extracting(first: byteCount)
      rest = rest.extracting(droppingFirst: byteCount)
      let isLast = endsFile && rest.isEmpty
      try RawSpan.withTemporary(capacity: aead.nonceByteCount) { (nonce: inout OutputRawSpan) throws(EnvelopeError) in
        for _ in 0..<aead.nonceByteCount - 9 { nonce.append(0) }
        nonce.append(bigEndian: number)
        nonce.append(UInt8(isLast ? 1 : 0))
      } _: { (nonce: RawSpan) throws(EnvelopeError) in
        try body(chunk, nonce)
      }
      number += 1
    }
  }

  /// Reports to the keyring's observer that the file was opened, or why it was not.
  package func report(_ failure: (any Error)? = nil) {
    observer?.observe(EnvelopeEvent(failure == nil ? .opened : .openFailed, source: source, failure: failure))
  }
}

extension AlgorithmSuite {
  /// The cipher of a file's chunks, whose nonces are counted.
  var chunkAEAD: AEAD { self == .aegis256 ? .aegis256 : .chaCha20Poly1305 }
}

extension EnvelopeError {
  static let chunkAltered = EnvelopeError(
    .payloadAltered, "A part of the file does not verify: the file was altered or cut",
    advice: "Restore it from where it was sealed.")
}

extension ChunkSequence: CustomReflectable {
  /// Shows nothing.
  package var customMirror: Mirror { Mirror(self, children: []) }
}
