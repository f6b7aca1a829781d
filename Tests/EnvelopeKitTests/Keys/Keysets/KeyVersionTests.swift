// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct KeyVersionTests {
  /// A store with a key of three versions, and what each of them wrapped.
  private func versions(
    _ kind: Keyset.Kind
  ) async throws -> (store: KeyStore, entries: [[WrappedDataKey]]) {
    var store = KeyStore()
    try store.add(.generate(kind), alias: "key")
    var entries = [try await store.keyring().wrap(try .generate(), for: [:])]
    for number in UInt32(2)...3 {
      #expect(try store.rotate("key") == number)
      entries.append(try await store.keyring().wrap(try .generate(), for: [:]))
    }
    return (store, entries)
  }

  @Test(arguments: [Keyset.Kind.symmetric, .identity]) func theNewestWrapsAndAllUnwrap(kind: Keyset.Kind) async throws {
    let (store, entries) = try await versions(kind)
    let id = try store.require("key").id
    #expect(entries.map { $0.map(\.keyID.string) } == [["\(id).1"], ["\(id).2"], ["\(id).3"]])
    for entries in entries { _ = try await store.keyring().unwrap(entries, for: [:]) }
    if kind == .identity {
      let recipient = try store.require("key").recipient()
      #expect(recipient.keyID.string == "\(id).3")
    }
  }

  @Test(arguments: [Keyset.Kind.symmetric, .identity], [UInt32(1), 2, 3])
  func thoseBelowTheMinimumDoNotUnwrap(kind: Keyset.Kind, minimum: UInt32) async throws {
    var (store, entries) = try await versions(kind)
    try store.setMinimumVersion(minimum, of: "key")
    let keyring = try store.keyring()
    for (index, entries) in entries.enumerated() {
      if index + 1 >= minimum {
        _ = try await keyring.unwrap(entries, for: [:])
      } else {
        await expectError(.keyVersionTooOld) { try await keyring.unwrap(entries, for: [:]) }
      }
    }
    _ = try await keyring.wrap(try .generate(), for: [:])
    // It stays where it is when there is a new version, and can be taken back.
    try store.rotate("key")
    #expect(try store.require("key").minimumVersion == minimum)
    try store.setMinimumVersion(1, of: "key")
    for entries in entries { _ = try await store.keyring().unwrap(entries, for: [:]) }
  }

  @Test func theMinimumIsOneOfTheVersions() async throws {
    var (store, _) = try await versions(.symmetric)
    for number in [0, 4, UInt32.max] {
      #expect(throws: EnvelopeError.self) { try store.setMinimumVersion(number, of: "key") }
    }
    #expect(try store.require("key").minimumVersion == 1)
  }

  /// An older entry that is refused hides no newer one of the same header.
  @Test func anOldEntryHidesNoNewerOne() async throws {
    var (store, entries) = try await versions(.symmetric)
    try store.setMinimumVersion(3, of: "key")
    let keyring = try store.keyring()
    #expect(try await keyring.unwrap(entries[0] + entries[2], for: [:]).source == entries[2][0])
    await expectError(.keyVersionTooOld) { try await keyring.unwrap(entries[0] + entries[1], for: [:]) }
  }

  @Test(arguments: [Int.min, -1, 0, 2561, .max]) func periodsThatThereAreNotAreRefused(days: Int) async throws {
    var (store, _) = try await versions(.symmetric)
    #expect(throws: EnvelopeError.self) { try store.setRotationPeriod(days: days, of: "key") }
    #expect(try store.require("key").rotationPeriod == nil && store.require("key").rotationDue == nil)
  }

  /// It counts from when the primary version was made.
  @Test func aPeriodEndsSoManyDaysAfterTheLastRotation() throws {
    let key = try WrappingKey.generate()
    func store(createdAt times: UInt64...) throws -> KeyStore {
      let versions = times.enumerated().map {
        Keyset.Version(number: UInt32($0.offset + 1), created: $0.element, keys: [key])
      }
      var store = KeyStore()
      try store.add(
        Keyset(id: KeyID("abcdefghijkl"), versions: versions, primary: UInt32(versions.count)), alias: "key")
      return store
    }
    for days in [1, 90, 2560] {
      var store = try store(createdAt: 5, 1_000_000)
      try store.setRotationPeriod(days: days, of: "key")
      #expect(try store.require("key").rotationDue == 1_000_000 + UInt64(days) * 86_400)
      let before = Clock.now
      try store.rotate("key")
      let due = try #require(try store.require("key").rotationDue)
      #expect((before...Clock.now).contains(due - UInt64(days) * 86_400))
      try store.setRotationPeriod(days: nil, of: "key")
      #expect(try store.require("key").rotationDue == nil)
    }
    // A time that is nonsense is never due, and traps nothing.
    var late = try store(createdAt: .max)
    try late.setRotationPeriod(days: 1, of: "key")
    #expect(try late.require("key").rotationDue == nil)
  }

  @Test func aFullKeyIsNotRotated() async throws {
    let key = try WrappingKey.generate()
    let versions = (1...UInt32(Keyset.versionLimit)).map { Keyset.Version(number: $0, created: 0, keys: [key]) }
    var store = KeyStore()
    try store.add(Keyset(id: KeyID("abcdefghijkl"), versions: versions, primary: 1024))
    let before = try store.string
    do throws(EnvelopeError) {
      try store.rotate("abcdefghijkl")
      Issue.record("It was rotated")
    } catch {
      #expect(error.code == .invalidArgument)
    }
    #expect(try store.string == before)
  }
}
