// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What a task brings to those that wait for it.
///
/// A task that has ended keeps its result until the thread that ran it has let go of it, which may be after a waiter has
/// gone on. So no key is the result of a task: it is gone with the last owner of this.
final class Arrival<Value: Sendable>: Sendable {
  private let content = Mutex<Value?>(nil)

  func bring(_ value: Value) { content.withLock { $0 = value } }

  /// What the task has brought; nil before.
  var value: Value? { content.withLock { $0 } }
}
