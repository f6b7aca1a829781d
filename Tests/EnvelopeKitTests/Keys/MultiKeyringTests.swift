// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct MultiKeyringTests {
  @Test func anyOfItsKeysOpens() async throws {
    let keyrings = try (0..<3).map { _ in KeysetKeyring(try .generate()) }
    let envelope = try await Envelope.seal([1], context: [:], using: MultiKeyring(keyrings))
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
    let envelope = try await Envelope.seal([1], context: [:], using: MultiKeyring([a, b]))
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

  @Test func itStopsAtTheFirstThatUnwraps() async throws {
    let (a, b) = (StubKeyring(keyID: "a"), StubKeyring(keyID: "b"))
    let both = try MultiKeyring([a, b])
    let envelope = try await Envelope.seal([1], context: [:], using: both)
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
    #expect(try await sealed.open(context: ["function": "f"], using: alone).source?.scheme == .recipient)
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
    let envelope = try await Envelope.seal([1], context: [:], using: a)
    await #expect(throws: CancellationError.self) {
      try await Opener(for: envelope, context: [:], using: MultiKeyring([CancelledKeyring(), a]))
    }
    await #expect(throws: CancellationError.self) {
      try await Envelope.seal([1], context: [:], using: MultiKeyring([a, CancelledKeyring()]))
    }
    #expect(a.unwraps.value == 0)
  }
}
