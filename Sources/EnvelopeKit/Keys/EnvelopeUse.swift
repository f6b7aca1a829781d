// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The kind of envelope that a wrapped data key is for (`Docs/Format.md`, section Envelope kind).
///
/// Keyrings receive it as one more pair of the context, so an entry unwraps in an envelope of its own kind only, and
/// the policy and the log of a key service can tell what is opened.
package enum EnvelopeUse: String, Sendable, CaseIterable {
  case value = "value"
  /// Both forms of an environment.
  case environment = "environment"
  case file = "file"
  case records = "records"
  /// A locked key store.
  case keyStore = "key-store"

  /// The key of the pair, which a caller's context must not have.
  package static let contextKey = "envelope-kind"
}
