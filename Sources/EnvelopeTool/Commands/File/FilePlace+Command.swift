// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import EnvelopeKit
  import EnvelopeKitFiles

  extension FilePlace {
    /// The place to read a file from: `-` is standard input.
    ///
    /// - Throws: `noInput` if there is no such file; `usage` for a folder, or a terminal that would have to be typed on.
    static func source(_ path: String) throws(EnvelopeError) -> FilePlace {
      guard path != "-" else { return .standardInput }
      guard Path(path).exists else {
        throw EnvelopeError(.noInput, "No such file: \(path.shown)", advice: "Check the path.")
      }
      guard !Path(path).isFolder else {
        throw EnvelopeError(
          .usage, "\(path.shown) is a folder",
          advice: "Pack it first: tar c \(Path(path).shellWord) | envelope file seal - -o FILE")
      }
      return .path(path)
    }

    /// The place to write to: standard output if there is no path or it is `-`.
    ///
    /// - Throws: `usage` if it is a terminal; `outputExists` if it is the key store in use, or a symbolic link to
    ///   nothing; `fileFailure` if it is a folder, or its folder is not there.
    static func destination(_ path: String?) throws(EnvelopeError) -> FilePlace {
      guard let path, path != "-" else {
        guard !Console.outputIsTerminal else { throw .writesToTerminal }
        return .standardOutput
      }
      try Document.checkCanWrite(path)
      guard !Path(path).isFolder else {
        throw EnvelopeError(.fileFailure, "Cannot write \(path.shown): it is a folder", advice: "Give a file: -o FILE")
      }
      guard !Path(path).isTerminal else { throw .writesToTerminal }
      return .path(path)
    }

    /// The wrapped keys that the header of a regular file lists, which nobody has verified; none of a stream.
    ///
    /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `fileFailure`.
    var entries: [WrappedDataKey] {
      get throws(EnvelopeError) {
        guard case .path(let path) = self, try Path(path).kind == .file else { return [] }
        // Of a file that cannot be opened, the library says why.
        guard Path(path).beginsAsSealedFile || (try? Path(path).openForReading()) == nil else {
          throw EnvelopeError(
            .malformed, "\(path.shown) is not a sealed file", advice: "See what it is: envelope inspect FILE")
        }
        return try SealedFile.header(of: path).wrappedKeys
      }
    }

    /// Takes the lock of a file that is to be written, so that no other command changes it meanwhile; nil for a stream.
    ///
    /// - Throws: `fileBusy` if another process holds the lock past the limit; `fileFailure`.
    func lock() throws(EnvelopeError) -> FileLock? {
      guard case .path(let path) = self, try Path(path).kind != .other else { return nil }
      return try Path(path).lock(.ofCommand)
    }

    /// The path of a regular file whose content would be replaced; nil if there is none, or it is empty.
    private var replaced: String? {
      get throws(EnvelopeError) {
        guard case .path(let path) = self, try Path(path).kind == .file else { return nil }
        // What cannot be read is something, too.
        guard let file = try? Path(path).openForReading(), let status = try? file.status(of: Path(path)) else {
          return path
        }
        return status.byteCount > 0 ? path : nil
      }
    }

    /// Refuses to replace anything but a sealed file of the same context, which is an older version of the new one.
    ///
    /// - Throws: `outputExists`.
    func checkMayBeReplaced(bySealed context: EncryptionContext) throws(EnvelopeError) {
      guard let path = try replaced else { return }
      guard Path(path).beginsAsSealedFile else { throw .wouldBeLost(path, "holds something that is not a sealed file") }
      let canonical = try context.canonicalBytes()
      let isSame = try? SealedFile.header(of: path).matches(canonicalContext: canonical)
      guard isSame == true else {
        throw .wouldBeLost(
          path, isSame == nil ? "holds a damaged sealed file" : "is sealed for another function or context")
      }
    }

    /// Refuses to replace a file that holds anything.
    ///
    /// - Throws: `outputExists`.
    func checkMayBeReplacedByPlaintext() throws(EnvelopeError) {
      guard let path = try replaced else { return }
      throw .wouldBeLost(path, "exists")
    }
  }

  extension EnvelopeError {
    fileprivate static func wouldBeLost(_ path: String, _ reason: String) -> EnvelopeError {
      EnvelopeError(
        .outputExists, "\(path.shown) \(reason), and would be lost",
        advice: "Write to another file; or add --force to replace this one.")
    }

    fileprivate static let writesToTerminal = EnvelopeError(
      .usage, "The output would go to a terminal",
      advice: "Write it to a file: -o FILE; or to a pipe: … | less")
  }
#endif
