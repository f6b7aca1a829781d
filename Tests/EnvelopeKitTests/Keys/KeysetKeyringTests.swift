// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct KeysetKeyringTests {
  @Test func theNewestVersionWrapsAndOldOnesUnwrap() async throws {
    let first = try Keyset.generate()
    let second = try first.rotated()
    let third = try second.rotated()
    #expect(third.versions.map(\.number) == [1, 2, 3] && third.primary == 3 && third.id == first.id)
    for (keyset, version) in [(first, 1), (second, 2), (third, 3)] {
      let envelope = try await Envelope.seal([1], context: [:], suite: .tested, using: KeysetKeyring(keyset))
      let opener = try await Opener(for: envelope, context: [:], using: KeysetKeyring(third))
      #expect(opener.source.keyID.string == "\(first.id).\(version)")
      if version > 1 {
        await expectError(.keyNotFound) {
          try await Envelope.open(envelope, context: [:], using: KeysetKeyring(first))
        }
      }
    }
  }

  @Test func othersUnwrapAndDoNotWrap() async throws {
    let (mine, old) = (try Keyset.generate(), try Keyset.generate())
    let keyring = KeysetKeyring(mine, alsoUnwrappingWith: [old])
    let before = try await Envelope.seal([1], context: [:], suite: .tested, using: KeysetKeyring(old))
    #expect(try await Envelope.open(before, context: [:], using: keyring).copy() == [1])
    let after = try await Envelope.seal([1], context: [:], suite: .tested, using: keyring)
    await expectError(.keyNotFound) { try await Envelope.open(after, context: [:], using: KeysetKeyring(old)) }
  }

  /// The wrapping key is narrowed to the function, and the whole context is authenticated besides.
  @Test func wrappedForOneFunctionDoesNotUnwrapForAnother() async throws {
    let keyring = KeysetKeyring(try .generate())
    let contexts: [EncryptionContext] = [
      ["function": "a"], ["function": "b"], [:], ["other": "a"], ["function": "a", "stage": "prod"],
    ]
    for (index, context) in contexts.enumerated() {
      let wrapped = try await keyring.wrap(try DataKey(copying: Planted.dataKey), for: context)
      for (other, otherContext) in contexts.enumerated() {
        if other == index {
          let unwrapped = try await keyring.unwrap(wrapped, for: otherContext)
          #expect(unwrapped.dataKey.withBytes { [UInt8](copying: $0) } == Planted.dataKey)
        } else {
          await expectError(.unwrapFailed) { try await keyring.unwrap(wrapped, for: otherContext) }
        }
      }
    }
  }

  @Test func anEntryUnderAnotherIDOrSchemeDoesNotUnwrap() async throws {
    let keyset = try Keyset.generate().rotated()
    let keyring = KeysetKeyring(keyset)
    let wrapped = try #require(try await keyring.wrap(try DataKey.generate(), for: [:]).first)
    let renamed = try WrappedDataKey(scheme: .keyset, keyID: KeyID("\(keyset.id).1"), bytes: wrapped.bytes)
    await expectError(.unwrapFailed) { try await keyring.unwrap([renamed], for: [:]) }
    for id in [
      "\(keyset.id).3", "\(keyset.id).02", "\(keyset.id).+2", "\(keyset.id)x2", "\(keyset.id)2", "\(keyset.id).",
      "\(keyset.id)", "\(keyset.id).2.", "x",
    ] {
      let unknown = try WrappedDataKey(scheme: .keyset, keyID: KeyID(id), bytes: wrapped.bytes)
      await expectError(.keyNotFound) { try await keyring.unwrap([unknown], for: [:]) }
    }
    let other = try WrappedDataKey(scheme: .other, keyID: wrapped.keyID, bytes: wrapped.bytes)
    await expectError(.keyNotFound) { try await keyring.unwrap([other], for: [:]) }
    await expectError(.keyNotFound) { try await keyring.unwrap([], for: [:]) }
    // The right one is found behind the wrong ones.
    let unwrapped = try await keyring.unwrap([renamed, other, wrapped], for: [:])
    #expect(unwrapped.source == wrapped)
  }

  @Test func keysetsThatCannotBe() async throws {
    let key = try WrappingKey.generate()
    func version(_ number: UInt32) -> Keyset.Version { Keyset.Version(number: number, created: 0, keys: [key]) }
    let id = try KeyID("abcdefghijkl")
    await expectError(.keyStoreDamaged) { try Keyset(id: id, versions: [], primary: 1) }
    await expectError(.keyStoreDamaged) { try Keyset(id: id, versions: [version(1)], primary: 2) }
    await expectError(.keyStoreDamaged) { try Keyset(id: id, versions: [version(0)], primary: 0) }
    await expectError(.keyStoreDamaged) { try Keyset(id: id, versions: [version(2), version(1)], primary: 1) }
    await expectError(.keyStoreDamaged) { try Keyset(id: id, versions: [version(1), version(1)], primary: 1) }
    for name in ["abcdefghijk", "abcdefghijklm", "abcdefghij.l", "abcdefghijk="] {
      await expectError(.keyStoreDamaged) { try Keyset(id: KeyID(name), versions: [version(1)], primary: 1) }
    }
    let full = try Keyset(id: id, versions: (1...1024).map(version), primary: 1024)
    await expectError(.invalidArgument) { try full.rotated() }
    await expectError(.keyStoreDamaged) { try Keyset(id: id, versions: (1...1025).map(version), primary: 1) }
    let last = try Keyset(id: id, versions: [version(.max)], primary: .max)
    await expectError(.invalidArgument) { try last.rotated() }
    let memory = try GuardedMemory(capacity: 40) { (output) throws(EnvelopeError) in
      try Randomness.append(40, to: &output)
    }
    for offset in [-1, 9, 40, .max, .min] {
      await expectError(.keyStoreDamaged) { try WrappingKey(in: memory, at: offset) }
    }
  }

  /// An id is an argument of commands, which would take it for an option.
  @Test func noIdBeginsWithAHyphen() throws {
    let ids = try (0..<1000).map { _ in try Keyset.generate().id.string }
    #expect(Set(ids).count == 1000 && !ids.contains { $0.hasPrefix("-") })
  }
}
