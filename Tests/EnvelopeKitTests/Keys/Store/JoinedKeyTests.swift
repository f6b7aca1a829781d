// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Copies of one key that were narrowed to different functions, in one store.
@Suite(.timeLimit(.minutes(20))) struct JoinedKeyTests {
  private var whole = KeyStore()
  private let id: String

  init() throws {
    try whole.add(.generate(), alias: "main")
    id = whole.keysets[0].id.string
  }

  private func export(_ names: String...) throws -> KeyStore {
    try whole.exporting("main", narrowedTo: names.map { try FunctionScope(function: $0) })
  }

  private func seal(_ function: String, _ store: KeyStore? = nil) async throws -> [UInt8] {
    try await Envelope.seal([7], context: ["function": function], suite: .tested, using: (store ?? whole).keyring())
  }

  private func opens(_ envelope: [UInt8], _ function: String, _ store: KeyStore) async throws -> Bool {
    try await Envelope.open(envelope, context: ["function": function], using: store.keyring()).copy() == [7]
  }

  @Test func copyForAnotherFunctionJoins() async throws {
    var copy = try export("b")
    #expect(try copy.merge(export("a")).map(\.outcome) == [.updated])
    #expect(try copy.string == export("a", "b").string)
    for function in ["a", "b"] { #expect(try await opens(seal(function, copy), function, whole)) }
    await expectError(.keyNotFound) { try await seal("c", copy) }
    #expect(try copy.merge(export("a")).map(\.outcome) == [.kept])
    #expect(try copy.merge(export("a", "b")).map(\.outcome) == [.unchanged])
  }

  /// Exports for two functions arrive one after the other: in between, the store has a version for one of them alone.
  @Test mutating func copiesOfDifferentAgesJoin() async throws {
    var copy = try export("a", "b")
    let old = (a: try await seal("a"), b: try await seal("b"))
    try whole.rotate("main")
    let new = (a: try await seal("a"), b: try await seal("b"))
    #expect(try copy.merge(export("a")).map(\.outcome) == [.updated])
    copy = try KeyStore(reading: copy.string)
    #expect(copy.keysets[0].primary == 2 && copy.keysets[0].scopes?.count == 2)
    for (envelope, function) in [(old.a, "a"), (old.b, "b"), (new.a, "a")] {
      #expect(try await opens(envelope, function, copy))
    }
    // Nothing is sealed under the old version once the new one is known.
    await expectError(.keyNotFound) { [copy] in try await opens(new.b, "b", copy) }
    await expectError(.keyNotFound) { [copy] in try await seal("b", copy) }
    #expect(try await opens(seal("a", copy), "a", whole))
    #expect(throws: EnvelopeError.self) { try copy.exporting("main", narrowedTo: [FunctionScope(function: "b")]) }
    let narrower = try copy.exporting("main", narrowedTo: [FunctionScope(function: "a")])
    #expect(try narrower.string == export("a").string)
    #expect(try copy.merge(export("b")).map(\.outcome) == [.updated])
    #expect(try copy.string == export("a", "b").string)
    for (envelope, function) in [(old.a, "a"), (old.b, "b"), (new.a, "a"), (new.b, "b")] {
      #expect(try await opens(envelope, function, copy))
    }
  }

  /// The other way round, a copy that is older than the one here.
  @Test mutating func olderCopyForAnotherFunctionJoins() async throws {
    let (older, sealed) = (try export("b"), try await seal("b"))
    try whole.rotate("main")
    try whole.setMinimumVersion(2, of: "main")
    var copy = try export("a")
    #expect(try copy.merge(older).map(\.outcome) == [.updated])
    #expect(copy.keysets[0].primary == 2 && copy.keysets[0].minimumVersion == 2)
    // What was decided here holds for what joins.
    await expectError(.keyVersionTooOld) { [copy] in try await opens(sealed, "b", copy) }
    try copy.setMinimumVersion(1, of: "main")
    #expect(try await opens(sealed, "b", copy))
    await expectError(.keyNotFound) { [copy] in try await seal("b", copy) }
    // A whole copy completes both.
    #expect(try copy.merge(whole).map(\.outcome) == [.updated])
    #expect(copy.keysets[0].scopes == nil)
  }

  /// The copy has less than the key here, but its owner has decided since that older versions open no more.
  @Test mutating func higherMinimumOfCopyForFewerFunctionsCounts() async throws {
    let sealed = try await seal("b")
    try whole.rotate("main")
    var copy = try export("a", "b")
    try whole.setMinimumVersion(2, of: "main")
    #expect(try copy.merge(export("a")).map(\.outcome) == [.updated])
    #expect(copy.keysets[0].minimumVersion == 2)
    #expect(copy.keysets[0].versions.count == 2 && copy.keysets[0].scopes?.count == 2)
    await expectError(.keyVersionTooOld) { [copy] in try await opens(sealed, "b", copy) }
    #expect(try copy.merge(export("a")).map(\.outcome) == [.kept])
  }

  @Test mutating func otherSecretForSharedFunctionIsRefused() async throws {
    var forged = KeyStore()
    try forged.add(Keyset(id: KeyID(id), versions: Keyset.generate().versions, primary: 1))
    var copy = try export("a", "b")
    let before = try copy.string
    let hostile = try forged.exporting(id, narrowedTo: [FunctionScope(function: "b"), FunctionScope(function: "c")])
    guard case .refused = try copy.merge(hostile)[0].outcome else { Issue.record("taken"); return }
    #expect(try copy.string == before)
  }

  @Test mutating func tooManyFunctionsAreRefused() async throws {
    func scopes(_ range: Range<Int>) throws -> [FunctionScope] {
      try range.map { try FunctionScope(function: "f\($0)") }
    }
    var copy = try whole.exporting("main", narrowedTo: scopes(0..<200))
    let before = try copy.string
    guard case .refused = try copy.merge(whole.exporting("main", narrowedTo: scopes(200..<257)))[0].outcome else {
      Issue.record("taken")
      return
    }
    #expect(try copy.string == before)
    #expect(try copy.merge(whole.exporting("main", narrowedTo: scopes(200..<256))).map(\.outcome) == [.updated])
    #expect(copy.keysets[0].scopes?.count == 256)
  }

  /// Marks of a version that a text cannot have.
  @Test mutating func marksThatCannotBeAreRefused() async throws {
    var copy = try export("a", "b")
    try whole.rotate("main")
    _ = try copy.merge(export("a"))
    let text = try copy.string
    #expect(text.contains(" 10\n"))
    for marks in ["", " ", " 1", " 00", " 11", " 01 ", " 1 0", " 101", " 1x", " １0"] {
      let altered = text.replacingOccurrence(of: " 10\n", with: "\(marks)\n")
      #expect(throws: EnvelopeError.self, "\(marks)") { try KeyStore(reading: altered) }
    }
    // Other marks are another store: the key is then taken for the other function's, and opens nothing.
    let swapped = try KeyStore(reading: text.replacingOccurrence(of: " 10\n", with: " 01\n"))
    let sealed = try await seal("b")
    await expectError(.unwrapFailed) { try await opens(sealed, "b", swapped) }
  }
}
