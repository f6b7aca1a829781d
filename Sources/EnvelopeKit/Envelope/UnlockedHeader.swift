// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A header together with the keys that it leads to: just made, or verified.
struct UnlockedHeader: ~Copyable, Sendable {
  let header: Header
  let keys: KeySchedule
  let dataKey: DataKey
  /// The kind of envelope that keyrings are told.
  let use: EnvelopeUse
  /// The entry that the data key was unwrapped from; nil if it was just generated.
  let source: WrappedDataKey?

  /// Generates a data key and creates a header for it.
  ///
  /// - Parameters:
  ///   - form: The kind of envelope, and the suite that seals what follows the header.
  ///   - use: Nil for the one that belongs to the kind.
  ///   - context: The caller's pairs.
  ///   - keyring: Generates and wraps the data key.
  /// - Throws: `unsupportedSuite` before the keyring is used; `invalidArgument` for a context or keys that break a limit;
  ///   or what the keyring throws.
  static func make(
    _ form: Header.Form, for use: EnvelopeUse? = nil, context: EncryptionContext, using keyring: some Keyring
  ) async throws -> UnlockedHeader {
    try form.suite.aead.checkIsAvailable()
    let canonicalContext = try context.canonicalBytes()
    let use = use ?? form.kind.use
    let generated = try await keyring.generateDataKey(for: context.forKeyrings(use))
    try Header.checkWrappedKeys(generated.wrapped, orThrow: .invalidArgument)
    let salt = try Randomness.bytes(Header.saltByteCount)
    let keys = try KeySchedule(
      dataKey: generated.dataKey, form: form, salt: salt, canonicalContext: canonicalContext)
    let header = try Header(
      form: form, salt: salt, canonicalContext: canonicalContext, wrappedKeys: generated.wrapped, keys: keys)
    return UnlockedHeader(header: header, keys: keys, dataKey: generated.takeDataKey(), use: use, source: nil)
  }

  /// Unwraps the data key of a header and verifies the header.
  ///
  /// An entry that unwraps to a data key of another commitment is passed over.
  ///
  /// - Parameters:
  ///   - header: The header, not verified yet.
  ///   - use: Nil for the one that belongs to the header's kind.
  ///   - context: The caller's pairs.
  ///   - keyring: Unwraps the data key.
  ///   - sender: Whether to accept what was opened through the entry of a recipient.
  ///   - advice: The advice of `anonymousSender`, if the usual one does not fit.
  /// - Throws: `contextDiffers` before any key is used, `headerAltered`, `anonymousSender`, or what the keyring throws.
  static func unlock(
    _ header: Header, for use: EnvelopeUse? = nil, context: EncryptionContext, using keyring: some Keyring,
    anonymousSender sender: AnonymousSender = .refused, advice: String? = nil
  ) async throws -> UnlockedHeader {
    try await unlock(header, for: use ?? header.kind.use, context: context, using: keyring) {
      (source) throws(EnvelopeError) in try Optional(source).check(sender, advice: advice)
    }
  }

  private static func unlock(
    _ header: Header, for use: EnvelopeUse, context: EncryptionContext, using keyring: some Keyring,
    accepting check: (WrappedDataKey) throws(EnvelopeError) -> Void
  ) async throws -> UnlockedHeader {
    let canonicalContext = try context.canonicalBytes()
    let keyringContext = try context.forKeyrings(use)
    guard try header.matches(canonicalContext: canonicalContext) else {
      throw EnvelopeError(
        .contextDiffers, "The encryption context differs from the one sealed with, or the header was altered",
        advice: "Pass the function name and the context that it was sealed for.")
    }
    guard header.wrappedKeys.count > 1 else {
      return try await unlock(
        header, for: use, context: keyringContext, canonicalContext: canonicalContext, using: keyring,
        accepting: check)
    }
    // A value that cannot be copied cannot be returned through a task-local's closure.
    let place = Place()
    try await RefusedEntries.$current.withValue(RefusedEntries()) {
      place.unlocked = try await unlock(
        header, for: use, context: keyringContext, canonicalContext: canonicalContext, using: keyring,
        accepting: check)
    }
    guard let unlocked = place.unlocked.take() else { throw CancellationError() }
    return unlocked
  }

  private final class Place {
    var unlocked: UnlockedHeader?
  }

  private static func unlock(
    _ header: Header, for use: EnvelopeUse, context: EncryptionContext, canonicalContext: [UInt8],
    using keyring: some Keyring, accepting check: (WrappedDataKey) throws(EnvelopeError) -> Void
  ) async throws -> UnlockedHeader {
    var candidates = header.wrappedKeys
    while !candidates.isEmpty {
      let unwrapped: UnwrappedDataKey
      do {
        unwrapped = try await keyring.unwrap(candidates, for: context)
      } catch let error as EnvelopeError
        where candidates.count < header.wrappedKeys.count && [.keyNotFound, .unwrapFailed].contains(error.code)
      {
        // A key was held and did unwrap, the one that was passed over: so that is not what is wrong.
        break
      }
      // What opened an envelope is told to the caller, who may trust one sender more than another.
      let source = unwrapped.source
      guard let index = candidates.firstIndex(of: source) else { break }
      let keys = try KeySchedule(
        dataKey: unwrapped.dataKey, form: header.form, salt: header.salt, canonicalContext: canonicalContext)
      guard keys.commitment.equalsInConstantTime(header.commitment) else {
        candidates.remove(at: index)
        continue
      }
      guard try keys.headerTag(over: header.taggedBytes).equalsInConstantTime(header.tag) else { break }
      // A cache remembers what was accepted, and nothing else.
      try check(source)
      unwrapped.whenVerified?()
      return UnlockedHeader(header: header, keys: keys, dataKey: unwrapped.takeDataKey(), use: use, source: source)
    }
    throw EnvelopeError(
      .headerAltered, "The header was altered: its data key, commitment or tag does not verify",
      advice: "Restore it from where it was sealed.")
  }
}

extension Header.Kind {
  /// The kind of envelope that keyrings are told, unless the envelope holds something of its own.
  package var use: EnvelopeUse {
    switch self {
    case .value: .value
    case .environment, .packedEnvironment: .environment
    case .file: .file
    case .records: .records
    }
  }
}

extension Header {
  /// Makes a header for keys that have just been derived.
  init(
    form: Form, salt: [UInt8], canonicalContext: [UInt8], wrappedKeys: [WrappedDataKey], keys: borrowing KeySchedule
  ) throws(EnvelopeError) {
    let contextCheck = try Self.contextCheck(salt: salt, canonicalContext: canonicalContext)
    let untagged = Header(
      form: form, salt: salt, contextCheck: contextCheck, wrappedKeys: wrappedKeys, commitment: keys.commitment,
      tag: [])
    let tag = try keys.headerTag(over: untagged.taggedBytes)
    self.init(
      form: form, salt: salt, contextCheck: contextCheck, wrappedKeys: wrappedKeys, commitment: keys.commitment,
      tag: tag)
  }
}
