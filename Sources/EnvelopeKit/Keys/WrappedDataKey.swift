// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A data key under one wrapping key, as it stands in a header.
public struct WrappedDataKey: Hashable, Sendable {
  /// How it was wrapped.
  public let scheme: WrappingScheme
  /// Which wrapping key it was wrapped with.
  public let keyID: KeyID
  /// The wrapped key; its length is fixed by the scheme.
  public let bytes: [UInt8]

  /// Checks and keeps the parts.
  ///
  /// - Throws: `malformed` where the length is not one that the scheme has.
  public init(scheme: WrappingScheme, keyID: KeyID, bytes: [UInt8]) throws(EnvelopeError) {
    guard scheme.wrappedByteCounts.contains(bytes.count) else {
      throw EnvelopeError(.malformed, "A wrapped data key has a length that its scheme does not have")
    }
    self.scheme = scheme
    self.keyID = keyID
    self.bytes = bytes
  }
}

extension WrappedDataKey {
  /// The associated data of wrapping by local keys: scheme ‖ lp16(key id) ‖ canonical context.
  static func associatedData(
    _ scheme: WrappingScheme, keyID: KeyID, context: EncryptionContext
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: 3 + keyID.string.utf8.count + context.canonicalByteCount) {
      (output) throws(EnvelopeError) in
      output.append(scheme.rawValue)
      output.append(lengthPrefixed16: keyID.string)
      try context.appendCanonical(to: &output)
    }
  }
}
