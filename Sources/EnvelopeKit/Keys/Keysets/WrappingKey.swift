// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A local 32-byte secret of a keyset, somewhere in guarded memory.
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

  /// Whether the system keeps all of the secrets out of swap.
  static func areLocked(_ keys: some Sequence<WrappingKey>) -> Bool {
    // Many of them lie in one arena.
    var seen: Set<ObjectIdentifier> = []
    return keys.allSatisfy { !seen.insert(ObjectIdentifier($0.memory)).inserted || $0.memory.isLocked }
  }

  package func withBytes<R: ~Copyable>(_ body: (RawSpan) throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
    try memory.withBytes(in: offset..<offset + Self.byteCount, body)
  }

  /// The key narrowed to one function, or to envelopes that name none: BLAKE2b-256 of
  /// 0x00, or of 0x01 ‖ lp16(function).
  func narrowed(to function: String?) throws(EnvelopeError) -> SecretBytes {
    try RawSpan.withTemporary(capacity: 3 + (function?.utf8.count ?? 0)) { (output) throws(EnvelopeError) in
      output.append(function == nil ? 0 : 1)
      if let function { output.append(lengthPrefixed16: function) }
    } _: { (message) throws(EnvelopeError) in
      try SecretBytes(byteCount: Self.byteCount) { (output) throws(EnvelopeError) in
        try withBytes { (secret) throws(EnvelopeError) in
          try BLAKE2b.derive(Self.byteCount, key: secret, personal: "EK wrap", message: message, into: &output)
        }
      }
    }
  }
}

extension WrappingKey: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: []) }
}
