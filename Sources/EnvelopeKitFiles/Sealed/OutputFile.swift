// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file to write, which its owner closes.
struct OutputFile: ~Copyable {
  let file: Descriptor
  let path: Path
  /// Whether it is a new regular file, which can be written at any offset; else it is a stream.
  let isRegular: Bool
}

extension FilePlace {
  /// Writes to a new file, which replaces the one of its name when it is complete; or to a stream.
  ///
  /// - Parameters:
  ///   - isSecret: Whether the content shows secrets.
  ///   - source: The file whose permissions and times the new one gets if the options say so.
  ///   - options: What to keep, who is notified, and whether the caller holds the lock of the file.
  ///   - write: Writes the content. It is called once.
  ///   - confirm: Called right before a file gets its name.
  /// - Throws: As `Path.replace(_:writing:)`; what `write` throws.
  func write(
    isSecret: Bool, attributesOf source: InputFile, _ options: FileOptions,
    _ write: (borrowing OutputFile) throws(EnvelopeError) -> Void,
    confirming confirm: () throws(EnvelopeError) -> Void = {}
  ) throws(EnvelopeError) {
    switch self {
    case .path(let string):
      let path = Path(string)
      var replacement = Replacement(isSecret: isSecret, notify: options.notify)
      replacement.removesUnfinished = true
      // A concurrent rewrap or reseal of the old file must not put it back.
      let kind = try path.kind
      let isLocked = options.isLockedByCaller || kind == .other
      let lock = isLocked ? nil : try path.lock()
      try path.replace(replacement) { (file) throws(EnvelopeError) in
        let isRegular = try file.status(of: path).isRegular
        try write(OutputFile(file: Descriptor(copying: file.number, of: path), path: path, isRegular: isRegular))
        if options.keepsAttributes, isRegular {
          try source.giveAttributes(to: file, at: path, isSecret: isSecret)
        }
      } confirming: { () throws(EnvelopeError) in
        try lock?.check()
        try confirm()
      }
    case .standardOutput:
      let path = Path.stream("standard output")
      try write(OutputFile(file: Descriptor(copying: STDOUT_FILENO, of: path), path: path, isRegular: false))
    case .standardInput:
      throw EnvelopeError(.invalidArgument, "Standard input cannot be written")
    }
  }
}
