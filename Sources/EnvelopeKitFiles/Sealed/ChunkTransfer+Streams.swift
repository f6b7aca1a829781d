// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

/// Streams, of which the end shows only when it comes.
extension ChunkTransfer {
  /// Seals a stream, or a file to a stream.
  ///
  /// - Returns: The plaintext bytes.
  /// - Throws: `fileFailure`, and what `StreamSealer` throws.
  func sealStream(_ input: InputFile, to output: borrowing OutputFile) throws(EnvelopeError) -> Int {
    guard let sealing else { return 0 }
    var stream = try StreamSealer(sealing, coreCount: coreCount)
    var done = 0
    try forEachPart(of: input, after: RawSpan(), byteCount: stream.batchByteCount) { (part) throws(EnvelopeError) in
      done += part.byteCount
      try stream.append(part) { (sealed) throws(EnvelopeError) in
        try output.file.writeAll(sealed, to: output.path)
      }
    }
    try stream.finish { (sealed) throws(EnvelopeError) in try output.file.writeAll(sealed, to: output.path) }
    return done
  }

  /// Opens a stream, or a file to a stream.
  ///
  /// - Parameters:
  ///   - input: Stands behind the header and what was read after it, if it is a stream.
  ///   - header: The header, and what was read after it.
  ///   - body: Receives plaintext that has verified.
  /// - Returns: The plaintext bytes.
  /// - Throws: `payloadAltered`, `malformed`, `fileFailure`; what `body` throws.
  func openStream(
    _ input: InputFile, _ header: InputFile.Beginning,
    _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) -> Int {
    guard let opening else { return 0 }
    var stream = try StreamOpener(opening, coreCount: coreCount)
    var done = 0
    let isSeekable = input.byteCount != nil
    if isSeekable { try input.file.seek(to: header.bytes.count, of: input.path) }
    let rest = isSeekable ? [] : header.rest
    try unsafe forEachPart(of: input, after: rest.span.bytes, byteCount: stream.batchByteCount) {
      (part) throws(EnvelopeError) in
      try stream.append(part) { (plaintext) throws(EnvelopeError) in
        done += plaintext.byteCount
        try body(plaintext)
      }
    }
    try stream.finish { (plaintext) throws(EnvelopeError) in
      done += plaintext.byteCount
      try body(plaintext)
    }
    return done
  }

  private func forEachPart(
    of input: InputFile, after beginning: RawSpan, byteCount: Int, _ body: (RawSpan) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) {
    let progress = ProgressCounter(total: input.byteCount, done: opening?.header.count ?? 0, options.progress)
    try body(beginning)
    progress.add(beginning.byteCount)
    var restByteCount = input.byteCount.map { $0 - (opening?.header.count ?? 0) }
    var buffer = try WipedBuffer(capacity: byteCount)
    var isAtEnd = false
    while !isAtEnd {
      try interruption.check()
      buffer.removeAll()
      try buffer.append { (output) throws(EnvelopeError) in isAtEnd = try input.file.fill(&output, from: input.path) }
      if let rest = restByteCount {
        // A file that grows as fast as it is read would have no end.
        guard buffer.byteCount <= rest else { throw input.changed }
        restByteCount = rest - buffer.byteCount
      }
      try buffer.withBytes(body)
      progress.add(buffer.byteCount)
    }
    try input.checkIsUnchanged()
  }
}
