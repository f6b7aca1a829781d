// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import Synchronization
  import TestSupport
  import Testing

  @testable import EnvelopeKit
  @testable import EnvelopeKitTesting

  /// The fake key service leaves no more behind than the real thing would; each test is a process of its own.
  @Suite(.timeLimit(.minutes(20))) struct FakeKeyServiceMemoryTests {
    @Test func aDataKeyIsGoneWithItsOwner() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let service = try FakeKeyService()
        let keyring = service.keyring(for: try service.createKey())
        do {
          let key = try DataKey(secret.bytes())
          let wrapped = try await keyring.wrap(key, for: ["function": "f"])
          // The key alone: what went to the service is gone again.
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          let unwrapped = try await keyring.unwrap(wrapped, for: ["function": "f"])
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 2)
          _ = try? await keyring.unwrap(wrapped, for: ["function": "g"])
          service.fail(next: 2)
          _ = try? await keyring.wrap(unwrapped.dataKey, for: [:])
          _ = try? await keyring.unwrap(wrapped, for: ["function": "f"])
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 2)
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    @Test func theMaterialOfAKeyIsGoneWithTheKey() async {
      await #expect(processExitsWith: .success) {
        let service = try FakeKeyService()
        let key = try service.createKey()
        let needle = try service.maskedMaterial(of: key)
        let keyring = service.keyring(for: key)
        do {
          let generated = try await keyring.generateDataKey(for: [:])
          _ = try await keyring.unwrap(generated.wrapped, for: [:])
          try service.rotate(key)
          _ = try await keyring.unwrap(generated.wrapped, for: [:])
        }
        #expect(MemoryScan.count(ofMasked: needle) == 1)
        try service.scheduleDeletion(of: key, inDays: 7)
        service.timePasses(days: 7)
        #expect(MemoryScan.count(ofMasked: needle) == 0)
      }
    }

    /// The conformance suite looks for data keys in errors, and makes no text of one to compare with.
    @Test func theConformanceSuiteLeavesNoDataKey() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let keyring = SecretKeyring(good: KeysetKeyring(try .generate()), secret: secret)
        let failures = await KeyringConformance.failures(of: keyring)
        #expect(Set(failures.map(\.check)) == [.freshness, .concurrency])
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    /// Generates one data key always, which can be looked for.
    private struct SecretKeyring: Keyring {
      let good: KeysetKeyring
      let secret: HiddenSecret

      func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
        let key = try DataKey(secret.bytes())
        let wrapped = try await good.wrap(key, for: context)
        return GeneratedDataKey(dataKey: key, wrapped: wrapped)
      }

      func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
        try await good.wrap(dataKey, for: context)
      }

      func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
        try await good.unwrap(wrapped, for: context)
      }
    }
  }

  extension FakeKeyService {
    /// The last sixteen bytes of a key's only material, masked.
    fileprivate func maskedMaterial(of key: KeyID) throws -> [UInt8] {
      let material = try #require(state.withLock { $0.keys[key]?.material.first })
      return try material.withBytes { (bytes) throws(EnvelopeError) in
        (16..<32).map { bytes.byte(at: $0) ^ 0x5a }
      }
    }
  }
#endif
