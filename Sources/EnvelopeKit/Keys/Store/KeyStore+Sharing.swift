// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension KeyStore {
  /// Whether each key is narrowed to functions, so that a reader of the store opens nothing of any other function.
  public var isNarrowed: Bool { keysets.allSatisfy { $0.scopes != nil || $0.versions.isEmpty } }

  /// A store of its own with one key, narrowed to some functions: it works for those functions' envelopes and no
  /// other's, by cryptography and not by a check.
  ///
  /// It has the key's versions, policy and aliases, and cannot be rotated. What is sealed with it and with the whole key
  /// is alike.
  ///
  /// - Parameters:
  ///   - aliasOrID: The key; it may be narrowed already, to these functions and others.
  ///   - scopes: 1 to 256 functions.
  /// - Throws: `keyNotFound` where there is no such key or it does not cover a function; `keyDisabled`,
  ///   `keyInvalidState`; `keyAccessDenied` where its policy does not name a function; `invalidArgument` where it is a
  ///   recipient's, or there are none or too many; what a reporter throws.
  public func exporting(_ aliasOrID: String, narrowedTo scopes: [FunctionScope]) throws(EnvelopeError) -> KeyStore {
    let keyset = try require(aliasOrID)
    let narrowed: Keyset
    do throws(EnvelopeError) {
      narrowed = try keyset.narrowed(to: scopes)
    } catch {
      try report(KeyUse(.export, of: keyset.id, failure: error.code))
      throw error
    }
    for scope in narrowed.scopes ?? [] { try report(KeyUse(.export, of: keyset.id, function: scope.function)) }
    var store = KeyStore()
    try store.add(narrowed)
    for (alias, id) in aliases where id == keyset.id { try store.addAlias(alias, for: id.string) }
    return store
  }
}
