// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct EnvironmentRewrapTests {
  private let context: EncryptionContext = ["function": "checkout"]
  private let old: KeysetKeyring
  private let new: KeysetKeyring

  init() throws {
    old = KeysetKeyring(try .generate())
    new = KeysetKeyring(try .generate())
  }

  private static let forms = [SealedEnvironment.Form.separate, .packed]

  private func seal(_ keyring: some Keyring, as form: SealedEnvironment.Form) async throws -> SealedEnvironment {
    try await SealedEnvironment.seal(Planted.values, as: form, context: context, using: keyring)
  }

  private func expectSame(
    _ a: SealedEnvironment, _ b: SealedEnvironment, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(a.payload == b.payload && a.generation == b.generation, sourceLocation: sourceLocation)
    #expect(
      a.header.salt == b.header.salt && a.header.commitment == b.header.commitment
        && a.header.contextCheck == b.header.contextCheck, sourceLocation: sourceLocation)
  }

  @Test(arguments: forms) func aKeyIsAddedAndThePayloadStays(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(old, as: form)
    let both = try await sealed.rewrapped(Rewrapping(adding: new), context: context, using: old)
    expectSame(sealed, both)
    for keyring in [old, new] {
      #expect(try await both.open(context: context, using: keyring).strings == Planted.values)
      #expect(try await both.variables.open(context: context, using: keyring).strings == Planted.values)
    }
    if form == .separate {
      let (a, b) = (sealed.variables, both.variables)
      #expect(a.filter { $0.key != VariableName.header } == b.filter { $0.key != VariableName.header })
    }
  }

  /// A removed reader knows the data key.
  @Test(arguments: forms) func removingAReaderIsRefused(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(old, as: form)
    let error = await expectError(.invalidArgument) {
      try await sealed.rewrapped(.replacingAllReaders(with: new), context: context, using: old)
    }
    #expect(error?.message.contains(old.keyset.id.string) == true)
    let replaced = try await sealed.rewrapped(
      .replacingAllReaders(with: new), context: context, using: old, allowingFormerReadersToForge: true)
    expectSame(sealed, replaced)
    #expect(try await replaced.open(context: context, using: new).strings == Planted.values)
    await expectError(.keyNotFound) { try await replaced.open(context: context, using: old) }
  }

  @Test(arguments: forms) func theVersionsOfAKeyAreOneReader(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(old, as: form)
    let rotated = KeysetKeyring(try old.keyset.rotated())
    let after = try await sealed.rewrapped(.replacingAllReaders(with: rotated), context: context, using: rotated)
    #expect(after.wrappedKeys.map(\.keyID.string) == ["\(old.keyset.id).2"])
    await expectError(.keyNotFound) { try await after.open(context: context, using: old) }
    #expect(try await after.open(context: context, using: rotated).strings == Planted.values)
    // An identity's too.
    let identity = try Keyset.generate(.identity)
    let next = try identity.rotated()
    let all = KeysetKeyring(old.keyset, alsoUnwrappingWith: [next])
    func multi(_ keyset: Keyset) throws -> MultiKeyring {
      try MultiKeyring([old, RecipientKeyring([keyset.recipient()]), all] as [any Keyring])
    }
    let both = try await seal(MultiKeyring([old, RecipientKeyring([identity.recipient()])] as [any Keyring]), as: form)
    let adding = try MultiKeyring([RecipientKeyring([next.recipient()]), all].dropLast() as [any Keyring])
    let name = "\(identity.id).1"
    await expectError(.entryNotReadBack) {
      try await both.rewrapped(Rewrapping(adding: adding) { $0.keyID.string == name }, context: context, using: all)
    }
    let moved = try await both.rewrapped(
      Rewrapping(adding: KeysetKeyring(next)) { $0.keyID.string == name }, context: context, using: all)
    #expect(Set(moved.wrappedKeys.map(\.keyID.string)) == ["\(old.keyset.id).1", "\(identity.id).2"])
  }

  @Test(arguments: forms) func nothingIsMadeOfWhatDoesNotVerify(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(old, as: form)
    let counting = CountingKeyring(new)
    let variables = sealed.variables
    for (name, value) in variables {
      let bytes = try variables.bytes(of: name)
      for index in stride(from: 0, to: bytes.count, by: value.count > 400 ? 3 : 1) {
        let altered = variables.setting(name, to: bytes.flipping(bit: index % 8, of: index))
        await #expect(throws: EnvelopeError.self, "\(name), byte \(index)") {
          try await SealedEnvironment(variables: altered).rewrapped(
            Rewrapping(adding: counting), context: context, using: old)
        }
        await #expect(throws: EnvelopeError.self, "\(name), byte \(index)") {
          try await SealedEnvironment(variables: altered).resealed(
            context: context, using: old, sealingWith: counting)
        }
      }
    }
    #expect(counting.wraps.value == 0)
  }

  @Test(arguments: forms) func theResealedIsForTheNewKeysAlone(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(old, as: form)
    let resealed = try await sealed.resealed(context: context, using: old, sealingWith: new)
    #expect(resealed.form == form && resealed.generation > sealed.generation)
    #expect(resealed.header.commitment != sealed.header.commitment)
    #expect(try await resealed.open(context: context, using: new).strings == Planted.values)
    await expectError(.keyNotFound) { try await resealed.open(context: context, using: old) }
    // What its old reader kept, the data key, opens none of it either.
    let keys = try await UnlockedHeader.unlock(sealed.header, context: context, using: old)
    #expect(throws: EnvelopeError.self) { try resealed.open(with: keys) }
  }

  @Test(arguments: forms) func anAnonymousSenderIsRefused(form: SealedEnvironment.Form) async throws {
    let identity = KeysetKeyring(try .generate(.identity))
    let sealed = try await seal(RecipientKeyring([identity.keyset.recipient()]), as: form)
    let values = try await sealed.open(context: context, using: identity, anonymousSender: .accepted)
    let counting = CountingKeyring(new)
    await expectError(.anonymousSender) {
      try await sealed.rewrapped(Rewrapping(adding: counting), context: context, using: identity)
    }
    await expectError(.anonymousSender) {
      try await sealed.resealed(context: context, using: identity, sealingWith: counting)
    }
    await expectError(.anonymousSender) { try await sealed.updated(to: values, context: context, using: identity) }
    if form == .separate {
      await expectError(.anonymousSender) { try await sealed.acceptingMerge(context: context, using: identity) }
    }
    #expect(counting.wraps.value == 0)
    let accepted = try await sealed.rewrapped(
      Rewrapping(adding: new), context: context, using: identity, anonymousSender: .accepted,
      allowingFormerReadersToForge: true)
    #expect(try await accepted.open(context: context, using: new).strings == Planted.values)
    _ = try await sealed.resealed(
      context: context, using: identity, sealingWith: new, anonymousSender: .accepted)
  }

  /// Anybody can make an environment for a recipient, under a data key that they keep: accepting what is in it is not
  /// letting them read what is set later.
  @Test(arguments: forms) func anAnonymousSendersDataKeyIsNotTakenOver(form: SealedEnvironment.Form) async throws {
    let identity = KeysetKeyring(try .generate(.identity))
    let recipient = try identity.keyset.recipient()
    let secret = [UInt8](repeating: 7, count: 32)
    let entry = try recipient.wrap(DataKey(copying: secret), for: context.forKeyrings(.environment))
    let forged = try await seal(KnownKeyring(entry: entry, dataKey: secret), as: form)
    let counting = CountingKeyring(new)
    for change in [Rewrapping(adding: counting), .replacingAllReaders(with: counting)] {
      await expectError(.invalidArgument) {
        try await forged.rewrapped(change, context: context, using: identity, anonymousSender: .accepted)
      }
    }
    // Under recipients alone it stays what it was: nothing more is sealed under its data key.
    let other = KeysetKeyring(try .generate(.identity))
    let passedOn = try await forged.rewrapped(
      Rewrapping(adding: other), context: context, using: identity, anonymousSender: .accepted)
    let values = try await passedOn.open(context: context, using: other, anonymousSender: .accepted)
    await expectError(.anonymousSender) { try await passedOn.updated(to: values, context: context, using: other) }
    // Where the data key is kept on purpose, the sender reads on.
    let kept = try await forged.rewrapped(
      Rewrapping(adding: new), context: context, using: identity, anonymousSender: .accepted,
      allowingFormerReadersToForge: true)
    let updated = try await kept.updated(to: OpenedEnvironment(["NEW": "1"]), context: context, using: new)
    let sendersKeyring = KnownKeyring(entry: entry, dataKey: secret)
    let read = try await updated.open(context: context, using: sendersKeyring, anonymousSender: .accepted)
    #expect(try read.strings == ["NEW": "1"])
    // A new one does not.
    let resealed = try await forged.resealed(
      context: context, using: identity, sealingWith: new, anonymousSender: .accepted)
    #expect(try await resealed.open(context: context, using: new).strings == Planted.values)
    #expect(resealed.header.commitment != forged.header.commitment)
  }

  @Test func theNumbersOfAnEnvironmentAreNotUsedUp() async throws {
    let sealed = try await seal(old, as: .separate)
    let last = SealedEnvironment(header: sealed.header, generation: .max, payload: sealed.payload)
    // A trailer that says so and does not verify.
    await expectError(.variablePutBack) { try await last.resealed(context: context, using: old, sealingWith: new) }
    await expectError(.variablePutBack) {
      try await last.rewrapped(Rewrapping(adding: new), context: context, using: old)
    }
  }
}
