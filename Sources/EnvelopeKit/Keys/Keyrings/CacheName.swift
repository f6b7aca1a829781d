// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Names a secret in a cache by a 256-bit hash of what it belongs to, so that long contexts take no memory.
struct CacheName: Hashable, Sendable {
  private let digest: SIMD4<UInt64>

  /// Hashes a context and, if there is one, the entry of a header that the secret was unwrapped from.
  ///
  /// - Parameter salt: 16 random bytes of the cache, so that an attacker cannot compute collisions beforehand.
  /// - Throws: `invalidArgument` if the context breaks a limit.
  init(_ context: EncryptionContext, _ entry: WrappedDataKey? = nil, salt: [UInt8]) throws(EnvelopeError) {
    let canonical = try context.canonicalBytes()
    var message: [UInt8] = []
    message.reserveCapacity(
      2 + canonical.count + (entry.map { 3 + $0.keyID.string.utf8.count + $0.bytes.count } ?? 0))
    message.append(lengthPrefixed16: canonical)
    if let entry {
      message.append(entry.scheme.rawValue)
      message.append(lengthPrefixed16: entry.keyID.string.utf8)
      message += entry.bytes
    }
    let hash = try unsafe BLAKE2b.hash(
      32, salt: salt.span.bytes, personal: "EK cache", message: message.span.bytes)
    digest = unsafe hash.span.bytes.unsafeLoadUnaligned(as: SIMD4<UInt64>.self)
  }
}
