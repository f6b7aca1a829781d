// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  package import EnvelopeKit

  /// What a record says, written outside of any lock: its clear members, and the payload to seal.
  ///
  /// One thread uses it at a time: a writer keeps those that are free behind a lock, and gives each away once.
  package final class RecordText: @unchecked Sendable {
    /// The clear members as JSON, without braces.
    package var members = GrowingBuffer(capacity: 256)
    /// The clear members in canonical form.
    package var clear = GrowingBuffer(capacity: 256)
    /// The time, which is written in several places.
    package var time = GrowingBuffer(capacity: 32)
    /// What is sealed.
    package var payload = GrowingBuffer(capacity: 512)

    package init() {}

    /// Whether it is worth keeping for another record.
    var isSmall: Bool { payload.capacity <= 1 << 16 && members.capacity <= 1 << 17 }

    /// Overwrites what it holds.
    package func wipe() {
      members.remove()
      clear.remove()
      time.remove()
      payload.wipe()
    }
  }
#endif
