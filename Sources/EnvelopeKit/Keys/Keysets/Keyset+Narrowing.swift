// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Keyset {
  /// The same keyset for some functions alone: each version's secret is replaced by what it derives for each of them.
  ///
  /// - Throws: `keyNotFound` if this copy does not have the primary version for one of them; `invalidArgument` if the
  ///   keyset is an identity, or there are none or too many; `systemFailure` if there is no memory; as ``rotated()`` for
  ///   its state.
  func narrowed(to scopes: [FunctionScope]) throws(EnvelopeError) -> Keyset {
    try checkState()
    guard kind == .symmetric else {
      throw EnvelopeError(
        .invalidArgument, "The key \(shown) is a recipient's and cannot be narrowed",
        advice: "Create a recipient for each function.")
    }
    for scope in scopes where !(policy.functions?.contains(scope) ?? true) {
      throw EnvelopeError(
        .keyAccessDenied, "The policy of the key \(shown) does not let it serve \(scope)",
        advice: "Change the policy: envelope keys policy \(handle)")
    }
    let scopes = Set(scopes).sorted()
    guard (1...Self.scopeLimit).contains(scopes.count) else {
      throw EnvelopeError(.invalidArgument, "A key is narrowed to 1 to \(Self.scopeLimit) functions")
    }
    for scope in scopes {
      if let primaryVersion, !holds(primaryVersion, for: scope) { throw isMissing(primaryVersion, for: scope) }
    }
    // A copy that was joined may have an older version for some of its functions alone.
    let parts = versions.map { version in (version, scopes: scopes.filter { holds(version, for: $0) }) }
      .filter { !$0.scopes.isEmpty }
    let count = parts.reduce(0) { $0 + $1.scopes.count }
    let arena = try GuardedMemory(capacity: count * WrappingKey.byteCount) { (output) throws(EnvelopeError) in
      for (version, scopes) in parts {
        for scope in scopes {
          let key = try narrowedKey(of: version, for: scope)
          key.withBytes { output.append($0) }
        }
      }
    }
    var (copies, offset) = ([Version](), 0)
    for (version, held) in parts {
      var keys: [WrappingKey] = []
      for _ in held {
        keys.append(try WrappingKey(in: arena, at: offset))
        offset += WrappingKey.byteCount
      }
      copies.append(
        Version(
          number: version.number, created: version.created, keys: keys,
          scopes: held.count == scopes.count ? nil : held))
    }
    var narrowed = self
    (narrowed.versions, narrowed.scopes) = (copies, scopes)
    return narrowed
  }

  /// The 32 bytes that wrap for one scope, derived or as they were handed out.
  func narrowedKey(of version: Version, for scope: FunctionScope) throws(EnvelopeError) -> SecretBytes {
    guard let scopes = scopes(of: version) else { return try version.keys[0].narrowed(to: scope.function) }
    guard let index = scopes.firstIndex(of: scope) else { throw isMissing(version, for: scope) }
    return try version.keys[index].withBytes { SecretBytes(copying: $0) }
  }

  /// The functions that this copy has a version for; nil for the whole key.
  package func scopes(of version: Version) -> [FunctionScope]? { version.scopes ?? scopes }

  func holds(_ version: Version, for scope: FunctionScope) -> Bool { scopes(of: version)?.contains(scope) ?? true }

  /// The error for a function that this copy is not for, or does not have a version for.
  func isMissing(_ version: Version, for scope: FunctionScope) -> EnvelopeError {
    EnvelopeError(
      .keyNotFound,
      scopes?.contains(scope) ?? true
        ? "The key \(shown) is narrowed here, without its version \(version.number) for \(scope)"
        : "The key \(shown) is narrowed here to other functions than this envelope's (\(scope))",
      advice: "Export it for this one where the whole key is: envelope keys export \(handle) --function NAME")
  }
}
