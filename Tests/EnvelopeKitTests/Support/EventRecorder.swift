// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import EnvelopeKit

/// Keeps the events that it is told of.
final class EventRecorder: EnvelopeObserver {
  private let state = Mutex<[EnvelopeEvent]>([])

  var events: [EnvelopeEvent] { state.withLock { $0 } }

  /// The names of the events since the last time, in their order.
  func take() -> [String] {
    state.withLock { events in
      defer { events = [] }
      return events.map(\.kind.rawValue)
    }
  }

  func observe(_ event: EnvelopeEvent) { state.withLock { $0.append(event) } }
}
