// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension AsyncSequence where Element == [UInt8] {
  /// The sealed form of these bytes (`Docs/Format.md`, section Files), sealed on all cores, in order.
  ///
  /// Each iteration generates a data key of its own.
  ///
  /// - Parameters:
  ///   - context: Pairs that must be given again to open.
  ///   - suite: The cipher.
  ///   - chunkSize: How many bytes are sealed together.
  ///   - keyring: Wraps the data key.
  public func sealed(
    context: EncryptionContext, suite: AlgorithmSuite = .chaCha20Poly1305, chunkSize: ChunkSize = .standard,
    using keyring: some Keyring
  ) -> SealedByteSequence<Self> {
    SealedByteSequence(base: self) {
      try await StreamSealer(
        context: context, suite: suite, chunkSize: chunkSize, coreCount: StripeQueue.availableCoreCount, using: keyring)
    }
  }
}

/// Sealed bytes, in pieces of no particular length, made of those of another sequence as they come.
///
/// Iterating throws what ``StreamSealer`` throws, what the other sequence throws, and `CancellationError`. The memory does not grow with the
/// length.
public struct SealedByteSequence<Base: AsyncSequence>: AsyncSequence where Base.Element == [UInt8] {
  let base: Base
  let begin: @Sendable () async throws -> StreamSealer

  /// Begins a stream.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(sequence: self, pieces: ByteCollector(base.makeAsyncIterator()))
  }

  /// Seals a batch of chunks at a time.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let sequence: SealedByteSequence
    fileprivate var pieces: ByteCollector<Base.AsyncIterator>
    private let place = Place()

    fileprivate init(sequence: SealedByteSequence, pieces: ByteCollector<Base.AsyncIterator>) {
      self.sequence = sequence
      self.pieces = pieces
    }

    // A value that cannot be copied has no place in an iterator, which can. Copies of the iterator share the stream.
    private final class Place {
      var sealer: StreamSealer?
      var hasBegun = false
    }

    /// The next sealed bytes; nil after the end of the stream.
    public mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }

    /// The next sealed bytes; nil after the end of the stream.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
      if !place.hasBegun {
        place.hasBegun = true
        place.sealer = try await sequence.begin()
      }
      // Unless this call puts it back, the stream has ended or failed.
      guard var sealer = place.sealer.take() else { return nil }
      let bytes = try await pieces.collect(upTo: sealer.batchByteCount, isolation: actor)
      // A sequence may end because the task was cancelled, and not because there is no more.
      try Task.checkCancellation()
      var output: [UInt8] = []
      output.reserveCapacity(sealer.outputByteCount(appending: bytes.byteCount))
      try bytes.withBytes { (bytes) throws(EnvelopeError) in
        try sealer.append(bytes) { (sealed) in output.append(copying: sealed) }
      }
      guard !pieces.isAtEnd else {
        try sealer.finish { (sealed) in output.append(copying: sealed) }
        return output
      }
      place.sealer = consume sealer
      return output
    }
  }
}

extension SealedByteSequence: Sendable where Base: Sendable {}

@available(*, unavailable)
extension SealedByteSequence.AsyncIterator: Sendable {}

// Reflected, either would show bytes that it was given and has not passed on.

extension SealedByteSequence: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SealedByteSequence.AsyncIterator: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
