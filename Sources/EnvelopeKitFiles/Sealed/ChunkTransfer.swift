// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit
internal import Synchronization

/// Moves the chunks of a file from one place to another, and opens or seals them on the way, or both.
struct ChunkTransfer: Sendable {
  /// Opens what is read; nil if that is plaintext.
  let opening: ChunkSequence?
  /// Seals what is written; nil if plaintext, or nothing, is written.
  let sealing: ChunkSequence?
  let options: FileOptions
  let interruption: Interruption

  /// Whether the task was cancelled that waits for the transfer.
  final class Interruption: Sendable {
    private let flag = Atomic(false)

    func set() { flag.store(true, ordering: .relaxed) }

    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// Throws `fileFailure` if the task was cancelled.
    func check() throws(EnvelopeError) {
      if isSet { throw EnvelopeError(.fileFailure, "The work was cancelled") }
    }
  }

  var coreCount: Int { options.coreCount ?? StripeQueue.availableCoreCount }

  /// Seals a file or a stream.
  ///
  /// - Returns: The plaintext bytes.
  /// - Throws: `fileFailure`, and what sealing throws.
  func seal(_ input: InputFile, to output: borrowing OutputFile) throws(EnvelopeError) -> Int {
    guard let byteCount = input.byteCount, output.isRegular else { return try sealStream(input, to: output) }
    return try transfer(byteCount, from: input) { (bytes, offset) throws(EnvelopeError) in
      try output.file.writeAll(bytes, at: offset, to: output.path)
    }
  }

  /// Opens a file or a stream.
  ///
  /// - Returns: The plaintext bytes.
  /// - Throws: `payloadAltered`, `malformed`, `fileFailure`.
  func open(
    _ input: InputFile, _ header: InputFile.Beginning, to output: borrowing OutputFile
  ) throws(EnvelopeError) -> Int {
    guard let byteCount = input.byteCount, output.isRegular else {
      return try openStream(input, header) { (plaintext) throws(EnvelopeError) in
        try output.file.writeAll(plaintext, to: output.path)
      }
    }
    return try transfer(byteCount, from: input) { (bytes, offset) throws(EnvelopeError) in
      try output.file.writeAll(bytes, at: offset, to: output.path)
    }
  }

  /// Opens a file or a stream, and writes nothing.
  ///
  /// - Returns: The plaintext bytes.
  /// - Throws: `payloadAltered`, `malformed`, `fileFailure`.
  func verify(
    _ input: InputFile, _ header: InputFile.Beginning
  ) throws(EnvelopeError) -> Int {
    guard let byteCount = input.byteCount else { return try openStream(input, header) { _ in } }
    return try transfer(byteCount, from: input) { _, _ in }
  }

  /// Seals a regular file anew as it is opened.
  ///
  /// - Throws: As opening and sealing.
  func reseal(_ input: InputFile, to output: borrowing OutputFile) throws(EnvelopeError) -> Int {
    guard let byteCount = input.byteCount else { throw input.changed }
    return try transfer(byteCount, from: input) { (bytes, offset) throws(EnvelopeError) in
      try output.file.writeAll(bytes, at: offset, to: output.path)
    }
  }

  /// Transfers a regular file, of which every worker reads and writes some stripes at their offsets.
  ///
  /// - Parameters:
  ///   - byteCount: The length of the input.
  ///   - input: What is read begins at its beginning, or behind its header.
  ///   - write: Writes bytes at an offset. It is called from several threads.
  private func transfer(
    _ byteCount: Int, from input: InputFile, _ write: (RawSpan, Int) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) -> Int {
    do throws(EnvelopeError) {
      let plaintextByteCount = try transferChunks(byteCount, from: input, write)
      opening?.report()
      return plaintextByteCount
    } catch {
      // What was cancelled did not fail.
      if !interruption.isSet { opening?.report(error) }
      throw error
    }
  }

  private func transferChunks(
    _ byteCount: Int, from input: InputFile, _ write: (RawSpan, Int) throws(EnvelopeError) -> Void
  ) throws(EnvelopeError) -> Int {
    let (inputStart, outputStart) = (opening?.header.count ?? 0, sealing?.header.count ?? 0)
    guard let chunks = opening ?? sealing else { return 0 }
    let layout =
      opening == nil
      ? try chunks.layout(plaintext: byteCount) : try chunks.layout(sealed: byteCount - inputStart)
    let stripeChunkCount = chunks.stripeChunkCount
    let stripeCount = (layout.chunkCount + stripeChunkCount - 1) / stripeChunkCount
    let progress = ProgressCounter(total: byteCount, done: inputStart, options.progress)
    if let sealing { try unsafe write(sealing.header.span.bytes, 0) }
    let queue = StripeQueue(count: stripeCount)
    // Each worker has buffers of its own, and writes the parts of the output that its stripes become.
    try queue.run(coreCount: coreCount) { () throws(EnvelopeError) in
      var buffers = try Buffers(for: self)
      while let stripe = queue.take() {
        try interruption.check()
        let first = stripe * stripeChunkCount
        let range = first..<min(first + stripeChunkCount, layout.chunkCount)
        let source = opening == nil ? layout.plaintext(of: range) : layout.sealed(of: range)
        let target = sealing == nil ? layout.plaintext(of: range) : layout.sealed(of: range)
        try buffers.read { (buffer) throws(EnvelopeError) in
          try input.file.readAll(
            at: inputStart + source.lowerBound, byteCount: source.count, into: &buffer, of: input.path)
        }
        guard buffers.inputByteCount == source.count else { throw input.changed }
        try buffers.convert(from: first, endsFile: range.upperBound == layout.chunkCount)
        try buffers.withOutput { (bytes) throws(EnvelopeError) in try write(bytes, outputStart + target.lowerBound) }
        progress.add(source.count)
      }
    }
    try interruption.check()
    try input.checkIsUnchanged()
    return layout.byteCount
  }
}

/// Counts what workers have done, and reports it in order.
final class ProgressCounter: Sendable {
  private let total: Int?
  private let done: Mutex<Int>
  private let report: (@Sendable (Int, Int?) -> Void)?

  init(total: Int?, done: Int, _ report: (@Sendable (Int, Int?) -> Void)?) {
    self.total = total
    self.done = Mutex(done)
    self.report = report
  }

  /// Adds bytes that are done.
  func add(_ byteCount: Int) {
    guard let report else { return }
    done.withLock { done in
      done += byteCount
      report(done, total)
    }
  }
}
