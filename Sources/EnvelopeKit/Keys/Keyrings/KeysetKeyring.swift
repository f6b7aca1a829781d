// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Wraps with one local keyset, and unwraps with that and any others that it is given.
///
/// Each use of a keyset that a ``KeyStore`` gave out is reported to the store's reporters.
public struct KeysetKeyring: Keyring {
  // The one that wraps, and those that only unwrap.
  private let keysets: [Keyset]

  /// Makes a keyring.
  ///
  /// - Parameters:
  ///   - keyset: Wraps new data keys, and unwraps.
  ///   - others: Unwrap only.
  public init(_ keyset: Keyset, alsoUnwrappingWith others: [Keyset] = []) { keysets = [keyset] + others }

  /// The keyset that wraps.
  public var keyset: Keyset { keysets[0] }

  /// Draws a data key and wraps it with the primary version.
  ///
  /// - Throws: As ``wrap(_:for:)``.
  public func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let dataKey = try DataKey.generate()
    let wrapped = try await wrap(dataKey, for: context)
    return GeneratedDataKey(dataKey: dataKey, wrapped: wrapped)
  }

  /// Wraps a data key with the primary version.
  ///
  /// - Throws: `keyDisabled`, `keyInvalidState`, `keyAccessDenied` where state or policy do not allow that, `keyNotFound`
  ///   where the key was destroyed or is narrowed to other functions, `unsupportedSuite` for a post-quantum identity if
  ///   libsodium lacks X-Wing, `invalidArgument` for a context that breaks a limit, or what a reporter throws.
  public func wrap(
    _ dataKey: borrowing DataKey, for context: EncryptionContext
  ) async throws -> [WrappedDataKey] {
    // A context that breaks a limit is no use of a key: whoever is told of uses could not write it down.
    try context.check()
    let wrapped: WrappedDataKey
    do throws(EnvelopeError) {
      wrapped = try keyset.wrap(dataKey, for: context)
    } catch {
      let keyID = try keyset.primaryVersion.map { (version) throws(EnvelopeError) in try keyset.keyID(of: version) }
      try keyset.report(.wrap, of: keyID ?? keyset.id, for: context, failure: error.code)
      throw error
    }
    try keyset.reportSuccess(.wrap, of: wrapped.keyID, for: context)
    return [wrapped]
  }

  /// Unwraps the first entry whose key id names a version held here, those of recipients last.
  ///
  /// - Throws: `keyNotFound` if none does; else of the first keyset that has one `keyDisabled`, `keyInvalidState`,
  ///   `keyAccessDenied`, `keyVersionTooOld` if state, policy or version do not allow that, `unsupportedSuite` if
  ///   libsodium lacks what the key needs, `unwrapFailed` if the entry was altered, and if there is nothing of these
  ///   `keyNotFound` if the key was destroyed or is narrowed to other functions; `invalidArgument` for a context that
  ///   breaks a limit; or what a reporter throws.
  public func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    try context.check()
    var failures: [(rank: Int, error: EnvelopeError)] = []
    // What was sealed to a recipient alone proves no sender, so it is not looked at while another entry opens.
    for entry in wrapped where !entry.scheme.isAnonymous {
      if let unwrapped = try unwrap(entry, for: context, &failures) { return unwrapped }
    }
    for entry in wrapped where entry.scheme.isAnonymous {
      if let unwrapped = try unwrap(entry, for: context, &failures) { return unwrapped }
    }
    var chosen = UnwrapFailures()
    // The sort keeps the order of failures of one keyset.
    for failure in failures.sorted(by: { $0.rank < $1.rank }) { chosen.add(failure.error, among: wrapped) }
    throw chosen.error(among: wrapped)
  }

  /// Unwraps an entry with the keyset that has its version; nil where none has, or it does not unwrap.
  ///
  /// - Throws: What a reporter throws: a use that may not be told of ends there, whatever else would open.
  private func unwrap(
    _ entry: WrappedDataKey, for context: EncryptionContext, _ failures: inout [(rank: Int, error: EnvelopeError)]
  ) throws(EnvelopeError) -> UnwrappedDataKey? {
    // More than one keyset has the version where a copy of a keyset went its own way.
    for rank in keysets.indices {
      let keyset = keysets[rank]
      guard let number = keyset.versionNumber(in: entry) else { continue }
      let dataKey: DataKey
      do throws(EnvelopeError) {
        guard let version = keyset.version(numbered: number) else {
          try keyset.checkExists()
          continue
        }
        dataKey = try keyset.unwrap(entry, version: version, for: context)
      } catch {
        try keyset.report(.unwrap, of: entry.keyID, for: context, failure: error.code)
        // As a multi-keyring of the keysets ranks them.
        failures.append((keyset.kind.kem != nil ? keysets.count + rank : rank, error))
        continue
      }
      try keyset.reportSuccess(.unwrap, of: entry.keyID, for: context)
      return UnwrappedDataKey(dataKey: dataKey, source: entry)
    }
    return nil
  }
}

extension Keyset {
  /// Reports a use before its result is returned; if a reporter throws, reports that failure to all of them.
  fileprivate func reportSuccess(
    _ operation: KeyUse.Operation, of keyID: KeyID, for context: EncryptionContext
  ) throws(EnvelopeError) {
    do throws(EnvelopeError) {
      try report(operation, of: keyID, for: context)
    } catch {
      try? report(operation, of: keyID, for: context, failure: error.code)
      throw error
    }
  }

  fileprivate func report(
    _ operation: KeyUse.Operation, of keyID: KeyID, for context: EncryptionContext, failure: EnvelopeError.Code? = nil
  ) throws(EnvelopeError) {
    guard !reporters.isEmpty else { return }
    let use = KeyUse(operation, of: keyID, function: context.function, failure: failure)
    for reporter in reporters { try reporter(use) }
  }
}

extension EnvelopeError {
  package static func keyNotFound(among wrapped: [WrappedDataKey]) -> EnvelopeError {
    let keys = wrapped.map { "\($0.scheme) \($0.keyID)" }.joined(separator: ", ")
    return EnvelopeError(
      .keyNotFound,
      wrapped.count == 1
        ? "The key that the envelope is sealed under (\(keys)) is not in the keyring"
        : "None of the keys that the envelope is sealed under (\(keys)) is in the keyring",
      advice: wrapped.contains { $0.scheme == .awsKMS }
        ? "Name the KMS key, or open it with a keyring, or on a machine, that holds one of them."
        : "Open it with a keyring, or on a machine, that holds one of them.")
  }
}
