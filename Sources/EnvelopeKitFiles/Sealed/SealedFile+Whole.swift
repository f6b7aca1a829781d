// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension SealedFile {
  /// Seals a file or a stream under a new data key.
  ///
  /// A file appears under its name when it is complete. The work is done on threads of its own, and ends soon after the
  /// task is cancelled, unless it waits for the other side of a pipe.
  ///
  /// - Parameters:
  ///   - source: What to seal. A file must not be written to meanwhile.
  ///   - destination: Where to put it. A file that is there is replaced, and keeps its permissions.
  ///   - context: Pairs that must be given again to open.
  ///   - suite: The cipher.
  ///   - chunkSize: How many bytes are sealed together.
  ///   - options: Progress, attributes and threads.
  ///   - keyring: Wraps the data key.
  /// - Returns: The number of plaintext bytes.
  /// - Throws: `fileBusy` if another process is changing the destination; `fileFailure`, also if the source was changed meanwhile, or the task was cancelled; `unsupportedSuite`,
  ///   `invalidArgument` for a context that breaks a limit, or what the keyring throws. The destination is unchanged then,
  ///   unless it is a stream.
  @discardableResult
  public static func seal(
    _ source: FilePlace, to destination: FilePlace, context: EncryptionContext,
    suite: AlgorithmSuite = .chaCha20Poly1305, chunkSize: ChunkSize = .standard,
    options: FileOptions = FileOptions(), using keyring: some Keyring
  ) async throws -> Int {
    let input = try await BlockingWork.run { () throws(EnvelopeError) in try InputFile.open(source) }
    let chunks = try await ChunkSequence.make(context: context, suite: suite, chunkSize: chunkSize, using: keyring)
    return try await withTransfer(opening: nil, sealing: chunks, options) { (transfer) throws(EnvelopeError) in
      var byteCount = 0
      try destination.write(isSecret: false, attributesOf: input, options) { (output) throws(EnvelopeError) in
        byteCount = try transfer.seal(input, to: output)
      }
      return byteCount
    }
  }

  /// Opens a sealed file or stream.
  ///
  /// A file appears under its name when all of it has verified. A stream receives each chunk as soon as that has verified,
  /// so what it has received counts only if this returns.
  ///
  /// - Parameters:
  ///   - source: What to open.
  ///   - destination: Where to put the plaintext. A file that is there is replaced; the new one is for its owner alone.
  ///   - context: The pairs given when it was sealed.
  ///   - options: Progress, attributes and threads.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept a file that was opened through the entry of a recipient.
  /// - Returns: The number of plaintext bytes.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `contextDiffers`, `headerAltered`,
  ///   `anonymousSender`, `payloadAltered`, `fileFailure`, `filePermissions` if the plaintext would go to a pipe that others
  ///   can read, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  @discardableResult
  public static func open(
    _ source: FilePlace, to destination: FilePlace, context: EncryptionContext,
    options: FileOptions = FileOptions(), using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused
  ) async throws -> Int {
    let (input, header) = try await open(source)
    let chunks = try await ChunkSequence.unlock(
      header.bytes, context: context, using: keyring, anonymousSender: sender)
    return try await withTransfer(opening: chunks, sealing: nil, options) { (transfer) throws(EnvelopeError) in
      var byteCount = 0
      try destination.write(isSecret: true, attributesOf: input, options) { (output) throws(EnvelopeError) in
        byteCount = try transfer.open(input, header, to: output)
      }
      return byteCount
    }
  }

  /// Verifies all of a sealed file or stream, and writes nothing.
  ///
  /// - Returns: The number of plaintext bytes.
  /// - Throws: As ``open(_:to:context:options:using:anonymousSender:)``.
  @discardableResult
  public static func verify(
    _ source: FilePlace, context: EncryptionContext, options: FileOptions = FileOptions(),
    using keyring: some Keyring, anonymousSender sender: AnonymousSender = .refused
  ) async throws -> Int {
    let (input, header) = try await open(source)
    let chunks = try await ChunkSequence.unlock(
      header.bytes, context: context, using: keyring, anonymousSender: sender)
    return try await withTransfer(opening: chunks, sealing: nil, options) { (transfer) throws(EnvelopeError) in
      try transfer.verify(input, header)
    }
  }

  private static func open(_ source: FilePlace) async throws -> (InputFile, InputFile.Beginning) {
    try await BlockingWork.run { () throws(EnvelopeError) in
      let input = try InputFile.open(source)
      return (input, try input.readHeader())
    }
  }

  /// Runs blocking work, which ends soon after the task is cancelled.
  static func withTransfer(
    opening: ChunkSequence?, sealing: ChunkSequence?, _ options: FileOptions,
    _ body: @escaping @Sendable (ChunkTransfer) throws(EnvelopeError) -> Int
  ) async throws -> Int {
    let interruption = ChunkTransfer.Interruption()
    let transfer = ChunkTransfer(opening: opening, sealing: sealing, options: options, interruption: interruption)
    return try await withTaskCancellationHandler {
      try await BlockingWork.run { () throws(EnvelopeError) in try body(transfer) }
    } onCancel: {
      interruption.set()
    }
  }
}
