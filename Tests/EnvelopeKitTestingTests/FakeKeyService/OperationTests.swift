// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeKitTesting

/// What the service does beyond what a keyring asks of it: other lengths, and decrypting without the key's name.
@Suite(.timeLimit(.minutes(20))) struct OperationTests {
  private func secret(_ byteCount: Int) -> SecretBytes {
    let bytes = [UInt8](repeating: 7, count: byteCount)
    return SecretBytes(copying: unsafe bytes.span.bytes)
  }

  @Test(arguments: [0, 4097]) func aPlaintextThatIsTooLongOrEmpty(byteCount: Int) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    await expectRefusal(.invalidArgument, "ValidationException") {
      try await service.encrypt(secret(byteCount), .init(key.string))
    }
    #expect(service.calls.map(\.outcome) == [.failed("ValidationException")])
  }

  @Test(arguments: [1, 31, 33, 4096]) func whatIsNoDataKey(byteCount: Int) async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let encrypted = try await service.encrypt(secret(byteCount), .init(key.string))
    let entry = try WrappedDataKey(scheme: .other, keyID: encrypted.key, bytes: encrypted.ciphertext)
    await expectRefusal(.keyServiceAnswerInvalid) { try await service.keyring(for: key).unwrap([entry], for: [:]) }
    let decrypted = try await service.decrypt(encrypted.ciphertext, .init(nil))
    #expect(decrypted.plaintext.byteCount == byteCount && decrypted.key == key)
  }

  @Test func withoutAName() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey()
    let encrypted = try await service.encrypt(secret(5), .init(key.string, context: ["a": "b"]))
    await expectRefusal(.unwrapFailed, "InvalidCiphertextException") {
      try await service.decrypt(encrypted.ciphertext, .init(nil))
    }
    await expectRefusal(.unwrapFailed, "InvalidCiphertextException") {
      try await service.decrypt([1, 2, 3], .init(nil))
    }
    await expectRefusal(.unwrapFailed, "InvalidCiphertextException") { try await service.generateDataKey(.init(nil)) }
    // Whose key is not here is not told.
    let other = try FakeKeyService()
    await expectRefusal(.keyAccessDenied, "AccessDeniedException") {
      try await other.decrypt(encrypted.ciphertext, .init(nil, context: ["a": "b"]))
    }
    try service.disable(key)
    await expectRefusal(.keyDisabled, "DisabledException") {
      try await service.decrypt(encrypted.ciphertext, .init(nil, context: ["a": "b"]))
    }
  }
}
