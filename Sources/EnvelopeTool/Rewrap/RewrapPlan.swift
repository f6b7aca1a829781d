// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// What shall become of the entries of one header.
struct RewrapPlan {
  /// Those that are there now.
  let entries: [WrappedDataKey]
  /// Those that stay.
  let kept: [WrappedDataKey]
  /// The keys that an entry of comes to them.
  let added: [TargetKey]
  /// The keys that it shall be under, whether an entry of theirs is there already or comes.
  let wanted: [TargetKey]

  /// Whether everything is as it shall be.
  var isNothing: Bool { added.isEmpty && kept.count == entries.count }

  /// Whoever can open it now and shall not any more.
  var lost: Set<WrappedDataKey.Reader> {
    let stays = Set(kept.map(\.reader) + added.map(\.reader))
    return Set(entries.map(\.reader)).subtracting(stays)
  }

  /// What to do to the header.
  func rewrapping() throws(EnvelopeError) -> Rewrapping {
    let kept = Set(kept)
    return Rewrapping(adding: added.isEmpty ? nil : try MultiKeyring(added.map(\.keyring))) { !kept.contains($0) }
  }

  /// A tab and the changes, or nothing: entries that come with a plus, those that go with a minus.
  var description: String {
    let gone = entries.filter { !kept.contains($0) }.map { "-\($0.keyID)" }
    let changes = (added.map { "+\($0.name)" } + gone).joined(separator: " ")
    return changes.isEmpty ? "" : "\t" + changes
  }
}
