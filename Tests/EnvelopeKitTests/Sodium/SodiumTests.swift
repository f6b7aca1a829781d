// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import EnvelopeKit

/// Which libsodium the tests run with, and what it has.
@Suite(.timeLimit(.minutes(20))) struct SodiumTests {
  private static let demanded = ProcessInfo.processInfo.environment["ENVELOPE_TEST_SODIUM"]

  /// Were it not there, the tests of what it brings would try nothing.
  @Test func theVersionIsTheOneThatWasAskedFor() {
    #expect(Self.demanded == nil || Sodium.version == Self.demanded)
  }

  @Test func eachVersionHasWhatItBrought() throws {
    let numbers = Sodium.version.split(separator: ".").compactMap { Int($0) }
    try #require(numbers.count >= 3)
    let isAtLeast = { (patch: Int) in !numbers.lexicographicallyPrecedes([1, 0, patch]) }
    #expect(AlgorithmSuite.aegis256.isAvailable == isAtLeast(19))
    #expect(XWing.isAvailable == isAtLeast(22))
    #expect(AlgorithmSuite.chaCha20Poly1305.isAvailable)
    #expect(AlgorithmSuite.here.count == (isAtLeast(19) ? 2 : 1) && KEM.here.count == (isAtLeast(22) ? 2 : 1))
  }

  @Test func whatItLacksIsNamedWithTheVersionThatHasIt() async throws {
    func expectAdvice(_ version: String, _ body: () async throws -> Void) async {
      let error = await expectError(.unsupportedSuite) { try await body() }
      #expect(error?.message.contains("libsodium \(version)") == true)
      #expect(error?.message.contains(Sodium.version) == true)
      #expect(error?.advice == "Use a program that has libsodium \(version) or newer.")
    }
    if !AlgorithmSuite.aegis256.isAvailable {
      let keyring = StubKeyring(keyID: "k")
      await expectAdvice("1.0.19") {
        _ = try await Envelope.seal([1], context: [:], suite: .aegis256, using: keyring)
      }
      await expectAdvice("1.0.19") { _ = try await Sealer(context: [:], suite: .aegis256, using: keyring) }
      await expectAdvice("1.0.19") {
        _ = try CachingSealer(using: keyring, suite: .aegis256, maximumAge: .seconds(1))
      }
    }
    if !XWing.isAvailable {
      await expectAdvice("1.0.22") { _ = try Keyset.generate(.postQuantumIdentity) }
    }
  }

  /// No key is used for what cannot be opened, and no context compared.
  @Test func anEnvelopeOfASuiteThatIsNotHereIsRefusedAtOnce() async throws {
    let keyring = StubKeyring(keyID: "k")
    let sealed = try await Envelope.seal([UInt8](repeating: 1, count: 24), context: [:], using: keyring)
    var other = sealed
    other[4] = 2
    for context in [[:], ["a": "b"]] as [EncryptionContext] {
      for open in [
        { _ = try await Envelope.open(other, context: context, using: keyring) },
        { _ = try await Opener(for: other, context: context, using: keyring) },
      ] as [() async throws -> Void] {
        if AlgorithmSuite.aegis256.isAvailable {
          await expectError(.headerAltered, .contextDiffers) { try await open() }
        } else {
          await expectError(.unsupportedSuite) { try await open() }
          #expect(keyring.unwraps.value == 0)
        }
      }
    }
    // Without the payload's cipher, its form is still looked at: 64 bytes at least follow the header.
    await expectError(.malformed) { try await Envelope.open(Array(other.dropLast()), context: [:], using: keyring) }
  }

  /// Other keys, the same payload: the cipher is not needed.
  @Test func aSuiteThatIsNotHereIsRewrapped() async throws {
    let keyset = try Keyset.generate()
    let keyring = KeysetKeyring(keyset)
    let unlocked = try await withHeader(of: .aegis256, using: keyring)
    let payload = [UInt8](repeating: 7, count: 64)
    let rotated = KeysetKeyring(try keyset.rotated())
    let after = try await Envelope.rewrap(
      [unlocked + payload], .newestVersions(of: rotated), context: ["a": "b"], using: rotated)[0]
    let header = try Envelope.header(of: after)
    #expect(header.suite == .aegis256 && header.wrappedKeys.map(\.keyID.string) == ["\(keyset.id).2"])
    #expect(after.suffix(64) == payload)
  }

  /// The bytes of a header as a build with that suite makes them.
  private func withHeader(of suite: AlgorithmSuite, using keyring: some Keyring) async throws -> [UInt8] {
    let context: EncryptionContext = ["a": "b"]
    let generated = try await keyring.generateDataKey(for: context.forKeyrings(.value))
    let salt = try Randomness.bytes(16)
    let keys = try KeySchedule(
      dataKey: generated.dataKey, form: .value(suite), salt: salt, canonicalContext: context.canonicalBytes())
    return try Header(
      form: .value(suite), salt: salt, canonicalContext: context.canonicalBytes(), wrappedKeys: generated.wrapped,
      keys: keys
    ).bytes
  }
}
