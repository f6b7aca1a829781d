// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// The lines of a ``RecordSink/lines(byteLimit:whenFull:)``, each without its line feed.
  ///
  /// It ends when the writer is closed. Lines are dropped from the moment on that nothing refers to the sequence or its
  /// iterator.
  public struct RecordLines: AsyncSequence, Sendable {
    /// A line.
    public typealias Element = [UInt8]
    /// It does not fail.
    public typealias Failure = Never

    private let consumer: Consumer

    init(_ queue: LineQueue) { consumer = Consumer(queue) }

    /// Releases the queue with the last reference.
    fileprivate final class Consumer: Sendable {
      let queue: LineQueue

      init(_ queue: LineQueue) { self.queue = queue }

      deinit { queue.abandon() }
    }

    /// Creates the iterator; two share the lines between them.
    public func makeAsyncIterator() -> Iterator { Iterator(consumer: consumer) }

    /// Receives the lines.
    public struct Iterator: AsyncIteratorProtocol {
      fileprivate let consumer: Consumer

      /// The next line; nil after the last, or if the task is cancelled.
      public mutating func next() async -> [UInt8]? { await consumer.queue.next() }

      /// The next line; nil after the last, or if the task is cancelled.
      public mutating func next(isolation actor: isolated (any Actor)?) async -> [UInt8]? {
        await consumer.queue.next()
      }
    }
  }
#endif
