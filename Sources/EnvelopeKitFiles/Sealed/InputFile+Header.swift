// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

extension InputFile {
  /// A header, and what was read after it.
  struct Beginning: Sendable {
    let bytes: [UInt8]
    let rest: [UInt8]
    let header: Header
  }

  /// Reads the header that the file begins with; of a stream, it may read more.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `fileFailure`.
  func readHeader() throws(EnvelopeError) -> Beginning {
    var bytes: [UInt8] = []
    while true {
      switch try unsafe Header.fileHeader(of: bytes.span.bytes) {
      case .complete(let header, let byteCount):
        return Beginning(
          bytes: Array(bytes[..<byteCount]), rest: Array(bytes[byteCount...]), header: header)
      case .needs(let byteCount):
        let more = try [UInt8].appending(capacity: max(byteCount - bytes.count, 512)) {
          (output) throws(EnvelopeError) in
          if self.byteCount == nil {
            _ = try file.fill(&output, from: path)
          } else {
            try file.readAll(at: bytes.count, byteCount: output.freeCapacity, into: &output, of: path)
          }
        }
        guard !more.isEmpty else {
          throw EnvelopeError(
            .malformed, "\(path) ends within the header of a sealed file", advice: "Copy all of it again.")
        }
        bytes += more
      }
    }
  }
}

extension SealedFile {
  /// The header of a sealed file, not verified.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`, `fileFailure`.
  package static func header(of path: String) throws(EnvelopeError) -> Header {
    try InputFile.openRegular(path).readHeader().header
  }
}
