// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct MultiKeyringTests {
  @Test func anyOfItsKeysOpens() async throws {
    let keyrings = try (0..<3).map { _ in KeysetKeyring(try .generate()) }
    let envelope = try await Envelope.seal([1], context: [:], suite: .tested, using: MultiKeyring(keyrings))
    for keyring in keyrings {
      #expect(try await Envelope.open(envelope, context: [:], using: keyring).copy() == [1])
      let some = try MultiKeyring([KeysetKeyring(try .generate()), keyring])
      #expect(try await Envelope.open(envelope, context: [:], using: some).copy() == [1])
    }
    await expectError(.keyNotFound) {
      try await Envelope.open(envelope, context: [:], using: KeysetKeyring(try .generate()))
    }
  }

  @Test func noneIsRefused() async { await expectError(.invalidArgument) { try MultiKeyring([]) } }

  @Test func theFirstErrorThatSaysMoreThanNotFoundIsTold() async throws {
    let missing = StubKeyring(keyID: "missing")
    let down = StubKeyring(keyID: "a", failure: .keyServiceUnavailable)
    let failing = StubKeyring(keyID: "b", failure: .unwrapFailed)
    let (a, b) = (StubKeyring(keyID: "a"), StubKeyring(keyID: "b"))
    let envelope = try await Envelope.seal([1], context: [:], suite: .tested, using: MultiKeyring([a, b]))
    let cases: [([StubKeyring], EnvelopeError.Code)] = [
      ([missing], .keyNotFound), ([missing, missing], .keyNotFound), ([missing, down], .keyServiceUnavailable),
      ([down, missing], .keyServiceUnavailable), ([down, failing], .keyServiceUnavailable),
      ([missing, failing, down], .unwrapFailed),
    ]
    for (keyrings, code) in cases {
      await expectError(code) { try await Envelope.open(envelope, context: [:], using: MultiKeyring(keyrings)) }
    }
    // One that fails does not keep the next from opening.
    #expect(try await Envelope.open(envelope, context: [:], using: MultiKeyring([missing, down, b])).copy() == [1])
  }

  /// Keysets that each fail for a reason of their own, in all orders, give the same error one way and the other.
  @Test(arguments: seeds)
  func keysetKeyringOfSameKeysetsThrowsSame(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let context: EncryptionContext = ["function": "f"]
    var (keysets, entries): ([Keyset], [WrappedDataKey]) = ([], [])
    for index in 0..<14 {
      let keyset = try Keyset.generate(index % 7 == 6 ? .identity : .symmetric)
      var store = KeyStore()
      try store.add(keyset, alias: "key")
      var entry = try await store.keyring().wrap(try .generate(), for: context)[0]
      switch index % 7 {
      case 0: try store.disable("key")
      case 1: try store.scheduleDeletion(of: "key")
      case 2:
        _ = try store.scheduleDeletion(of: "key", afterDays: 7, now: Clock.now - 8 * Keyset.secondsPerDay)
        _ = try store.destroyOverdue()
      case 3: try store.setPolicy(KeyPolicy(operations: [.wrap]), of: "key")
      case 4:
        try store.rotate("key")
        try store.setMinimumVersion(2, of: "key")
      case 5: store = try store.exporting("key", narrowedTo: [.noFunction])
      default: entry = try await KeysetKeyring(keyset).wrap(try .generate(), for: ["function": "g"])[0]
      }
      keysets.append(store.keysets[0])
      entries.append(entry)
    }
    for step in 0..<200 {
      let some = Array(keysets.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)))
      let header = Array(entries.shuffled(using: &random).prefix(Int.random(in: 0...6, using: &random)))
      let local = KeysetKeyring(some[0], alsoUnwrappingWith: Array(some.dropFirst()))
      let multi = try MultiKeyring(some.map { KeysetKeyring($0) })
      var errors: [EnvelopeError?] = []
      for keyring in [local, multi] as [any Keyring] {
        do {
          _ = try await keyring.unwrap(header, for: context)
          errors.append(nil)
        } catch let error as EnvelopeError {
          errors.append(error)
        }
      }
      #expect(errors[0] != nil && errors[0] == errors[1], "seed \(seed), step \(step)")
    }
  }

  @Test func itStopsAtTheFirstThatUnwraps() async throws {
    let (a, b) = (StubKeyring(keyID: "a"), StubKeyring(keyID: "b"))
    let both = try MultiKeyring([a, b])
    let envelope = try await Envelope.seal([1], context: [:], suite: .tested, using: both)
    _ = try await Envelope.open(envelope, context: [:], using: both)
    #expect(a.unwraps.value == 1 && b.unwraps.value == 0)
  }

  /// What a recipient's entry opens proves no sender, so it is not taken while another opens, in whatever order.
  @Test func recipientsEntriesAreLookedAtLast() async throws {
    let identity = try Keyset.generate(.identity)
    let (open, own) = (KeysetKeyring(identity), KeysetKeyring(try .generate()))
    let sealing = try MultiKeyring([RecipientKeyring([identity.recipient()]), own])
    let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: sealing)
    try #require(sealed.wrappedKeys.first?.scheme == .recipient)
    for keyring in [try MultiKeyring([open, own]), try MultiKeyring([own, open])] {
      let opened = try await sealed.open(context: ["function": "f"], using: keyring)
      #expect(opened.source?.scheme == .keyset)
    }
    // Where the other does not open, it is the recipient's.
    let alone = try MultiKeyring([KeysetKeyring(try .generate()), open])
    let opened = try await sealed.open(context: ["function": "f"], using: alone, anonymousSender: .accepted)
    #expect(opened.source?.scheme == .recipient)
  }

  @Test func cancellationIsPassedOnAtOnce() async throws {
    struct CancelledKeyring: Keyring {
      func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
        throw CancellationError()
      }
      func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
        throw CancellationError()
      }
      func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
        throw CancellationError()
      }
    }
    let a = StubKeyring(keyID: "a")
    let envelope = try await Envelope.seal([1], context: [:], suite: .tested, using: a)
    await #expect(throws: CancellationError.self) {
      try await Opener(for: envelope, context: [:], using: MultiKeyring([CancelledKeyring(), a]))
    }
    await #expect(throws: CancellationError.self) {
      try await Envelope.seal([1], context: [:], suite: .tested, using: MultiKeyring([a, CancelledKeyring()]))
    }
    #expect(a.unwraps.value == 0)
  }
}
