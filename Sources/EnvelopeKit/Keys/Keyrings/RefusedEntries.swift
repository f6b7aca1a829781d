// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The entries of a header that a key service has refused while it is being unlocked, so that none is asked about twice.
///
/// Where an entry unwraps to a data key that is not the header's, the keyring is asked again with the rest.
package final class RefusedEntries: Sendable {
  /// Those of the header that is being unlocked by this task; nil where it has only one entry.
  @TaskLocal package static var current: RefusedEntries?

  // By who asked: another keyring may have other keys, credentials or names.
  private struct Name: Hashable {
    let asker: ObjectIdentifier
    let entry: WrappedDataKey
  }
  private let failures = Mutex<[Name: EnvelopeError]>([:])

  package init() {}

  /// Remembers what an asker, which lives as long as this, was told of an entry.
  package func insert(_ entry: WrappedDataKey, for asker: AnyObject, _ failure: EnvelopeError) {
    failures.withLock { $0[Name(asker: ObjectIdentifier(asker), entry: entry)] = failure }
  }

  /// What the asker was told of the entry, or nil.
  package func failure(of entry: WrappedDataKey, for asker: AnyObject) -> EnvelopeError? {
    failures.withLock { $0[Name(asker: ObjectIdentifier(asker), entry: entry)] }
  }
}
