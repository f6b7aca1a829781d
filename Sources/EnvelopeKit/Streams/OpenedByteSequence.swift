// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension AsyncSequence where Element == [UInt8] {
  /// What these bytes of a sealed stream hold (`Docs/Format.md`, section Files), opened on all cores, in order.
  ///
  /// - Parameters:
  ///   - context: The pairs given when the stream was sealed.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept a stream that was opened through the entry of a recipient.
  public func opened(
    context: EncryptionContext, using keyring: some Keyring, anonymousSender sender: AnonymousSender = .refused
  ) -> OpenedByteSequence<Self> {
    OpenedByteSequence(base: self) { header in
      try await StreamOpener(
        header: header, context: context, coreCount: StripeQueue.availableCoreCount, using: keyring,
        anonymousSender: sender)
    }
  }
}

/// The plaintext of a sealed stream, in pieces of no particular length, opened as the stream comes.
///
/// Every byte that comes out has verified. That all have come out is known only when the sequence has ended without an
/// error. Iterating throws what ``StreamOpener`` throws, what the other sequence throws, and `CancellationError`. The pieces
/// are ordinary arrays, which are not wiped. The memory does not grow with the length.
public struct OpenedByteSequence<Base: AsyncSequence>: AsyncSequence where Base.Element == [UInt8] {
  let base: Base
  let begin: @Sendable (_ header: [UInt8]) async throws -> StreamOpener

  /// Begins to open.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(sequence: self, pieces: ByteCollector(base.makeAsyncIterator()))
  }

  /// Opens a batch of chunks at a time.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let sequence: OpenedByteSequence
    fileprivate var pieces: ByteCollector<Base.AsyncIterator>
    private let place = Place()

    fileprivate init(sequence: OpenedByteSequence, pieces: ByteCollector<Base.AsyncIterator>) {
      self.sequence = sequence
      self.pieces = pieces
    }

    // Copies of the iterator share the stream.
    private final class Place {
      var opener: StreamOpener?
      var hasBegun = false
    }

    /// The next bytes of the plaintext; nil after its end.
    public mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }

    /// The next bytes of the plaintext; nil after its end.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
      if !place.hasBegun {
        place.hasBegun = true
        place.opener = try await sequence.begin(try await pieces.collectHeader(isolation: actor))
      }
      // Unless this call puts it back, the stream has ended or failed.
      guard var opener = place.opener.take() else { return nil }
      var output: [UInt8] = []
      repeat {
        let bytes = try await pieces.collect(upTo: opener.batchByteCount, isolation: actor)
        try Task.checkCancellation()
        output.reserveCapacity(bytes.byteCount)
        try bytes.withBytes { (bytes) throws(EnvelopeError) in
          try opener.append(bytes) { (plaintext) in output.append(copying: plaintext) }
        }
        guard !pieces.isAtEnd else {
          try opener.finish { (plaintext) in output.append(copying: plaintext) }
          return output.isEmpty ? nil : output
        }
      } while output.isEmpty
      place.opener = consume opener
      return output
    }
  }
}

extension OpenedByteSequence: Sendable where Base: Sendable {}

@available(*, unavailable)
extension OpenedByteSequence.AsyncIterator: Sendable {}

// Reflected, either would show bytes that it was given and has not passed on.

extension OpenedByteSequence: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension OpenedByteSequence.AsyncIterator: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
