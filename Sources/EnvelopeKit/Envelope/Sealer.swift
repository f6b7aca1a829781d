// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Seals many values under one data key, synchronously, after one call to the keyring.
///
/// Safe to share between threads. All envelopes of one sealer carry the same header, so their associated data
/// must say where each belongs (a table and a row, say): without it they could be swapped. The key lies in
/// guarded memory.
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
    guard !associatedData.isEmpty else {
      throw EnvelopeError(
        .invalidArgument, "Values sealed under one header need associated data",
        advice: "Give what says where the value belongs, such as its table and row.")
    }
    guard output.freeCapacity >= plaintext.byteCount + overheadByteCount else { throw .bufferTooSmall }
    unsafe output.append(header.span.bytes)
    try payloadKey.withBytes { (key) throws(EnvelopeError) in
      try AEAD.xChaCha20Poly1305.seal(plaintext, authenticating: associatedData, key: key, into: &output)
    }
  }

  /// Seals bytes into an envelope of its own.
  ///
  /// - Throws: `invalidArgument` where there is no associated data.
  public func seal(
    _ plaintext: [UInt8], authenticating associatedData: [UInt8]
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: plaintext.count + overheadByteCount) { (output) throws(EnvelopeError) in
      try unsafe seal(plaintext.span.bytes, authenticating: associatedData.span.bytes, into: &output)
    }
  }
}

extension Sealer: CustomReflectable {
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
