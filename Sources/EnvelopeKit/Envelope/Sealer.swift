// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals many values under one data key, synchronously, after one call to the keyring.
///
/// Safe to share between threads. All envelopes of one sealer carry the same header, so their associated data
/// must say where each belongs (a table and a row, say): without it they could be swapped. The key lies in a guarded
/// allocation of its own, at least four pages: for many contexts, use a ``CachingSealer``.
public struct Sealer: Sendable {
  /// How many bytes an envelope is longer than its plaintext.
  public let overheadByteCount: Int
  let aead: AEAD
  private let header: [UInt8]
  private let payloadKey: GuardedMemory

  /// Draws a data key and has the keyring wrap it.
  ///
  /// - Throws: `unsupportedSuite`, `invalidArgument` for a context that breaks a limit, or what the keyring throws.
  public init(
    context: EncryptionContext, suite: AlgorithmSuite = .chaCha20Poly1305, using keyring: some Keyring
  ) async throws {
    let unlocked = try await UnlockedHeader.make(.value(suite), context: context, using: keyring)
    aead = suite.aead
    header = unlocked.header.bytes
    overheadByteCount = header.count + aead.overheadByteCount
    payloadKey = try unlocked.keys.guardedKey(.payload)
  }

  /// Whether the system keeps the key out of swap; false if the limit on locked memory is used up.
  public var isLocked: Bool { payloadKey.isLocked }

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
    let (header, aead) = unsafe (header.span.bytes, aead)
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try Self.append(header, sealing: plaintext, authenticating: associatedData, with: aead, key: key, to: &output)
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
    let (header, plaintext, associatedData, aead) = unsafe (
      header.span.bytes, plaintext.span.bytes, associatedData.span.bytes, aead
    )
    var envelope: [UInt8] = []
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try envelope.append(addingCapacity: byteCount) { (span) throws(EnvelopeError) in
        try span.withRawSpan(capacity: byteCount) { (output) throws(EnvelopeError) in
          try Self.append(header, sealing: plaintext, authenticating: associatedData, with: aead, key: key, to: &output)
        }
      }
    }
    return envelope
  }

  /// Seals bytes into an envelope of their own, with a header and the payload key that belongs to it.
  ///
  /// - Throws: `invalidArgument` if there is no associated data.
  static func seal(
    _ plaintext: [UInt8], authenticating associatedData: [UInt8], under header: [UInt8], with aead: AEAD,
    key: borrowing SecretBytes
  ) throws(EnvelopeError) -> [UInt8] {
    let byteCount = header.count + plaintext.count + aead.overheadByteCount
    return try [UInt8].appending(capacity: byteCount) { (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe append(
          header.span.bytes, sealing: plaintext.span.bytes, authenticating: associatedData.span.bytes, with: aead,
          key: key, to: &output)
      }
    }
  }

  /// Appends header ‖ nonce ‖ ciphertext ‖ tag.
  @inline(__always)
  private static func append(
    _ header: RawSpan, sealing plaintext: RawSpan, authenticating associatedData: RawSpan, with aead: AEAD,
    key: RawSpan, to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try appendHeader(header, sealing: plaintext, authenticating: associatedData, with: aead, to: &output)
    try aead.seal(plaintext, authenticating: associatedData, key: key, into: &output)
  }

  /// The same under a nonce of the suite's length that has just been drawn and is used for nothing else.
  func seal(
    _ plaintext: RawSpan, authenticating associatedData: RawSpan, nonce: RawSpan, into output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    try unsafe Self.appendHeader(
      header.span.bytes, sealing: plaintext, authenticating: associatedData, with: aead, to: &output)
    output.append(nonce)
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try aead.seal(plaintext, authenticating: associatedData, nonce: nonce, key: key, into: &output)
    }
  }

  @inline(__always)
  private static func appendHeader(
    _ header: RawSpan, sealing plaintext: RawSpan, authenticating associatedData: RawSpan, with aead: AEAD,
    to output: inout OutputRawSpan
  ) throws(EnvelopeError) {
    guard !associatedData.isEmpty else {
      throw EnvelopeError(
        .invalidArgument, "Values sealed under one header need associated data",
        advice: "Pass what identifies the place of the value, such as its table and row.")
    }
    let byteCount = header.byteCount + plaintext.byteCount + aead.overheadByteCount
    guard output.freeCapacity >= byteCount else { throw .bufferTooSmall }
    output.append(header)
  }
}

extension Sealer: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
