// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals many values under one data key, synchronously, after one call to the keyring.
///
/// Safe to share between threads. All envelopes of one sealer carry the same header, so their associated data
/// must say where each belongs (a table and a row, say): without it they could be swapped. The key lies in a guarded
/// allocation of its own, at least four pages: for many contexts, use a ``CachingSealer``.
public struct Sealer: Sendable {
  private let header: [UInt8]
  private let payloadKey: GuardedMemory

  /// Draws a data key and has the keyring wrap it.
  ///
  /// - Throws: `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(context: EncryptionContext, using keyring: some Keyring) async throws {
    let unlocked = try await UnlockedHeader.make(.value, context: context, using: keyring)
    header = unlocked.header.bytes
    payloadKey = try GuardedMemory(capacity: AEAD.keyByteCount) { (output) throws(EnvelopeError) in
      try unlocked.keys.append(.payload, to: &output)
    }
  }

  /// Whether the system keeps the key out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { payloadKey.isLocked }

  /// How many bytes an envelope is longer than its plaintext.
  public var overheadByteCount: Int { header.count + AEAD.xChaCha20Poly1305.overheadByteCount }

  /// Appends an envelope to a buffer of the caller's, and allocates nothing.
  ///
  /// - Parameters:
  ///   - plaintext: Any number of bytes.
  ///   - associatedData: What says where the value belongs; at least one byte.
  ///   - output: Has room for the plaintext and ``overheadByteCount`` more.
  /// - Throws: `invalidArgument` where there is no associated data, `bufferTooSmall`; nothing is appended then.
  public func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    let header = unsafe header.span.bytes
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try Self.append(header, sealing: plaintext, authenticating: associatedData, key: key, to: &output)
    }
  }

  /// Seals bytes into an envelope of its own.
  ///
  /// - Throws: `invalidArgument` where there is no associated data.
  public func seal(
    _ plaintext: [UInt8], authenticating associatedData: [UInt8]
  ) throws(EnvelopeError) -> [UInt8] {
    // Closures that capture spans and nothing else are inlined, and retain nothing.
    let byteCount = plaintext.count + overheadByteCount
    let (header, plaintext, associatedData) = unsafe (
      header.span.bytes, plaintext.span.bytes, associatedData.span.bytes
    )
    var envelope: [UInt8] = []
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try envelope.append(addingCapacity: byteCount) { (span) throws(EnvelopeError) in
        try span.withRawSpan(capacity: byteCount) { (output) throws(EnvelopeError) in
          try Self.append(header, sealing: plaintext, authenticating: associatedData, key: key, to: &output)
        }
      }
    }
    return envelope
  }

  /// Seals bytes into an envelope of their own, with a header and the payload key that belongs to it.
  ///
  /// - Throws: `invalidArgument` if there is no associated data.
  static func seal(
    _ plaintext: [UInt8], authenticating associatedData: [UInt8], under header: [UInt8], key: borrowing SecretBytes
  ) throws(EnvelopeError) -> [UInt8] {
    let byteCount = header.count + plaintext.count + AEAD.xChaCha20Poly1305.overheadByteCount
    return try [UInt8].appending(capacity: byteCount) { (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe append(
          header.span.bytes, sealing: plaintext.span.bytes, authenticating: associatedData.span.bytes, key: key,
          to: &output)
      }
    }
  }

  /// Appends header ‖ nonce ‖ ciphertext ‖ tag.
  @inline(__always)
  private static func append(
    _ header: RawSpan, sealing plaintext: RawSpan, authenticating associatedData: RawSpan, key: RawSpan,
    to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try appendHeader(header, sealing: plaintext, authenticating: associatedData, to: &output)
    try AEAD.xChaCha20Poly1305.seal(plaintext, authenticating: associatedData, key: key, into: &output)
  }

  /// The same under a nonce of 24 bytes that has just been drawn and is used for nothing else.
  func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, nonce: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try unsafe Self.appendHeader(header.span.bytes, sealing: plaintext, authenticating: associatedData, to: &output)
    output.append(nonce)
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try AEAD.xChaCha20Poly1305.seal(plaintext, authenticating: associatedData, nonce: nonce, key: key, into: &output)
    }
  }

  @inline(__always)
  private static func appendHeader(
    _ header: RawSpan, sealing plaintext: RawSpan, authenticating associatedData: RawSpan,
    to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard !associatedData.isEmpty else {
      throw EnvelopeError(
        .invalidArgument, "Values sealed under one header need associated data",
        advice: "Pass what identifies the place of the value, such as its table and row.")
    }
    let byteCount = header.byteCount + plaintext.byteCount + AEAD.xChaCha20Poly1305.overheadByteCount
    guard output.freeCapacity >= byteCount else { throw .bufferTooSmall }
    output.append(header)
  }
}

extension Sealer: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
