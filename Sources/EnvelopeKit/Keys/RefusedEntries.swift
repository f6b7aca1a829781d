// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The entries of a header that a key service has refused while it is being unlocked, so that none is asked about twice.
///
/// Where an entry unwraps to a data key that is not the header's, the keyring is asked again with the rest.
package final class RefusedEntries: Sendable {
  /// Those of the header that is being unlocked by this task; nil where it has only one entry.
  @TaskLocal package static var current: RefusedEntries?

  private let entries = Mutex<Set<WrappedDataKey>>([])

  package init() {}

  package func insert(_ entry: WrappedDataKey) { entries.withLock { _ = $0.insert(entry) } }

  package func contains(_ entry: WrappedDataKey) -> Bool { entries.withLock { $0.contains(entry) } }
}
