// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

/// A sealed file (`Docs/Format.md`, section Files), opened for reading at any offset.
///
/// The data key is unwrapped once, when the file is opened. Each read opens the chunks that it touches and no other, and
/// returns nothing that has not verified. Safe to share between threads: a read keeps nothing for the next. The file must
/// stay as it is while it is open; one that is replaced stays open as it was.
public struct SealedFile: Sendable {
  /// How many bytes of plaintext the file has.
  public var byteCount: Int { layout.byteCount }
  /// The entry of the header that the data key was unwrapped from.
  public let source: WrappedDataKey
  /// How many bytes of plaintext are sealed together.
  package var chunkByteCount: Int { layout.chunkByteCount }
  private let input: InputFile
  private let chunks: ChunkSequence
  private let layout: ChunkLayout

  /// Opens a sealed file, unwraps its data key, and verifies its header and its last chunk.
  ///
  /// - Parameters:
  ///   - path: A regular file.
  ///   - context: The pairs given when it was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept a file that was opened through the entry of a recipient.
  /// - Throws: `fileFailure` if it cannot be read, or is no regular file; `malformed`, `unsupportedVersion`,
  ///   `unsupportedSuite`, `contextDiffers`, `headerAltered`, `anonymousSender`, `payloadAltered` if it was cut off or
  ///   extended, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    at path: String, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws {
    let (input, header) = try await BlockingWork.run { () throws(EnvelopeError) in
      let input = try InputFile.openRegular(path)
      return (input, try input.readHeader())
    }
    let chunks = try await ChunkSequence.unlock(
      header.bytes, context: context, using: keyring, anonymousSender: sender)
    guard let source = chunks.source else { throw EnvelopeError(.keyNotFound, "The header was not unwrapped") }
    self.source = source
    self.chunks = chunks
    self.input = input
    do throws(EnvelopeError) {
      layout = try chunks.layout(sealed: (input.byteCount ?? 0) - header.bytes.count)
    } catch {
      chunks.report(error)
      throw error
    }
    try await verifyLastChunk()
    chunks.report()
  }

  private func verifyLastChunk() async throws {
    try await BlockingWork.run { () throws(EnvelopeError) in
      let last = layout.chunkCount - 1
      var plaintext = try WipedBuffer(capacity: layout.plaintext(of: last..<last + 1).count)
      try plaintext.append { (output) throws(EnvelopeError) in try open(last, into: &output) }
    }
  }

  /// Appends bytes from an offset, until the buffer is full or the file ends.
  ///
  /// - Parameters:
  ///   - offset: Where to begin; at or behind the end nothing is appended.
  ///   - output: Any free capacity.
  /// - Throws: `invalidArgument` for a negative offset; `payloadAltered`, `fileFailure`: what was appended up to then has
  ///   verified.
  public func read(at offset: Int, into output: inout OutputRawSpan) throws(EnvelopeError) {
    guard offset >= 0 else {
      throw EnvelopeError(.invalidArgument, "A file cannot be read at the negative offset \(offset)")
    }
    var position = offset
    while output.freeCapacity > 0, position < byteCount {
      let chunk = position / layout.chunkByteCount
      let range = layout.plaintext(of: chunk..<chunk + 1)
      if position == range.lowerBound, output.freeCapacity >= range.count {
        try open(chunk, into: &output)
        position = range.upperBound
      } else {
        var plaintext = try WipedBuffer(capacity: range.count)
        try plaintext.append { (output) throws(EnvelopeError) in try open(chunk, into: &output) }
        plaintext.withBytes { plaintext in
          let part = plaintext.extracting(droppingFirst: position - range.lowerBound).extracting(
            first: output.freeCapacity)
          output.append(part)
          position += part.byteCount
        }
      }
    }
  }

  /// Reads a part of the file into bytes of its own, wiped when their owner releases them.
  ///
  /// - Parameter range: Must lie within the file.
  /// - Throws: `invalidArgument` if it does not; `payloadAltered`, `fileFailure`.
  public func read(_ range: Range<Int>) throws(EnvelopeError) -> SecretBytes {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw EnvelopeError(
        .invalidArgument, "The bytes \(range) are not all within the file, which has \(byteCount)")
    }
    return try SecretBytes(byteCount: range.count) { (output) throws(EnvelopeError) in
      try read(at: range.lowerBound, into: &output)
    }
  }

  /// Appends the plaintext of one chunk, and reports to the keyring's observer if that fails.
  private func open(_ number: Int, into output: inout OutputRawSpan) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      try openUnobserved(number, into: &output)
    } catch {
      chunks.report(error)
      throw error
    }
  }

  private func openUnobserved(_ number: Int, into output: inout OutputRawSpan) throws(EnvelopeError) {
    let range = layout.sealed(of: number..<number + 1)
    let start = chunks.header.count
    // Sealed bytes are no secret, so the memory needs no wiping.
    let sealed = try [UInt8].appending(capacity: range.count) { (output) throws(EnvelopeError) in
      try input.file.readAll(
        at: start + range.lowerBound, byteCount: range.count, into: &output, of: input.path)
    }
    guard sealed.count == range.count else { throw input.changed }
    try unsafe chunks.open(
      sealed.span.bytes, from: number, endsFile: number == layout.chunkCount - 1, into: &output)
  }
}

extension SealedFile: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
