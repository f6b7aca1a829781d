// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a path or standard input holds: a sealed file, which is not read into memory, or anything else, which is.
enum SealedInput: ~Copyable {
  case file(SealedFileStream)
  case text(SecretBytes)

  /// Reads a path; `-` is standard input.
  ///
  /// - Throws: `noInput` if there is no such file; `fileFailure`; if it is a sealed file, `malformed`,
  ///   `unsupportedVersion`, `unsupportedSuite`.
  static func read(_ path: String) throws(EnvelopeError) -> SealedInput {
    guard path == "-" else {
      // Other files are read as everywhere.
      guard Path(path).exists, try Path(path).kind != .file || Path(path).beginsAsSealedFile else {
        return .text(try Document.readText(path))
      }
      return try read(Path(path).openForReading(), of: Path(path))
    }
    return try read(Descriptor.copy(of: STDIN_FILENO), of: .stream("standard input"))
  }

  private static func read(_ descriptor: consuming Descriptor, of path: Path) throws(EnvelopeError) -> SealedInput {
    let beginning = try descriptor.bytes(upTo: SealedFile.markByteCount, of: path)
    guard unsafe Header.isOfFile(beginning.span.bytes) else {
      let rest = try descriptor.readAll(limit: Document.byteLimit, of: path)
      return .text(
        SecretBytes(byteCount: beginning.count + rest.byteCount) { output in
          unsafe output.append(beginning.span.bytes)
          rest.withBytes { output.append($0) }
        })
    }
    return .file(try SealedFileStream(descriptor, beginning: beginning, of: path))
  }
}

/// A sealed file that is read from its beginning to its end.
struct SealedFileStream: ~Copyable {
  let header: Header
  private let descriptor: Descriptor
  private let path: Path

  /// Reads the header.
  ///
  /// - Parameter beginning: The bytes that were read from the file already.
  fileprivate init(
    _ descriptor: consuming Descriptor, beginning: [UInt8], of path: Path
  ) throws(EnvelopeError) {
    var bytes = beginning
    while true {
      switch try unsafe Header.fileHeader(of: bytes.span.bytes) {
      case .complete(let header, _):
        self.header = header
        self.descriptor = descriptor
        self.path = path
        return
      case .needs(let byteCount):
        let more = try descriptor.bytes(upTo: byteCount - bytes.count, of: path)
        bytes += more
        guard bytes.count == byteCount else {
          throw EnvelopeError(
            .malformed, "\(path) ends within its header: it was cut", advice: "Restore it from where it was sealed.")
        }
      }
    }
  }

  /// The next bytes after the header; none at the end.
  func next() throws(EnvelopeError) -> [UInt8] { try descriptor.bytes(upTo: 1 << 20, of: path) }

  /// The number of bytes that the file opens to, as its length shows without a key.
  ///
  /// Of a stream, all of it is read. Nil if no sealed file has this length.
  func plaintextByteCount() throws(EnvelopeError) -> Int? {
    let status = try descriptor.status(of: path)
    var byteCount = status.byteCount - header.bytes.count
    if !status.isRegular {
      byteCount = 0
      while case let part = try next(), !part.isEmpty { byteCount += part.count }
    }
    return try? header.layout(sealed: byteCount).byteCount
  }
}

extension Descriptor {
  /// Reads so many bytes, or fewer if the file ends before.
  fileprivate func bytes(upTo limit: Int, of path: Path) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: limit) { (output) throws(EnvelopeError) in
      _ = try fill(&output, from: path)
    }
  }
}
