// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension Keyset {
  /// Wraps a data key with the primary version (`Docs/Format.md`, section Wrapping by a keyset).
  ///
  /// - Throws: What ``check(_:version:for:)`` throws; `keyNotFound` where it is narrowed to other functions;
  ///   `unsupportedSuite` for a post-quantum identity if libsodium lacks X-Wing.
  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) throws(EnvelopeError) -> WrappedDataKey {
    let version = try checkWraps(for: context)
    let keyID = try keyID(of: version)
    if let kem = kind.kem { return try recipient(of: version, kem).wrap(dataKey, for: context) }
    let associatedData = try WrappedDataKey.associatedData(.keyset, keyID: keyID, context: context)
    let key = try narrowedKey(of: version, for: FunctionScope(unchecked: context.function))
    // 24 random bytes ‖ 32 sealed bytes ‖ 16-byte tag.
    let bytes = try [UInt8].appending(capacity: DataKey.byteCount + AEAD.xChaCha20Poly1305.overheadByteCount) {
      (output) throws(EnvelopeError) in
      try dataKey.withBytes { (dataKey) throws(EnvelopeError) in
        try key.withBytes { (key) throws(EnvelopeError) in
          try unsafe AEAD.xChaCha20Poly1305.seal(
            dataKey, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      }
    }
    return try WrappedDataKey(scheme: .keyset, keyID: keyID, bytes: bytes)
  }

  /// The version that wraps, where state, policy and functions let it.
  ///
  /// - Throws: As ``wrap(_:for:)``.
  @discardableResult
  package func checkWraps(for context: EncryptionContext) throws(EnvelopeError) -> Version {
    try checkState()
    guard let version = primaryVersion else {
      throw EnvelopeError(.keyNotFound, "The key \(shown) has no version that wraps")
    }
    try check(.wrap, version: version.number, for: context)
    let scope = FunctionScope(unchecked: context.function)
    guard holds(version, for: scope) else { throw isMissing(version, for: scope) }
    return version
  }

  /// Whether an entry is one of a version of this keyset, here or not.
  package func owns(_ entry: WrappedDataKey) -> Bool { versionNumber(in: entry) != nil }

  /// The number of the version that an entry names, whether it is here or not; nil for another keyset's.
  func versionNumber(in entry: WrappedDataKey) -> UInt32? {
    entry.scheme == kind.scheme ? versionNumber(in: entry.keyID) : nil
  }

  /// Recovers a data key from an entry of a version that is here.
  ///
  /// - Throws: What ``check(_:version:for:)`` throws; `keyNotFound` where it is narrowed to other functions;
  ///   `unwrapFailed` where the entry was altered; `unsupportedSuite` for a post-quantum identity if libsodium lacks X-Wing.
  func unwrap(
    _ wrapped: WrappedDataKey, version: Version, for context: EncryptionContext
  ) throws(EnvelopeError) -> DataKey {
    try check(.unwrap, version: version.number, for: context)
    let associatedData = try WrappedDataKey.associatedData(wrapped.scheme, keyID: wrapped.keyID, context: context)
    let info = Recipient.info
    // An identity is never narrowed.
    let key =
      kind.kem != nil
      ? try version.keys[0].withBytes { SecretBytes(copying: $0) }
      : try narrowedKey(of: version, for: FunctionScope(unchecked: context.function))
    do {
      return try DataKey(
        SecretBytes(byteCount: DataKey.byteCount) { (output) throws(EnvelopeError) in
          try key.withBytes { (key) throws(EnvelopeError) in
            guard let kem = kind.kem else {
              return try unsafe AEAD.xChaCha20Poly1305.open(
                wrapped.bytes.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
            }
            try unsafe HPKE.open(
              wrapped.bytes.span.bytes, authenticating: associatedData.span.bytes, info: info.span.bytes, with: key,
              of: kem, into: &output)
          }
        })
    } catch {
      guard error.code == .payloadAltered else { throw error }
      throw EnvelopeError(
        .unwrapFailed, "The data key under key \(wrapped.keyID) does not unwrap: the header was altered",
        advice: "Restore the header from where it was sealed.")
    }
  }

  /// The public half of a version of an identity.
  private func recipient(of version: Version, _ kem: KEM) throws(EnvelopeError) -> Recipient {
    try version.keys[0].withBytes { (key) throws(EnvelopeError) in
      Recipient(keyID: try keyID(of: version), kem: kem, publicKey: try kem.publicKey(of: key))
    }
  }

  /// The public half of the primary version: what others seal to.
  ///
  /// - Throws: `invalidArgument` where the keyset is no identity, `keyNotFound` once it is destroyed, `unsupportedSuite` for
  ///   a post-quantum identity if libsodium lacks X-Wing.
  public func recipient() throws(EnvelopeError) -> Recipient {
    try checkExists()
    guard let kem = kind.kem, let version = primaryVersion else {
      throw EnvelopeError(
        .invalidArgument, "The key \(shown) is no recipient's: it has no public half",
        advice: "Create a recipient: envelope keys recipient NAME")
    }
    return try recipient(of: version, kem)
  }
}
