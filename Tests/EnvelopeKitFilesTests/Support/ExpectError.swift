// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Testing

/// Expects an `EnvelopeError` of one of some kinds, and gives it back.
@discardableResult
func expectError<R>(
  _ codes: EnvelopeError.Code..., saying part: String = "", at comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> EnvelopeError? {
  do {
    _ = try await body()
    Issue.record("\(comment): it succeeded", sourceLocation: sourceLocation)
  } catch let error as EnvelopeError {
    #expect(codes.contains(error.code), "\(comment): \(error.code.rawValue): \(error)", sourceLocation: sourceLocation)
    if !part.isEmpty {
      #expect(error.message.contains(part), "\(comment): \(error)", sourceLocation: sourceLocation)
    }
    return error
  } catch {
    Issue.record("\(comment): \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

/// A keyring for a passphrase that costs next to nothing to try.
func cheapKeyring(_ passphrase: String) throws -> PassphraseKeyring {
  let bytes = Array(passphrase.utf8)
  return try PassphraseKeyring(
    unsafe SecretBytes(copying: bytes.span.bytes),
    cost: Argon2id.Cost(memoryLog2: 3, passes: 1))
}

extension KeyStoreFile {
  /// Makes keys under aliases.
  func make(_ aliases: String...) throws {
    try update { (store) throws(EnvelopeError) in
      for alias in aliases { try store.add(Keyset.generate(), alias: alias) }
    }
  }
}

extension [UInt8] {
  /// Whether the text stands anywhere in it.
  func contains(_ text: some StringProtocol) -> Bool {
    let needle = Array(text.utf8)
    return count >= needle.count && (0...count - needle.count).contains { self[$0...].starts(with: needle) }
  }
}
