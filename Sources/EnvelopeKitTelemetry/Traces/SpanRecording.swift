// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  /// The data that a span records until it ends.
  struct SpanRecording: Sendable {
    /// An error, and where and when it was recorded.
    struct Failure: Sendable {
      let type: String
      let message: String
      let attributes: SpanAttributes
      let nanoseconds: UInt64
    }

    /// Events, links and errors that were dropped because the span has too many.
    struct Dropped: Sendable {
      var events = 0
      var links = 0
      var failures = 0
    }

    var name: String
    let kind: SpanKind
    let start: UInt64
    var attributes: SpanAttributes = [:]
    var status: SpanStatus?
    private(set) var events: [SpanEvent] = []
    private(set) var links: [SpanLink] = []
    private(set) var failures: [Failure] = []
    private(set) var dropped = Dropped()
    private var occurrencesByteCount = 0

    init(name: String, kind: SpanKind, start: UInt64) {
      self.name = name
      self.kind = kind
      self.start = start
    }

    mutating func append(_ event: SpanEvent) {
      guard
        hasRoom(beside: events.count, for: event.name.utf8.count + event.attributes.approximateByteCount)
      else { return dropped.events += 1 }
      events.append(event)
    }

    mutating func append(_ link: SpanLink) {
      guard hasRoom(beside: links.count, for: link.attributes.approximateByteCount) else {
        return dropped.links += 1
      }
      links.append(link)
    }

    mutating func append(_ failure: Failure) {
      guard
        hasRoom(
          beside: failures.count,
          for: failure.type.utf8.count + failure.message.utf8.count + failure.attributes.approximateByteCount)
      else { return dropped.failures += 1 }
      failures.append(failure)
    }

    /// Whether another event, link or error is kept.
    ///
    /// The first that exceeds the limit on memory still is.
    private mutating func hasRoom(beside count: Int, for byteCount: Int) -> Bool {
      guard count < TraceLimits.occurrenceCount, occurrencesByteCount < TraceLimits.occurrencesByteCount else {
        return false
      }
      occurrencesByteCount += byteCount + 64
      return true
    }

    /// Removes events, links and errors once the span has ended and they were rendered.
    mutating func removeOccurrences() {
      events = []
      links = []
      failures = []
    }
  }
#endif
