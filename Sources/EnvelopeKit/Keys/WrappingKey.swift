// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A local 32-byte key that wraps data keys, somewhere in guarded memory.
package struct WrappingKey: Sendable {
  package static let byteCount = 32

  private let memory: GuardedMemory
  private let offset: Int

  /// The 32 bytes at an offset of an arena that holds many.
  package init(in memory: GuardedMemory, at offset: Int) throws(EnvelopeError) {
    guard offset >= 0, offset <= memory.byteCount - Self.byteCount else {
      throw EnvelopeError(.keyStoreDamaged, "A wrapping key must be \(Self.byteCount) bytes")
    }
    self.memory = memory
    self.offset = offset
  }

  package static func generate() throws(EnvelopeError) -> WrappingKey {
    let memory = try GuardedMemory(capacity: byteCount) { (output) throws(EnvelopeError) in
      try Randomness.append(byteCount, to: &output)
    }
    return try WrappingKey(in: memory, at: 0)
  }

  package func withBytes<R: ~Copyable>(_ body: (RawSpan) throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
    try memory.withBytes(in: offset..<offset + Self.byteCount, body)
  }

  /// Wraps a data key: 24 random bytes ‖ 32 sealed bytes ‖ 16-byte tag.
  func wrap(
    _ dataKey: borrowing DataKey, keyID: KeyID, for context: EncryptionContext
  ) throws(EnvelopeError) -> WrappedDataKey {
    let associatedData = try Self.associatedData(keyID: keyID, context: context)
    let narrowed = try narrowed(to: context.function)
    let bytes = try [UInt8].appending(capacity: DataKey.byteCount + AEAD.xChaCha20Poly1305.overheadByteCount) {
      (output) throws(EnvelopeError) in
      try dataKey.withBytes { (dataKey) throws(EnvelopeError) in
        try narrowed.withBytes { (key) throws(EnvelopeError) in
          try unsafe AEAD.xChaCha20Poly1305.seal(
            dataKey, authenticating: associatedData.span.bytes, key: key, into: &output)
        }
      }
    }
    return try WrappedDataKey(scheme: .keyset, keyID: keyID, bytes: bytes)
  }

  /// Recovers a data key.
  func unwrap(_ wrapped: WrappedDataKey, for context: EncryptionContext) throws(EnvelopeError) -> DataKey {
    let associatedData = try Self.associatedData(keyID: wrapped.keyID, context: context)
    let narrowed = try narrowed(to: context.function)
    do {
      return try DataKey(
        SecretBytes(byteCount: DataKey.byteCount) { (output) throws(EnvelopeError) in
          try narrowed.withBytes { (key) throws(EnvelopeError) in
            try unsafe AEAD.xChaCha20Poly1305.open(
              wrapped.bytes.span.bytes, authenticating: associatedData.span.bytes, key: key, into: &output)
          }
        })
    } catch {
      throw EnvelopeError(
        .unwrapFailed, "The data key under key \(wrapped.keyID) does not unwrap: the header was altered",
        advice: "Take the file from where it was sealed.")
    }
  }

  /// The key narrowed to one function, or to envelopes that name none: BLAKE2b-256 of
  /// 0x00, or of 0x01 ‖ lp16(function).
  private func narrowed(to function: String?) throws(EnvelopeError) -> SecretBytes {
    var message: [UInt8] = [function == nil ? 0 : 1]
    if let function { message.append(lengthPrefixed16: function.utf8) }
    return try SecretBytes(byteCount: Self.byteCount) { (output) throws(EnvelopeError) in
      try withBytes { (secret) throws(EnvelopeError) in
        try unsafe BLAKE2b.derive(
          Self.byteCount, key: secret, personal: "EK wrap", message: message.span.bytes, into: &output)
      }
    }
  }

  /// The bytes scheme ‖ lp16(key id) ‖ canonical context.
  private static func associatedData(
    keyID: KeyID, context: EncryptionContext
  ) throws(EnvelopeError) -> [UInt8] {
    var bytes = [WrappingScheme.keyset.rawValue]
    bytes.append(lengthPrefixed16: keyID.string.utf8)
    return try bytes + context.canonicalBytes()
  }
}

extension WrappingKey: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: []) }
}
