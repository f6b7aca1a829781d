// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import Glibc
  import TestSupport
  import Testing

  @testable import EnvelopeKit

  /// Nothing of a secret is left behind; each test is a process of its own, in which nobody else runs.
  @Suite(.timeLimit(.minutes(20))) struct MemoryTests {
    @Test func theScanFindsALiveSecretAndNoDeadOne() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret()
        do {
          let memory = try GuardedMemory(capacity: 48) { (output) throws(EnvelopeError) in secret.append(to: &output) }
          #expect(try #require(MemoryScan.count(ofMasked: secret.maskedTail)) >= 1)
          withExtendedLifetime(memory) {}
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    @Test func aDataKeyIsGoneWithItsOwner() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let keyring = KeysetKeyring(try .generate())
        do {
          let key = try DataKey(secret.bytes())
          #expect(try #require(MemoryScan.count(ofMasked: secret.maskedTail)) >= 1)
          let wrapped = try await keyring.wrap(key, for: ["function": "f"])
          let unwrapped = try await keyring.unwrap(wrapped, for: ["function": "f"])
          let schedule = try KeySchedule(
            dataKey: unwrapped.dataKey, form: .value(.chaCha20Poly1305), salt: [UInt8](repeating: 1, count: 16),
            canonicalContext: [])
          _ = try schedule.headerTag(over: [1, 2, 3])
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    @Test func aCacheKeepsOneCopyUntilItsTimeHasPassedOrItGoes() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 32)
        let world = try CacheWorld()
        let (wrapped, other) = (
          try await world.local.wrap(DataKey(secret.bytes()), for: ["a": "b"]), try await world.entry().wrapped
        )
        do {
          let cache = try world.cache(entryLimit: 1)
          for _ in 0..<3 { _ = try await cache.unlock(wrapped) }
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          _ = try await cache.unlock(other)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
        }
        do {
          let cache = try world.cache()
          _ = try await cache.unlock(wrapped)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          world.pass(.seconds(100))
          _ = try await cache.unlock(other)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
          _ = try await cache.unlock(wrapped)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          world.fail(with: .keyDisabled)
          world.pass(.seconds(100))
          _ = try? await cache.unlock(wrapped)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
          world.fail(with: nil)
          _ = try await cache.unlock(wrapped)
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    @Test(arguments: [SealedEnvironment.Form.separate, .packed])
    func anEnvironmentIsGoneWithItsLastOwner(form: SealedEnvironment.Form) async {
      let isPacked = form == .packed
      await #expect(processExitsWith: .success) { [isPacked = isPacked as Bool] in
        let secret = HiddenSecret()
        let keyring = KeysetKeyring(try .generate())
        do {
          let sealed = try await SealedEnvironment.seal(
            secret.environment(), as: isPacked ? .packed : .separate, context: ["function": "f"], using: keyring)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
          let opened = try await HandlerSecrets.open(using: keyring, function: "f", variables: sealed.variables)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          let value = try opened.require("SECRET")
          #expect((try? value.bool()) == nil)
          #expect((try? value.integer()) == nil)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
          await expectError(.typeMismatch) { try value.base64URLBytes() }
          _ = try await sealed.updated(to: opened, context: ["function": "f"], using: keyring)
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 1)
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    @Test(arguments: AlgorithmSuite.here.map(\.rawValue)) func sealersAndOpenersLeaveNeitherKeyNorPlaintext(
      suite: UInt8
    ) async {
      await #expect(processExitsWith: .success) { [suite = suite as UInt8] in
        let suite = try #require(AlgorithmSuite(rawValue: suite))
        let secret = HiddenSecret()
        let keyring = KeysetKeyring(try .generate())
        let payloadKey: [UInt8]
        do {
          let plaintext = secret.bytes()
          let sealer = try await Sealer(context: [:], suite: suite, using: keyring)
          let envelope = try [UInt8].appending(capacity: plaintext.byteCount + sealer.overheadByteCount) {
            (output) throws(EnvelopeError) in
            try plaintext.withBytes { (bytes) throws(EnvelopeError) in
              try unsafe sealer.seal(bytes, authenticating: ([1] as [UInt8]).span.bytes, into: &output)
            }
          }
          var reader = ByteReader(envelope)
          let header = try Header(from: &reader, expecting: .value)
          let unlocked = try await UnlockedHeader.unlock(header, context: [:], using: keyring)
          payloadKey = try unlocked.keys.key(.payload).withBytes { key in
            (16..<32).map { unsafe key.unsafeLoad(fromByteOffset: $0, as: UInt8.self) ^ 0x5a }
          }
          let opener = try await Opener(for: envelope, context: [:], using: keyring)
          let opened = try opener.open(envelope, authenticating: [1])
          #expect(opened.byteCount == plaintext.byteCount)
          await expectError(.payloadAltered) { try opener.open(envelope, authenticating: [2]) }
          // The plaintext and what was opened; the keys of sealer and opener.
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 2)
          #expect(MemoryScan.count(ofMasked: payloadKey) == 2)
          withExtendedLifetime((sealer, opener)) {}
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
        #expect(MemoryScan.count(ofMasked: payloadKey) == 0)
      }
    }

    @Test(arguments: AlgorithmSuite.here.map(\.rawValue)) func aBatchLeavesNoPlaintext(suite: UInt8) async {
      await #expect(processExitsWith: .success) { [suite = suite as UInt8] in
        let suite = try #require(AlgorithmSuite(rawValue: suite))
        let secret = HiddenSecret()
        let keyring = KeysetKeyring(try .generate())
        do {
          let sealer = try await Sealer(context: [:], suite: suite, using: keyring)
          let envelope = try secret.bytes().withBytes { (bytes) throws(EnvelopeError) in
            try [UInt8].appending(capacity: bytes.byteCount + sealer.overheadByteCount) {
              (output) throws(EnvelopeError) in
              try unsafe sealer.seal(bytes, authenticating: ([1] as [UInt8]).span.bytes, into: &output)
            }
          }
          let opener = try await Opener(for: envelope, context: [:], using: keyring)
          let longer = try sealer.seal([UInt8](repeating: 7, count: 300), authenticating: [1])
          try opener.open([envelope, longer, envelope], authenticating: [[1], [1], [1]]) { index, plaintext in
            #expect(plaintext.byteCount == (index == 1 ? 300 : 41))
            #expect(MemoryScan.count(ofMasked: secret.maskedTail) == (index == 1 ? 0 : 1))
          }
          #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
          await expectError(.payloadAltered) {
            try opener.open([envelope, envelope], authenticating: [[1], [2]]) { _, _ in }
          }
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    /// A secret that stands where none belongs is not copied on the way to the error.
    @Test(arguments: ["SECRET", "version SECRET 1 2", "version 1 SECRET", "version 1 SECRET 2", "keyset SECRET 1"])
    func aDamagedKeyStoreLeavesNoCopy(line: String) async {
      await #expect(processExitsWith: .success) { [line = line as String] in
        let secret = HiddenSecret(byteCount: 400)
        do {
          let parts = line.split(separator: " ", omittingEmptySubsequences: false)
          for first in ["envelope-keys 1\nkeyset Vh0dNZkcTqfV 1\n", ""] {
            let text = SecretBytes(byteCount: 512) { output in
              for byte in first.utf8 { output.append(byte) }
              for part in parts {
                if part == "SECRET" {
                  secret.append(to: &output)
                } else {
                  for byte in part.utf8 { output.append(byte) }
                }
                output.append(part.endIndex == line.endIndex ? 10 : 32)
              }
            }
            await expectError(.keyStoreDamaged, .unsupportedVersion) {
              try text.withBytes { (text) throws(EnvelopeError) in _ = try KeyStore(text: text) }
            }
          }
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == 0)
      }
    }

    /// The caller's strings stay the caller's, and no further copy of them is left.
    @Test func sealingStringsLeavesNoCopyOfThem() async {
      await #expect(processExitsWith: .success) {
        let secret = HiddenSecret(byteCount: 200)
        let keyring = KeysetKeyring(try .generate())
        let values = ["SECRET": secret.string()]
        let before = try #require(MemoryScan.count(ofMasked: secret.maskedTail))
        #expect(before >= 1)
        do {
          for form in [SealedEnvironment.Form.separate, .packed] {
            _ = try await SealedEnvironment.seal(values, as: form, context: [:], using: keyring)
          }
        }
        #expect(MemoryScan.count(ofMasked: secret.maskedTail) == before)
        withExtendedLifetime(values) {}
      }
    }

    /// Under a limit of no locked memory at all, everything works and says that it is not locked.
    @Test func withoutLockedMemoryItWorksAndSaysSo() async {
      await #expect(processExitsWith: .success) {
        func locked() async throws -> [Bool] {
          let keyset = try Keyset.generate()
          var store = KeyStore()
          try store.add(keyset.rotated())
          try store.startAuditLog()
          let keyring = KeysetKeyring(keyset)
          let sealer = try await Sealer(context: [:], suite: .tested, using: keyring)
          let opener = try await Opener(for: sealer.seal([1], authenticating: [1]), context: [:], using: keyring)
          return [
            try OpenedEnvironment(["A": "1"]).isLocked, keyset.isLocked, store.isLocked, sealer.isLocked,
            opener.isLocked,
            try CachingKeyring(keyring, maximumAge: .seconds(1), entryLimit: 10).isLocked,
            try CachingSealer(using: keyring, suite: .tested, maximumAge: .seconds(1)).isLocked,
            try PassphraseKeyring(SecretBytes([1]), cost: .cheap).isLocked,
          ]
        }
        #expect(try await locked().allSatisfy { $0 })
        #expect(KeyStore().isLocked)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        #expect(unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &none) == 0)
        // The limit does not hold for root.
        if geteuid() == 0 { #expect(setgid(65534) == 0 && setuid(65534) == 0) }
        let keyring = KeysetKeyring(try .generate())
        let sealed = try await SealedEnvironment.seal(Planted.values, context: ["function": "f"], using: keyring)
        let opened = try await HandlerSecrets.open(using: keyring, function: "f", variables: sealed.variables)
        #expect(!opened.isLocked)
        #expect(try await locked().allSatisfy { !$0 })
        #expect(try opened.strings == Planted.values)
      }
    }

    @Test func readingBehindGuardedMemoryEndsTheProcess() async {
      await #expect(processExitsWith: .signal(SIGSEGV)) {
        let memory = try GuardedMemory(capacity: 16) { (output) throws(EnvelopeError) in
          try Randomness.append(16, to: &output)
        }
        memory.withBytes { bytes in
          unsafe bytes.withUnsafeBytes { bytes in
            let behind = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped + 16)
            _ = unsafe behind.load(as: UInt8.self)
          }
        }
      }
    }

    @Test func writingToGuardedMemoryEndsTheProcess() async {
      await #expect(processExitsWith: .signal(SIGSEGV)) {
        let memory = try GuardedMemory(capacity: 16) { (output) throws(EnvelopeError) in
          try Randomness.append(16, to: &output)
        }
        memory.withBytes { bytes in
          unsafe bytes.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress.unsafelyUnwrapped).storeBytes(
              of: 0, as: UInt8.self)
          }
        }
      }
    }
  }

  /// A secret that is nowhere in memory before it is asked for: made of a formula, byte by byte.
  struct HiddenSecret: Sendable {
    var byteCount = 41

    @inline(never)
    private func byte(_ index: Int) -> UInt8 {
      // Printable, and different from one place to the next.
      let mixed: Int = index * 37 + index * index * 11 + Int(getpid()) % 7
      return UInt8(33 + mixed % 90)
    }

    /// The last sixteen bytes: freed memory has its first sixteen overwritten by the allocator.
    var maskedTail: [UInt8] { (byteCount - 16..<byteCount).map { byte($0) ^ 0x5a } }

    func append(to output: inout OutputRawSpan) {
      for index in 0..<byteCount { output.append(byte(index)) }
    }

    func bytes() -> SecretBytes { SecretBytes(byteCount: byteCount) { append(to: &$0) } }

    func string() -> String {
      unsafe String(unsafeUninitializedCapacity: byteCount) { buffer in
        for index in 0..<byteCount { unsafe buffer[index] = byte(index) }
        return byteCount
      }
    }

    func environment() throws -> OpenedEnvironment {
      try OpenedEnvironment(capacity: byteCount) { (output, index) throws(EnvelopeError) in
        append(to: &output)
        try index.add("SECRET", endingAt: output.byteCount)
      }
    }
  }
#endif
