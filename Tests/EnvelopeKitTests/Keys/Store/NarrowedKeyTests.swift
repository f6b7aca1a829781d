// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// A narrowed key is the whole key for its functions, and nothing for others.
@Suite(.timeLimit(.minutes(20))) struct NarrowedKeyTests {
  private let whole: KeyStore
  private let id: String

  init() throws {
    var store = KeyStore()
    try store.add(.generate().rotated().rotated(), alias: "main")
    try store.add(.generate(), alias: "unrelated")
    try store.startAuditLog()
    whole = store
    id = store.keysets[0].id.string
  }

  private func scope(_ function: String?) throws -> FunctionScope {
    try function.map { try FunctionScope(function: $0) } ?? .noFunction
  }

  private func context(_ function: String?) -> EncryptionContext {
    function.map { ["function": $0, "stage": "prod"] } ?? ["stage": "prod"]
  }

  private static let names: [String?] = [nil, "checkout", "é", "a", String(repeating: "n", count: 1024)]

  @Test(arguments: names) func itDoesForItsFunctionWhatTheWholeKeyDoes(function: String?) async throws {
    let narrowed = try whole.exporting("main", narrowedTo: [scope(function)])
    let context = context(function)
    let plaintext = Array("a value".utf8)
    var lengths: Set<Int> = []
    for (sealing, opening) in [(whole, narrowed), (narrowed, whole), (narrowed, narrowed), (whole, whole)] {
      let sealed = try await Envelope.seal(plaintext, context: context, suite: .tested, using: sealing.keyring(for: id))
      lengths.insert(sealed.count)
      #expect(try await Envelope.open(sealed, context: context, using: opening.keyring(for: id)).copy() == plaintext)
      let environment = try await SealedEnvironment.seal(
        Planted.values, context: context, using: sealing.keyring(for: id))
      #expect(try await environment.open(context: context, using: opening.keyring(for: id)).strings == Planted.values)
    }
    #expect(lengths.count == 1, "The narrowing costs bytes in an envelope")
  }

  /// What the whole key's older versions sealed opens too.
  @Test func itHasEveryVersion() async throws {
    let first = try Keyset.generate()
    let sealed = try await Envelope.seal([1], context: context("a"), suite: .tested, using: KeysetKeyring(first))
    var store = KeyStore()
    try store.add(first)
    try store.rotate(first.id.string)
    let narrowed = try store.exporting(first.id.string, narrowedTo: [scope("a")])
    #expect(try narrowed.require(first.id.string).versions.map(\.number) == [1, 2])
    #expect(try await Envelope.open(sealed, context: context("a"), using: narrowed.keyring()).copy() == [1])
  }

  private static let others: [String?] = [
    nil, "checkou", "checkout2", "heckout", "Checkout", "checkout ", " checkout", "checkout\0", "ch\u{00e9}ckout",
    "check\u{200b}out", "a", "аcheckout", "che\u{0301}ckout",
  ]

  @Test(arguments: others) func itIsNothingForAnotherFunction(function: String?) async throws {
    let narrowed = try whole.exporting("main", narrowedTo: [scope("checkout"), scope("ch\u{0065}\u{0301}ckout")])
    // The one with a combining accent is a narrowed one itself, byte for byte; its composed form is not.
    let isIncluded = function.map { Array($0.utf8) == Array("ch\u{0065}\u{0301}ckout".utf8) } ?? false
    let context = context(function)
    let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: whole.keyring())
    guard !isIncluded else {
      #expect(try await Envelope.open(sealed, context: context, using: narrowed.keyring()).copy() == [1])
      return
    }
    await expectError(.keyNotFound) { try await Envelope.open(sealed, context: context, using: narrowed.keyring()) }
    await expectError(.keyNotFound) {
      try await Envelope.seal([1], context: context, suite: .tested, using: narrowed.keyring())
    }
  }

  @Test func oneForNoFunctionIsForNoFunctionAlone() async throws {
    let narrowed = try whole.exporting("main", narrowedTo: [.noFunction])
    for context in [[:], ["stage": "prod"], ["Function": "checkout"]] as [EncryptionContext] {
      let sealed = try await Envelope.seal([1], context: context, suite: .tested, using: narrowed.keyring())
      #expect(try await Envelope.open(sealed, context: context, using: whole.keyring()).copy() == [1])
    }
    let sealed = try await Envelope.seal([1], context: context("a"), suite: .tested, using: whole.keyring())
    await expectError(.keyNotFound) {
      try await Envelope.open(sealed, context: context("a"), using: narrowed.keyring())
    }
    // An empty name is in no context, so it is not no function either.
    await expectError(.invalidArgument) {
      try await Envelope.seal([1], context: ["function": ""], suite: .tested, using: narrowed.keyring())
    }
    await expectError(.invalidArgument) { try FunctionScope(function: "") }
    await expectError(.invalidArgument) { try FunctionScope(function: String(repeating: "é", count: 513)) }
  }

  @Test func itHasWhatWasSaidOfTheKeyAndNothingOfTheStore() throws {
    var store = whole
    try store.addAlias("second", for: "main")
    try store.setMinimumVersion(2, of: "main")
    try store.setRotationPeriod(days: 90, of: "main")
    let policy = try KeyPolicy(functions: [scope("a"), scope("b")], operations: [.unwrap])
    try store.setPolicy(policy, of: "main")
    let narrowed = try store.exporting("second", narrowedTo: [scope("b"), scope("a"), scope("b")])
    #expect(narrowed.keysets.count == 1 && narrowed.defaultKeyID?.string == id && !narrowed.keepsAuditLog)
    #expect(Set(narrowed.aliases.keys) == ["main", "second"])
    let keyset = try narrowed.require(id)
    #expect(keyset.scopes?.map(\.function) == ["a", "b"])
    #expect(keyset.policy == policy && keyset.minimumVersion == 2 && keyset.rotationPeriod == 90)
    #expect(keyset.versions.map(\.number) == [1, 2, 3] && keyset.primary == 3)
    let read = try KeyStore(reading: narrowed.string)
    #expect(try read.string == narrowed.string)
    #expect(try read.require(id).scopes == keyset.scopes)
  }

  /// The rule of a policy holds on in the copy, also where the narrowing would allow the use.
  @Test func thePolicyHoldsInTheCopy() async throws {
    var store = whole
    try store.setPolicy(KeyPolicy(functions: [scope("a"), scope("b")], operations: [.unwrap]), of: "main")
    var narrowed = try store.exporting("main", narrowedTo: [scope("a"), scope("b")])
    await expectError(.keyAccessDenied) {
      try await Envelope.seal([1], context: context("a"), suite: .tested, using: narrowed.keyring())
    }
    try narrowed.setPolicy(KeyPolicy(functions: [scope("a")]), of: "main")
    let sealed = try await Envelope.seal([1], context: context("b"), suite: .tested, using: whole.keyring())
    await expectError(.keyAccessDenied) {
      try await Envelope.open(sealed, context: context("b"), using: narrowed.keyring())
    }
  }

  /// What the policy does not let it serve is not handed out.
  @Test func noCopyIsMadeForAFunctionThatThePolicyDoesNotName() async throws {
    var store = whole
    try store.setPolicy(KeyPolicy(functions: [scope("a"), .noFunction]), of: "main")
    await expectError(.keyAccessDenied) { try store.exporting("main", narrowedTo: [scope("a"), scope("b")]) }
    #expect(try store.exporting("main", narrowedTo: [scope("a"), .noFunction]).keysets[0].scopes?.count == 2)
    try store.setPolicy(KeyPolicy(functions: [scope("a")]), of: "main")
    await expectError(.keyAccessDenied) { try store.exporting("main", narrowedTo: [.noFunction]) }
  }

  @Test func whatCannotBeNarrowed() async throws {
    let store = whole
    await expectError(.invalidArgument) { try store.exporting("main", narrowedTo: []) }
    let many = try (0...256).map { try scope("f\($0)") }
    await expectError(.invalidArgument) { try store.exporting("main", narrowedTo: many) }
    #expect(try store.exporting("main", narrowedTo: Array(many.dropLast())).keysets[0].scopes?.count == 256)
    await expectError(.keyNotFound) { try store.exporting("nobody", narrowedTo: [.noFunction]) }
    var identities = KeyStore()
    try identities.add(.generate(.identity), alias: "me")
    let fixed = identities
    await expectError(.invalidArgument) { try fixed.exporting("me", narrowedTo: [.noFunction]) }
  }

  @Test func itIsNeitherRotatedNorNarrowedToMore() async throws {
    let narrowed = try whole.exporting("main", narrowedTo: [scope("a"), scope("b")])
    var copy = narrowed
    #expect(throws: EnvelopeError.self) { try copy.rotate(id) }
    #expect(try copy.string == narrowed.string)
    await expectError(.keyNotFound) { try narrowed.exporting(id, narrowedTo: [scope("a"), scope("c")]) }
    await expectError(.keyNotFound) { try narrowed.exporting(id, narrowedTo: [.noFunction]) }
    // To less it is, and as if the whole key had been.
    let less = try narrowed.exporting(id, narrowedTo: [scope("b")])
    #expect(try less.string == whole.exporting(id, narrowedTo: [scope("b")]).string)
  }
}
