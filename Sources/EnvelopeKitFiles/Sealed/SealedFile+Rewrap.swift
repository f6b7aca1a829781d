// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

public import EnvelopeKit

extension SealedFile {
  /// Puts a sealed file under other wrapping keys: the data key and every byte after the header stay as they are.
  ///
  /// The chunks are copied to the new file by the kernel, which shares their blocks if the file system can. They are not
  /// opened: to verify them, call ``verify(_:context:options:using:anonymousSender:)``.
  ///
  /// A former reader can keep a data key and forge files of its context for all readers that it is wrapped for. So a change
  /// that removes a reader is refused, as is a new key on a file that was opened through a recipient's entry:
  /// ``reseal(at:context:options:using:sealingWith:anonymousSender:)`` it instead.
  ///
  /// - Parameters:
  ///   - path: A regular file, which is replaced.
  ///   - change: Which wrapped keys to add and to drop.
  ///   - context: The pairs given when it was sealed.
  ///   - options: Who is notified.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept a file that was opened through the entry of a recipient.
  ///   - allowingFormerReadersToForge: Whether to keep the data key although a removed reader, or an anonymous sender,
  ///     knows it and can forge files that the readers of the result accept.
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite` for a suite that is not known, `contextDiffers`,
  ///   `headerAltered`, `anonymousSender`, `entryNotReadBack`, `keyNotFound`, `invalidArgument` as
  ///   ``Envelope/rewrap(_:_:context:using:anonymousSender:allowingFormerReadersToForge:)`` says; `fileBusy` if another
  ///   process is changing the file; `fileFailure`, also if the file was replaced meanwhile; or what the keyring throws. The file is unchanged then.
  public static func rewrap(
    at path: String, _ change: Rewrapping, context: EncryptionContext, options: FileOptions = FileOptions(),
    using keyring: some Keyring, anonymousSender sender: AnonymousSender = .refused,
    allowingFormerReadersToForge: Bool = false
  ) async throws {
    let file = try await ExclusiveFile.open(path, options)
    let (input, before) = (file.input, file.header.bytes)
    let after = try await ChunkSequence.rewrapped(
      before, change, context: context, using: keyring, anonymousSender: sender,
      allowingFormerReadersToForge: allowingFormerReadersToForge)
    guard after != before else { return }
    try await BlockingWork.run { () throws(EnvelopeError) in
      try file.replace(options) { (output) throws(EnvelopeError) in
        try unsafe output.file.writeAll(after.span.bytes, to: output.path)
        try input.file.copy(from: before.count, to: output.file, of: input.path)
        try input.checkIsUnchanged()
      }
    }
  }

  /// Seals a file anew under a new data key, with the suite and the chunk size that it has.
  ///
  /// - Parameters:
  ///   - path: A regular file, which is replaced when all of it has verified and been sealed.
  ///   - context: The pairs given when it was sealed, which are bound to the new one.
  ///   - options: Progress, attributes and threads.
  ///   - keyring: Unwraps the old data key.
  ///   - newKeyring: Generates and wraps the new one.
  ///   - sender: Whether to accept a file that was opened through the entry of a recipient.
  /// - Returns: The number of plaintext bytes.
  /// - Throws: What opening and sealing throw. The file is unchanged then.
  @discardableResult
  public static func reseal(
    at path: String, context: EncryptionContext, options: FileOptions = FileOptions(), using keyring: some Keyring,
    sealingWith newKeyring: some Keyring, anonymousSender sender: AnonymousSender = .refused
  ) async throws -> Int {
    let file = try await ExclusiveFile.open(path, options)
    let header = file.header
    let opening = try await ChunkSequence.unlock(
      header.bytes, context: context, using: keyring, anonymousSender: sender)
    let sealing = try await ChunkSequence.make(like: header.header, context: context, using: newKeyring)
    return try await withTransfer(opening: opening, sealing: sealing, options) { (transfer) throws(EnvelopeError) in
      var byteCount = 0
      try file.replace(options) { (output) throws(EnvelopeError) in
        byteCount = try transfer.reseal(file.input, to: output)
      }
      return byteCount
    }
  }
}

/// A sealed file that this process alone may replace while it lasts.
private final class ExclusiveFile: Sendable {
  let input: InputFile
  let header: InputFile.Beginning
  private let lock: FileLock?

  private init(at path: String, _ options: FileOptions) throws(EnvelopeError) {
    // Before it is looked at: another process may be about to replace it.
    let lock = options.isLockedByCaller ? nil : try Path(path).lock()
    let input = try InputFile.openRegular(path)
    header = try input.readHeader()
    self.input = input
    self.lock = lock
  }

  /// Waits for other processes, and opens the file.
  ///
  /// - Throws: `fileBusy`, `fileFailure`, `malformed`, `unsupportedVersion`, `unsupportedSuite`.
  static func open(_ path: String, _ options: FileOptions) async throws -> ExclusiveFile {
    try await BlockingWork.run { () throws(EnvelopeError) in try ExclusiveFile(at: path, options) }
  }

  /// Replaces the file, unless another has taken its name without waiting for the lock.
  func replace(
    _ options: FileOptions, writing write: (borrowing OutputFile) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    var options = options
    options.isLockedByCaller = true
    try FilePlace.path(input.path.string).write(isSecret: false, attributesOf: input, options, write) {
      () throws(EnvelopeError) in
      try lock?.check()
      try input.checkIsStillInPlace()
    }
  }
}
