// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestSupport
import Testing

@testable import EnvelopeKit

/// Every use is told before its result is given out.
@Suite(.timeLimit(.minutes(20))) struct KeyUseTests {
  /// Keeps the uses that it is told of, and fails where it is to.
  private final class Auditor: Sendable {
    private struct State {
      var uses: [KeyUse] = []
      var fails: @Sendable (KeyUse) -> Bool = { _ in false }
    }
    private let state = Mutex(State())

    func fail(on fails: @escaping @Sendable (KeyUse) -> Bool) { state.withLock { $0.fails = fails } }

    func take() -> [KeyUse] {
      state.withLock { state in
        defer { state.uses = [] }
        return state.uses
      }
    }

    @Sendable func report(_ use: KeyUse) throws(EnvelopeError) {
      let fails = state.withLock { state in
        state.uses.append(use)
        return state.fails(use)
      }
      if fails { throw EnvelopeError(.fileFailure, "The log cannot be written, as it was told to") }
    }

    /// Operation, key, function and failure of each use since the last time.
    func takeLines() -> [String] {
      take().map { use in
        [use.operation.rawValue, use.keyID.string, use.function ?? "-", use.failure?.rawValue ?? "ok"].joined(
          separator: " ")
      }
    }
  }

  private let auditor = Auditor()
  private var store = KeyStore()
  private let id: String
  private let identity: String
  private let context: EncryptionContext = ["function": "f", "stage": "prod"]

  init() throws {
    try store.add(.generate().rotated(), alias: "key")
    try store.add(.generate(.identity), alias: "me")
    (id, identity) = (store.keysets[0].id.string, store.keysets[1].id.string)
    store.reportUses(to: auditor.report)
  }

  @Test func everyUseIsToldOnce() async throws {
    let keyring = try store.keyring()
    let before = Clock.now
    let generated = try await keyring.generateDataKey(for: context)
    let times = auditor.take().map(\.time)
    #expect(times.count == 1 && times.allSatisfy { (before...Clock.now).contains($0) })
    _ = try await keyring.wrap(generated.dataKey, for: [:])
    #expect(auditor.takeLines() == ["wrap \(id).2 - ok"])
    _ = try await keyring.unwrap(generated.wrapped, for: context)
    #expect(auditor.takeLines() == ["unwrap \(id).2 f ok"])
    let entry = try store.require("me").recipient().wrap(generated.dataKey, for: context)
    // Sealing to a public half uses no key of the store.
    #expect(auditor.takeLines() == [])
    _ = try await keyring.unwrap([entry], for: context)
    #expect(auditor.takeLines() == ["unwrap \(identity).1 f ok"])
    _ = try await store.keyring(for: "me").wrap(generated.dataKey, for: context)
    #expect(auditor.takeLines() == ["wrap \(identity).1 f ok"])
    _ = try store.exporting("key", narrowedTo: [.noFunction])
    #expect(auditor.takeLines() == ["export \(id) - ok"])
  }

  /// However a keyset is taken from the store, and whatever became of it there, a keyring of it reports its uses.
  @Test func keyringOfKeysetFromStoreReportsUses() async throws {
    var store = store
    var other = KeyStore()
    try other.add(.generate(), alias: "taken-over")
    let merged = try store.merge(other).map(\.keyset)
    let keysets = [
      store.keysets[0], try store.require("key"), try #require(store["key"]), try store.keyring().keyset,
    ]
    for keyset in keysets {
      let wrapped = try await KeysetKeyring(keyset).wrap(try .generate(), for: context)
      #expect(auditor.takeLines() == ["wrap \(id).2 f ok"])
      _ = try await KeysetKeyring(.generate(), alsoUnwrappingWith: [keyset]).unwrap(wrapped, for: context)
      #expect(auditor.takeLines() == ["unwrap \(id).2 f ok"])
    }
    _ = try await KeysetKeyring(merged[0]).wrap(try .generate(), for: [:])
    #expect(auditor.takeLines() == ["wrap \(merged[0].id).1 - ok"])
    try store.rotate("key")
    _ = try await KeysetKeyring(store.keysets[0]).wrap(try .generate(), for: [:])
    #expect(auditor.takeLines() == ["wrap \(id).3 - ok"])
    _ = try store.scheduleDeletion(of: "key", afterDays: 7, now: Clock.now - 8 * Keyset.secondsPerDay)
    _ = try store.destroyOverdue()
    let destroyed = KeysetKeyring(store.keysets[0])
    await expectError(.keyNotFound) { try await destroyed.wrap(try .generate(), for: [:]) }
    #expect(auditor.takeLines() == ["wrap \(id) - keyNotFound"])
  }

  /// A keyset reports to the store that it was taken from, and to no other.
  @Test func keysetReportsToItsOwnStoreOnly() async throws {
    let second = Auditor()
    var other = KeyStore()
    other.reportUses(to: second.report)
    try other.add(store.keysets[0], alias: "copy")
    _ = try await KeysetKeyring(other.keysets[0]).wrap(try .generate(), for: [:])
    #expect(auditor.takeLines() == [] && second.takeLines() == ["wrap \(id).2 - ok"])
    let mixed = KeysetKeyring(other.keysets[0], alsoUnwrappingWith: [store.keysets[1]])
    let entry = try store.keysets[1].recipient().wrap(try .generate(), for: [:])
    _ = try await mixed.unwrap([entry], for: [:])
    #expect(auditor.takeLines() == ["unwrap \(identity).1 - ok"] && second.takeLines() == [])
    // A narrowed copy belongs to another store, and whoever takes it away keeps the log.
    let exported = try store.exporting("key", narrowedTo: [.noFunction])
    _ = auditor.take()
    _ = try await exported.keyring().wrap(try .generate(), for: [:])
    #expect(auditor.takeLines() == [])
  }

  @Test func everyRefusalIsTold() async throws {
    var store = store
    let entries = try await store.keyring().wrap(try .generate(), for: context)
    _ = auditor.take()
    func expect(
      _ code: EnvelopeError.Code, _ lines: [String], sourceLocation: SourceLocation = #_sourceLocation,
      _ body: (KeyStore) async throws -> Void
    ) async {
      let store = store
      await expectError(code, sourceLocation: sourceLocation) { try await body(store) }
      #expect(auditor.takeLines() == lines, sourceLocation: sourceLocation)
    }
    await expect(.unwrapFailed, ["unwrap \(id).2 - unwrapFailed"]) { store in
      _ = try await store.keyring().unwrap(entries, for: [:])
    }
    try store.setPolicy(KeyPolicy(functions: [FunctionScope(function: "g")]), of: "key")
    await expect(.keyAccessDenied, ["unwrap \(id).2 f keyAccessDenied"]) { store in
      _ = try await store.keyring().unwrap(entries, for: context)
    }
    await expect(.keyAccessDenied, ["wrap \(id).2 f keyAccessDenied"]) { store in
      _ = try await store.keyring().generateDataKey(for: context)
    }
    try store.setPolicy(.unrestricted, of: "key")
    let old = try WrappedDataKey(scheme: .keyset, keyID: KeyID("\(id).1"), bytes: entries[0].bytes)
    try store.setMinimumVersion(2, of: "key")
    await expect(.keyVersionTooOld, ["unwrap \(id).1 f keyVersionTooOld"]) { store in
      _ = try await store.keyring().unwrap([old], for: context)
    }
    try store.disable("key")
    await expect(.keyDisabled, ["unwrap \(id).2 f keyDisabled"]) { store in
      _ = try await store.keyring().unwrap(entries, for: context)
    }
    await expect(.keyDisabled, ["wrap \(id).2 f keyDisabled"]) { store in
      _ = try await store.keyring().wrap(try .generate(), for: context)
    }
    await expect(.keyDisabled, ["export \(id) - keyDisabled"]) { store in
      _ = try store.exporting("key", narrowedTo: [.noFunction])
    }
    try store.scheduleDeletion(of: "key")
    await expect(.keyInvalidState, ["unwrap \(id).2 f keyInvalidState"]) { store in
      _ = try await store.keyring().unwrap(entries, for: context)
    }
    try store.cancelDeletion(of: "key")
    _ = try store.scheduleDeletion(of: "key", afterDays: 7, now: 0)
    _ = try store.destroyOverdue()
    await expect(.keyNotFound, ["unwrap \(id).2 f keyNotFound"]) { store in
      _ = try await store.keyring().unwrap(entries, for: context)
    }
    await expect(.keyNotFound, ["wrap \(id) f keyNotFound"]) { store in
      _ = try await store.keyring().wrap(try .generate(), for: context)
    }
    // About keys that are not its own the store has nothing to tell.
    let stranger = try await KeysetKeyring(.generate()).wrap(try .generate(), for: context)
    await expect(.keyNotFound, []) { store in _ = try await store.keyring().unwrap(stranger, for: context) }
    await expect(.keyNotFound, []) { store in _ = try store.exporting("nobody", narrowedTo: [.noFunction]) }
  }

  /// What cannot be logged is not done.
  @Test func aUseThatCannotBeToldIsNotDone() async throws {
    let entries = try await store.keyring().wrap(try .generate(), for: context)
    _ = auditor.take()
    let store = store
    auditor.fail { _ in true }
    await expectError(.fileFailure) { try await store.keyring().wrap(try .generate(), for: context) }
    await expectError(.fileFailure) { try await store.keyring().generateDataKey(for: context) }
    await expectError(.fileFailure) { try await store.keyring().unwrap(entries, for: context) }
    await expectError(.fileFailure) { try await store.keyring().unwrap(entries, for: [:]) }
    await expectError(.fileFailure) { try store.exporting("key", narrowedTo: [.noFunction]) }
    await expectError(.fileFailure) {
      try await Envelope.seal([1], context: context, suite: .tested, using: store.keyring())
    }
    // It was told first as done, and then, if it could be, as failed.
    let uses = auditor.take()
    #expect(uses.contains { $0.operation == .export && $0.failure == nil })
    auditor.fail { $0.failure == nil }
    await expectError(.fileFailure) { try await store.keyring().unwrap(entries, for: context) }
    #expect(auditor.takeLines() == ["unwrap \(id).2 f ok", "unwrap \(id).2 f fileFailure"])
  }

  /// Two reporters: the second fails, and the use does, whatever the first was told.
  @Test func everyReporterMustTakeIt() async throws {
    var store = store
    let second = Auditor()
    store.reportUses(to: second.report)
    _ = try await store.keyring().wrap(try .generate(), for: context)
    #expect(auditor.takeLines() == ["wrap \(id).2 f ok"] && second.takeLines() == ["wrap \(id).2 f ok"])
    second.fail { $0.failure == nil }
    let fixed = store
    await expectError(.fileFailure) { try await fixed.keyring().wrap(try .generate(), for: context) }
    #expect(auditor.takeLines().last == "wrap \(id).2 f fileFailure")
  }

  @Test func whatIsToldHoldsNoSecret() async throws {
    let keyring = try store.keyring()
    let key = try DataKey(copying: Planted.dataKey)
    let entries = try await keyring.wrap(key, for: context)
    _ = try await keyring.unwrap(entries, for: context)
    _ = try? await keyring.unwrap(entries, for: [:])
    for use in auditor.take() { #expect(plantedSecrets(in: shown(use)) == []) }
  }

  /// Who is told is settled when a keyring is made, like the state of its keys.
  @Test func aKeyringIsOfTheStoreAsItWas() async throws {
    var store = store
    let before = try store.keyring()
    let late = Auditor()
    store.reportUses(to: late.report)
    try store.disable("key")
    _ = try await before.wrap(try .generate(), for: context)
    #expect(auditor.takeLines() == ["wrap \(id).2 f ok"] && late.take().isEmpty)
    let after = try store.keyring()
    await expectError(.keyDisabled) { try await after.wrap(try .generate(), for: context) }
    #expect(late.takeLines() == ["wrap \(id).2 f keyDisabled"])
  }

  /// A copy that left the store tells it nothing any more, and tells nobody else of the store's log.
  @Test func anExportedCopyTellsNobody() async throws {
    let narrowed = try store.exporting("key", narrowedTo: [.noFunction])
    _ = auditor.take()
    _ = try await narrowed.keyring().wrap(try .generate(), for: [:])
    #expect(auditor.take().isEmpty && !narrowed.keepsAuditLog)
  }
}
