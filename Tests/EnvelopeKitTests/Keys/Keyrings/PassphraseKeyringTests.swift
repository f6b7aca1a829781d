// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct PassphraseKeyringTests {
  private let context: EncryptionContext = ["function": "f"]

  private func keyring(_ passphrase: String, cost: Argon2id.Cost = .cheap) throws -> PassphraseKeyring {
    try PassphraseKeyring(SecretBytes(Array(passphrase.utf8)), cost: cost)
  }

  private func entry(_ bytes: [UInt8], keyID: KeyID) throws -> [WrappedDataKey] {
    [try WrappedDataKey(scheme: .passphrase, keyID: keyID, bytes: bytes)]
  }

  @Test func thePassphraseOpensAndAnotherDoesNot() async throws {
    let sealing = try keyring("correct horse")
    let sealed = try await Envelope.seal([1, 2], context: context, suite: .tested, using: sealing)
    #expect(try await Envelope.open(sealed, context: context, using: keyring("correct horse")).copy() == [1, 2])
    for other in ["correct Horse", "correct horse ", " correct horse", "correct hors", "correct horse\n", "c"] {
      let keyring = try keyring(other)
      await expectError(.unwrapFailed, at: other) { try await Envelope.open(sealed, context: context, using: keyring) }
    }
    await expectError(.contextDiffers) { try await Envelope.open(sealed, context: [:], using: sealing) }
    let wrapped = try await sealing.wrap(try .generate(), for: context)
    await expectError(.unwrapFailed) { try await sealing.unwrap(wrapped, for: [:]) }
  }

  /// By bytes: é in one character is not é in two.
  @Test func passphrasesAreComparedAsBytes() async throws {
    let wrapped = try await keyring("caf\u{e9}").wrap(try .generate(), for: context)
    _ = try await keyring("caf\u{e9}").unwrap(wrapped, for: context)
    let decomposed = try keyring("cafe\u{301}")
    await expectError(.unwrapFailed) { try await decomposed.unwrap(wrapped, for: context) }
    // Bytes that are no text at all, and a NUL that ends nothing.
    let bytes: [UInt8] = [0, 0xff, 0, 1]
    let binary = try PassphraseKeyring(SecretBytes(bytes), cost: .cheap)
    let entry = try await binary.wrap(try .generate(), for: context)
    _ = try await binary.unwrap(entry, for: context)
    for other in [[0], [0, 0xff], [0, 0xff, 0], [0, 0xff, 0, 2]] as [[UInt8]] {
      let keyring = try PassphraseKeyring(SecretBytes(other), cost: .cheap)
      await expectError(.unwrapFailed) { try await keyring.unwrap(entry, for: context) }
    }
  }

  @Test func anEmptyAndAnEndlessPassphraseAreRefused() async throws {
    await expectError(.invalidArgument) { _ = try keyring("") }
    await expectError(.invalidArgument) {
      _ = try PassphraseKeyring(SecretBytes([UInt8](repeating: 1, count: (1 << 20) + 1)), cost: .cheap)
    }
    let longest = try PassphraseKeyring(SecretBytes([UInt8](repeating: 1, count: 1 << 20)), cost: .cheap)
    _ = try await longest.unwrap(longest.wrap(try .generate(), for: context), for: context)
  }

  @Test func everyAlteredByteIsRefused() async throws {
    let keyring = try keyring("correct horse")
    let entry = try await keyring.wrap(try .generate(), for: context)[0]
    #expect(entry.bytes.count == 90)
    for index in entry.bytes.indices {
      // Another cost is another key, or not allowed; one that takes long is not tried here.
      for bit in 0..<8 where index != 0 || bit != 4 {
        let altered = try self.entry(entry.bytes.flipping(bit: bit, of: index), keyID: entry.keyID)
        await expectError(.unwrapFailed, .malformed, at: "bit \(bit) of byte \(index)") {
          try await keyring.unwrap(altered, for: context)
        }
      }
    }
    let renamed = try self.entry(entry.bytes, keyID: KeyID("another"))
    await expectError(.unwrapFailed) { try await keyring.unwrap(renamed, for: context) }
  }

  /// Every pair of cost bytes that is not allowed; were any of it done, this would not end.
  @Test func unboundedCostsAreRefusedBeforeAnyWork() async throws {
    let keyring = try keyring("correct horse")
    let good = try await keyring.wrap(try .generate(), for: context)[0]
    var refused = 0
    for memoryLog2 in UInt8.min ... .max {
      for passes in UInt8.min ... .max
      where !Argon2id.Cost(memoryLog2: memoryLog2, passes: passes).isBounded {
        let entry = try entry([memoryLog2, passes] + good.bytes.dropFirst(2), keyID: good.keyID)
        do {
          _ = try await keyring.unwrap(entry, for: context)
          Issue.record("\(memoryLog2), \(passes)")
        } catch let error as EnvelopeError {
          if error.code == .malformed { refused += 1 } else { Issue.record("\(memoryLog2), \(passes): \(error)") }
        }
      }
    }
    #expect(refused == 65_536 - 12 * 255 - 252)
  }

  /// With what it costs for users; the only test that does.
  @Test func newEntriesAreModerate() async throws {
    let keyring = try PassphraseKeyring(SecretBytes(Array("correct horse".utf8)))
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: keyring)
    let entry = try Envelope.header(of: sealed).wrappedKeys[0]
    #expect(entry.scheme == .passphrase && entry.bytes.prefix(2) == [18, 3])
    // Whatever the keyring would take for new ones, the entry says what it needs.
    #expect(try await Envelope.open(sealed, context: context, using: self.keyring("correct horse")).copy() == [1])
  }

  @Test func everyEntryHasASaltAndANameOfItsOwn() async throws {
    let keyring = try keyring("correct horse")
    var (salts, names): (Set<[UInt8]>, Set<KeyID>) = ([], [])
    for _ in 0..<64 {
      let entry = try await keyring.wrap(DataKey(copying: Planted.dataKey), for: context)[0]
      salts.insert(Array(entry.bytes[2..<18]))
      names.insert(entry.keyID)
      #expect(entry.bytes.prefix(2) == [3, 1])
    }
    #expect(salts.count == 64 && names.count == 64)
  }

  @Test func itStandsAloneInItsHeader() async throws {
    let (passphrase, local) = (try keyring("correct horse"), KeysetKeyring(try .generate()))
    for both in [[passphrase, local], [local, passphrase], [passphrase, passphrase]] as [[any Keyring]] {
      let multi = try MultiKeyring(both)
      await expectError(.invalidArgument) {
        try await Envelope.seal([1], context: context, suite: .tested, using: multi)
      }
    }
    // Nor is more than one tried by who asks the keyring itself.
    let entries = try await passphrase.wrap(try .generate(), for: context)
    let others = try await local.wrap(try .generate(), for: context)
    await expectError(.malformed) { try await passphrase.unwrap(entries + others, for: context) }
    await expectError(.malformed) { try await passphrase.unwrap(entries + entries, for: context) }
    await expectError(.keyNotFound) { try await passphrase.unwrap(others, for: context) }
    await expectError(.keyNotFound) { try await passphrase.unwrap([], for: context) }
  }
}
