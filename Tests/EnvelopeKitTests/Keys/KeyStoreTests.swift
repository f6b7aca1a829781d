// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct KeyStoreTests {
  private func text(of store: KeyStore) throws -> String {
    try String(decoding: store.text().copy(), as: UTF8.self)
  }

  private func store(_ text: String) throws(EnvelopeError) -> KeyStore {
    try unsafe KeyStore(text: Array(text.utf8).span.bytes)
  }

  private func filled() throws -> KeyStore {
    var store = KeyStore()
    try store.add(.generate(), alias: "default")
    try store.add(.generate().rotated().rotated(), alias: "check.out-1_b")
    try store.add(.generate())
    return store
  }

  @Test func aStoreReadsBackAsItWasWritten() throws {
    let store = try filled()
    let text = try text(of: store)
    let read = try self.store(text)
    #expect(read.keysets.map(\.id) == store.keysets.map(\.id))
    #expect(read.keysets.map { $0.versions.map(\.number) } == [[1], [1, 2, 3], [1]])
    #expect(read.keysets.map(\.primary) == [1, 3, 1])
    #expect(read.aliases == store.aliases && read.defaultKeyID == store.keysets[0].id)
    #expect(try self.text(of: read) == text)
    #expect(try self.text(of: self.store("envelope-keys 1\nend\n")) == "envelope-keys 1\nend\n")
  }

  @Test func aStoreReadBackOpensWhatItSealed() async throws {
    let store = try filled()
    let sealed = try await Envelope.seal(
      [1, 2, 3], context: [:], suite: .tested, using: store.keyring(for: "check.out-1_b"))
    let read = try self.store(text(of: store))
    // By alias, by id, and by any key of the store.
    for keyring in [
      try read.keyring(for: "check.out-1_b"), try read.keyring(for: store.keysets[1].id.string), try read.keyring(),
    ] {
      #expect(try await Envelope.open(sealed, context: [:], using: keyring).copy() == [1, 2, 3])
    }
    await expectError(.keyNotFound) {
      try await Envelope.open(sealed, context: [:], using: read.keyring(for: "default"))
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let text = try text(of: filled())
    for length in 0..<text.utf8.count {
      #expect(throws: EnvelopeError.self) { try store(String(text.prefix(length))) }
    }
    #expect(throws: EnvelopeError.self) { try store(text + "\n") }
  }

  /// A change is refused, or changes what can be changed without anybody noticing: it never traps.
  @Test func everyAlteredByteIsRefusedOrReadsBack() throws {
    let bytes = try Array(text(of: filled()).utf8)
    for (position, byte) in bytes.enumerated() {
      for other in [byte ^ 1, byte ^ 0x80, 0, 10, 32, UInt8(ascii: "9")] where other != byte {
        var altered = bytes
        altered[position] = other
        do throws(EnvelopeError) {
          let store = try unsafe KeyStore(text: altered.span.bytes)
          let written = try store.text().copy()
          #expect(written.count == altered.count, "byte \(position)")
        } catch {
          #expect([.keyStoreDamaged, .unsupportedVersion].contains(error.code), "byte \(position): \(error)")
        }
      }
    }
  }

  /// As a string, the alias equals one that has the Kelvin sign for its K.
  @Test func aliasesAreComparedAsBytes() throws {
    var store = KeyStore()
    try store.add(.generate(), alias: "K")
    #expect(store["K"] != nil && store["\u{212a}"] == nil)
  }

  @Test func whatCouldNotBeReadBackIsNotWritten() async throws {
    // Each version takes a line of 84 bytes: 48 such keysets fit a text, and 49 do not.
    let key = try WrappingKey.generate()
    let versions = (1...UInt32(Keyset.versionLimit)).map {
      Keyset.Version(number: $0 + 4_000_000_000, created: .max, keys: [key])
    }
    var store = KeyStore()
    for _ in 0..<48 {
      try store.add(Keyset(id: Keyset.generate().id, versions: versions, primary: versions[0].number))
    }
    #expect(try store.text().byteCount <= KeyStore.textByteLimit)
    try store.text().withBytes { bytes in _ = try KeyStore(text: bytes) }
    try store.add(Keyset(id: Keyset.generate().id, versions: versions, primary: versions[0].number))
    await expectError(.invalidArgument) { try store.text() }
  }

  @Test func whatIsThereAlreadyIsNotAddedAgain() async throws {
    var store = try filled()
    let drawn = try Keyset.generate()
    func named(_ first: String) throws -> Keyset {
      try Keyset(id: KeyID(first + drawn.id.string.dropFirst()), versions: drawn.versions, primary: drawn.primary)
    }
    // An id can begin with an underscore, an alias cannot.
    let ids = try ["A", "_"].map { try named($0) }
    for keyset in ids { try store.add(keyset) }
    let before = try text(of: store)
    await expectError(.keyExists) { try store.add(store.keysets[1]) }
    await expectError(.keyExists) { try store.add(.generate(), alias: "default") }
    // An alias must not be taken for another key's id.
    for keyset in ids {
      await expectError(.keyExists) { try store.add(.generate(), alias: keyset.id.string) }
      await expectError(.keyExists) { try store.addAlias(keyset.id.string, for: "default") }
    }
    for alias in ["", ".a", "_a", "-a", "a b", "a/b", "é", "a\n", String(repeating: "a", count: 65)] {
      await expectError(.invalidArgument) { try store.add(.generate(), alias: alias) }
    }
    // Nor be its own key's: such a text could not be read back.
    await expectError(.keyExists) { try store.add(named("B"), alias: named("B").id.string) }
    #expect(try text(of: store) == before)
  }

  @Test func keysThatAreNotThere() async {
    await expectError(.keyNotFound) { try KeyStore().keyring() }
    await expectError(.keyNotFound) { try filled().keyring(for: "nobody") }
    #expect(KeyStore()["default"] == nil)
  }

  @Test func aNewVersionWrapsAndOlderOnesUnwrap() async throws {
    let first = try Keyset.generate()
    let second = try first.rotated()
    #expect(second.primary == 2 && second.id == first.id)
    let sealed = try await Envelope.seal([7], context: [:], suite: .tested, using: KeysetKeyring(first))
    #expect(try await Envelope.open(sealed, context: [:], using: KeysetKeyring(second)).copy() == [7])
    let newer = try await Envelope.seal([7], context: [:], suite: .tested, using: KeysetKeyring(second))
    await expectError(.keyNotFound) { try await Envelope.open(newer, context: [:], using: KeysetKeyring(first)) }
    // A copy that went its own way has the same names for other keys.
    let copy = try first.rotated()
    await expectError(.unwrapFailed) { try await Envelope.open(newer, context: [:], using: KeysetKeyring(copy)) }
    let both = KeysetKeyring(copy, alsoUnwrappingWith: [second])
    #expect(try await Envelope.open(newer, context: [:], using: both).copy() == [7])
  }
}
