// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

/// "Wraps" under any scheme by XOR: no protection, but every length and every mistake a key service could make.
struct StubKeyring: Keyring {
  var scheme = WrappingScheme.other
  var keyID: String
  var wrappedByteCount = 32
  /// The data key that it generates; nil draws one.
  var dataKey: [UInt8]?
  /// XORed to every data key that it unwraps.
  var error: UInt8 = 0
  /// Thrown by `unwrap` where an entry is its own.
  var failure: EnvelopeError.Code?
  var unwraps = Counter()

  func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
    let key = try DataKey(copying: dataKey ?? Randomness.bytes(32))
    let wrapped = try await wrap(key, for: context)
    return GeneratedDataKey(dataKey: key, wrapped: wrapped)
  }

  func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
    let masked = dataKey.withBytes { [UInt8](copying: $0) }.map { $0 ^ 0xa5 }
    let bytes = masked + [UInt8](repeating: 0, count: wrappedByteCount - masked.count)
    return [try WrappedDataKey(scheme: scheme, keyID: KeyID(keyID), bytes: bytes)]
  }

  func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
    unwraps.increment()
    guard let entry = wrapped.first(where: { $0.scheme == scheme && $0.keyID.string == keyID }) else {
      throw EnvelopeError.keyNotFound(among: wrapped)
    }
    if let failure { throw EnvelopeError(failure, "The stub fails as it was told to") }
    let bytes = entry.bytes.prefix(32).map { $0 ^ 0xa5 ^ error }
    return UnwrappedDataKey(dataKey: try DataKey(copying: bytes), source: entry)
  }
}

extension DataKey {
  init(copying bytes: [UInt8]) throws {
    try self.init(SecretBytes(copying: unsafe bytes.span.bytes))
  }
}

extension SecretBytes {
  /// A copy of the bytes that nobody wipes: for comparing in tests.
  consuming func copy() -> [UInt8] { withBytes { [UInt8](copying: $0) } }

  init(_ bytes: [UInt8]) { self.init(copying: unsafe bytes.span.bytes) }
}
