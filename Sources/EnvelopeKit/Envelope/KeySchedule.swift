// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// What a data key becomes under one header (`Docs/Format.md`, section Key schedule): a commitment to publish,
/// and a root key that is used to derive and for nothing else.
struct KeySchedule: ~Copyable, Sendable {
  /// Published in the header; ties data key, context, kind, suite and parameters together.
  let commitment: [UInt8]
  private let rootKey: SecretBytes

  /// The keys derived from the root key.
  enum Purpose {
    case payload
    case header
    case manifest
    case plain
    case records

    fileprivate var personal: StaticString {
      switch self {
      case .payload: "EK payload"
      case .header: "EK header"
      case .manifest: "EK manifest"
      case .plain: "EK plain"
      case .records: "EK records"
      }
    }
  }

  /// Derives from a data key.
  init(
    dataKey: borrowing DataKey, form: Header.Form, salt: [UInt8], canonicalContext: [UInt8]
  ) throws(EnvelopeError) {
    // BLAKE2b leaves what it computes on the stack, and threads wait for a long time with it there.
    defer { wipeStack() }
    let prefix = form.bytes
    let output = try RawSpan.withTemporary(capacity: 2 + canonicalContext.count + prefix.count + salt.count) {
      (output) throws(EnvelopeError) in
      unsafe output.append(lengthPrefixed16: canonicalContext.span.bytes)
      unsafe output.append(prefix.span.bytes)
      unsafe output.append(salt.span.bytes)
    } _: { (message) throws(EnvelopeError) in
      try SecretBytes(byteCount: 64) { (output) throws(EnvelopeError) in
        try dataKey.withBytes { (dataKey) throws(EnvelopeError) in
          try unsafe BLAKE2b.derive(
            64, key: dataKey, salt: salt.span.bytes, personal: "EnvelopeKit v1", message: message, into: &output)
        }
      }
    }
    commitment = output.withBytes { bytes in [UInt8](copying: bytes.extracting(last: 32)) }
    rootKey = output.withBytes { bytes in SecretBytes(copying: bytes.extracting(first: 32)) }
  }

  /// Appends the 32-byte key for a purpose.
  func append(_ purpose: Purpose, to output: inout OutputRawSpan) throws(EnvelopeError) {
    defer { wipeStack() }
    try rootKey.withBytes { (rootKey) throws(EnvelopeError) in
      try BLAKE2b.derive(32, key: rootKey, personal: purpose.personal, into: &output)
    }
  }

  /// The 32-byte key for a purpose, wiped with its owner.
  func key(_ purpose: Purpose) throws(EnvelopeError) -> SecretBytes {
    try SecretBytes(byteCount: 32) { (output) throws(EnvelopeError) in try append(purpose, to: &output) }
  }

  /// The 32-byte key for a purpose in guarded memory of its own, to be kept.
  func guardedKey(_ purpose: Purpose) throws(EnvelopeError) -> GuardedMemory {
    try GuardedMemory(capacity: 32) { (output) throws(EnvelopeError) in try append(purpose, to: &output) }
  }

  /// The tag over a header's bytes before it.
  func headerTag(over bytes: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try authenticate(bytes, with: .header, byteCount: Header.tagByteCount)
  }

  /// The tag over a header's bytes before it, with a header key that was kept.
  static func headerTag(over bytes: [UInt8], key: borrowing SecretBytes) throws(EnvelopeError) -> [UInt8] {
    try tag(over: bytes, key: key, byteCount: Header.tagByteCount)
  }

  /// A keyed hash over public bytes.
  func authenticate(
    _ bytes: [UInt8], with purpose: Purpose, byteCount: Int
  ) throws(EnvelopeError) -> [UInt8] {
    try Self.tag(over: bytes, key: key(purpose), byteCount: byteCount)
  }

  private static func tag(
    over bytes: [UInt8], key: borrowing SecretBytes, byteCount: Int
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: byteCount) { (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe BLAKE2b.derive(byteCount, key: key, personal: "", message: bytes.span.bytes, into: &output)
      }
    }
  }
}

extension Array where Element == UInt8 {
  /// A copy of bytes that are not secret, or that the caller asked to have as an array.
  package init(copying bytes: RawSpan) {
    self = .appending(capacity: bytes.byteCount) { $0.append(bytes) }
  }

  /// Whether the bytes are the same, in a time that depends on their number alone.
  package func equalsInConstantTime(_ other: [UInt8]) -> Bool {
    unsafe span.bytes.equalsInConstantTime(other.span.bytes)
  }
}
