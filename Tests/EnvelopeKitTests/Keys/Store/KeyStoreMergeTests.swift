// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

@Suite(.timeLimit(.minutes(20))) struct KeyStoreMergeTests {
  private func scopes(_ names: String...) throws -> [FunctionScope] {
    try names.map { try FunctionScope(function: $0) }
  }

  private func store(_ alias: String) throws -> KeyStore {
    var store = KeyStore()
    try store.add(.generate(), alias: alias)
    return store
  }

  /// What merging does with the only key of a store.
  private enum Expected { case unchanged, kept, refused }

  /// Expects that a store stays as it is, byte for byte.
  private func expect(
    _ expected: Expected, _ store: KeyStore, merging other: KeyStore, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var merged = store
    let outcomes = try merged.merge(other).map(\.outcome)
    try #require(outcomes.count == 1, sourceLocation: sourceLocation)
    switch (outcomes[0], expected) {
    case (.unchanged, .unchanged), (.kept, .kept): break
    case (.refused(let error), .refused): #expect(error.code == .keyExists, sourceLocation: sourceLocation)
    default: Issue.record("\(outcomes[0])", sourceLocation: sourceLocation)
    }
    #expect(try merged.string == store.string, sourceLocation: sourceLocation)
  }

  @Test func newKeysAreAddedWithTheAliasesThatAreFree() async throws {
    var (mine, theirs) = (try store("main"), try store("main"))
    try theirs.addAlias("theirs", for: "main")
    let before = mine.defaultKeyID
    let id = theirs.keysets[0].id
    #expect(try mine.merge(theirs).map(\.keyset.id) == [id])
    #expect(mine.keysets.count == 2 && mine.defaultKeyID == before)
    #expect(mine.aliases["theirs"] == id && mine.aliases["main"] == before)
    #expect(mine[id.string]?.versions.count == 1)
    let sealed = try await Envelope.seal([1], context: [:], suite: .tested, using: theirs.keyring())
    #expect(try await Envelope.open(sealed, context: [:], using: mine.keyring()).copy() == [1])
    #expect(try KeyStore(reading: mine.string).string == mine.string)
    var empty = KeyStore()
    _ = try empty.merge(theirs)
    #expect(empty.defaultKeyID == id)
  }

  /// What is returned can be used as the store would use it: disabled here, it is disabled there.
  @Test func mergedKeysHaveLocalStateAndPolicy() async throws {
    var mine = try store("main")
    var theirs = mine
    try theirs.rotate("main")
    try theirs.add(.generate(), alias: "new")
    try mine.disable("main")
    try mine.setPolicy(KeyPolicy(operations: [.unwrap]), of: "main")
    try mine.setMinimumVersion(1, of: "main")
    let outcomes = try mine.merge(theirs)
    #expect(outcomes.map(\.outcome) == [.updated, .added])
    let merged = outcomes.map(\.keyset)
    #expect(merged.map(\.id) == theirs.keysets.map(\.id))
    #expect(merged.map(\.state) == [.disabled, .enabled] && merged[0].policy == mine.keysets[0].policy)
    #expect(merged[0].versions.map(\.number) == [1, 2])
    let (disabled, enabled) = (KeysetKeyring(merged[0]), KeysetKeyring(merged[1]))
    await expectError(.keyDisabled) { try await disabled.generateDataKey(for: [:]) }
    _ = try await enabled.generateDataKey(for: [:])
  }

  @Test(arguments: [Keyset.Kind.symmetric, .identity])
  func aWholeKeyIsReplacedOnlyByOneThatWasRotatedSince(kind: Keyset.Kind) async throws {
    var mine = KeyStore()
    try mine.add(.generate(kind), alias: "main")
    try expect(.unchanged, mine, merging: mine)
    if kind == .symmetric {
      try expect(.kept, mine, merging: mine.exporting("main", narrowedTo: scopes("a")))
    }
    var rotated = mine
    try rotated.rotate("main")
    var merged = mine
    try merged.disable("main")
    _ = try merged.merge(rotated)
    #expect(try merged.require("main").versions.map(\.number) == [1, 2])
    #expect(try merged.require("main").state == .disabled)
    let sealed = try await Envelope.seal([1], context: [:], suite: .tested, using: rotated.keyring())
    try merged.enable("main")
    let opened = try await Envelope.open(
      sealed, context: [:], using: merged.keyring(), anonymousSender: .accepted)
    #expect(opened.copy() == [1])
    // Not back, not sideways: the two went their own ways.
    try expect(.kept, rotated, merging: mine)
    var other = mine
    try other.rotate("main")
    try other.rotate("main")
    try expect(.refused, rotated, merging: other)
    try expect(.refused, other, merging: rotated)
    // A destroyed one does not come back.
    var gone = mine
    _ = try gone.scheduleDeletion(of: "main", afterDays: 7, now: 0)
    _ = try gone.destroyOverdue()
    try expect(.kept, gone, merging: rotated)
    try expect(.unchanged, gone, merging: gone)
    // Nor does one that was destroyed elsewhere go here.
    try expect(.kept, rotated, merging: gone)
  }

  /// A colleague's store that was rotated has keys besides, which both have: they are in the way of nothing.
  @Test func takesWhatIsNewerAndLeavesWhatIsEqual() async throws {
    var mine = try store("default")
    for alias in ["checkout", "mine", "gone"] { try mine.add(.generate(), alias: alias) }
    var theirs = mine
    try theirs.rotate("checkout")
    try theirs.add(.generate(), alias: "new")
    try theirs.removeAlias("mine")
    try mine.rotate("mine")
    let merged = try mine.merge(theirs)
    #expect(merged.map(\.outcome) == [.unchanged, .updated, .kept, .unchanged, .added])
    #expect(mine.keysets.map(\.primary) == [1, 2, 2, 1, 1] && mine.aliases.keys.sorted().count == 5)
  }

  /// One that contradicts is refused, with what is said of it; the others are taken.
  @Test func aKeyThatIsRefusedIsInTheWayOfNoOther() async throws {
    var mine = try store("main")
    var theirs = mine
    try mine.rotate("main")
    try theirs.rotate("main")
    try theirs.addAlias("hostile", for: "main")
    try theirs.add(.generate(), alias: "new")
    let before = try mine.require("main")
    let merged = try mine.merge(theirs)
    guard case .refused(let error) = merged[0].outcome else { Issue.record("\(merged)"); return }
    #expect(error.code == .keyExists && error.message.contains("version 2") && merged[1].outcome == .added)
    #expect(try mine.aliases["hostile"] == nil && mine.aliases["new"] == theirs.require("new").id)
    let sealed = try await Envelope.seal([1], context: [:], suite: .tested, using: KeysetKeyring(before))
    #expect(try await Envelope.open(sealed, context: [:], using: mine.keyring()).copy() == [1])
  }

  @Test func nothingIsTakenIfAnIDIsAnAlias() async throws {
    // An alias there that is a key's id here, or the other way round.
    var named = KeyStore()
    try named.add(.generate(), alias: "A" + String(repeating: "b", count: 11))
    let versions = try Keyset.generate().versions
    var other = KeyStore()
    try other.add(Keyset(id: KeyID("A" + String(repeating: "b", count: 11)), versions: versions, primary: 1))
    try other.add(.generate())
    var refusing = named
    #expect(throws: EnvelopeError.self) { try refusing.merge(other) }
    #expect(try refusing.string == named.string)
    var merged = other
    _ = try merged.merge(named)
    #expect(merged.aliases.isEmpty && merged.keysets.count == 3)
    #expect(try KeyStore(reading: merged.string).string == merged.string)
  }

  @Test func aNarrowedCopyIsReplacedByANewerOne() async throws {
    var whole = try store("main")
    let id = whole.keysets[0].id.string
    var copy = try whole.exporting("main", narrowedTo: scopes("a", "b"))
    let older = copy
    try whole.rotate("main")
    for newer in [
      try whole.exporting("main", narrowedTo: scopes("a", "b")),
      try whole.exporting("main", narrowedTo: scopes("a", "b", "c")), whole,
    ] {
      #expect(try copy.merge(newer).map { $0.keyset.id.string } == [id])
      #expect(try copy.string == newer.string)
      let sealed = try await Envelope.seal([1], context: ["function": "b"], suite: .tested, using: whole.keyring())
      #expect(try await Envelope.open(sealed, context: ["function": "b"], using: copy.keyring()).copy() == [1])
    }
    // Fewer versions, fewer functions.
    let narrowed = try whole.exporting("main", narrowedTo: scopes("a", "b"))
    try expect(.kept, narrowed, merging: older)
    try expect(.kept, narrowed, merging: whole.exporting("main", narrowedTo: scopes("a")))
    // A whole key that is older: what was sealed since would not open.
    try whole.rotate("main")
    let newest = try whole.exporting("main", narrowedTo: scopes("a", "b"))
    var old = KeyStore()
    try old.add(Keyset(id: whole.keysets[0].id, versions: Array(whole.keysets[0].versions.dropLast()), primary: 2))
    try expect(.refused, newest, merging: old)
    try expect(.refused, old, merging: newest)
    var again = narrowed
    _ = try again.merge(narrowed)
    #expect(try again.string == narrowed.string)
  }

  /// What was decided here of a key is not undone by a copy that comes from elsewhere.
  @Test func aNewerCopyIsUnderTheRulesThatHoldHere() async throws {
    var whole = try store("main")
    try whole.rotate("main")
    try whole.setMinimumVersion(2, of: "main")
    let newer = try whole.exporting("main", narrowedTo: scopes("a"))
    try whole.setMinimumVersion(1, of: "main")
    for change in 0..<4 {
      var copy = try whole.exporting("main", narrowedTo: scopes("a"))
      switch change {
      case 0: try copy.disable("main")
      case 1: try copy.scheduleDeletion(of: "main", afterDays: 7)
      case 2: try copy.setPolicy(KeyPolicy(operations: [.unwrap]), of: "main")
      default: try copy.setRotationPeriod(days: 30, of: "main")
      }
      let before = try copy.require("main")
      _ = try copy.merge(newer)
      let after = try copy.require("main")
      #expect(after.state == before.state && after.policy == before.policy)
      #expect(after.rotationPeriod == before.rotationPeriod && after.minimumVersion == 2)
    }
  }

  /// A copy whose primary version is an older one would leave a minimum above it, and a store that no longer opens.
  @Test func aCopyWithAnOlderPrimaryIsRefused() async throws {
    var whole = try store("main")
    let id = whole.keysets[0].id.string
    try whole.rotate("main")
    let backdated = try KeyStore(
      reading: whole.exporting("main", narrowedTo: scopes("a")).string.replacingOccurrence(
        of: "keyset \(id) 2", with: "keyset \(id) 1"))
    #expect(backdated.keysets[0].primary == 1 && backdated.keysets[0].versions.count == 2)
    try whole.setMinimumVersion(2, of: "main")
    try expect(.kept, whole.exporting("main", narrowedTo: scopes("a")), merging: backdated)
  }

  /// A copy of the same id with other secrets is no newer copy: what was sealed here would open no more.
  @Test func aCopyWithOtherSecretsIsRefused() async throws {
    let whole = try store("main")
    let narrowed = try whole.exporting("main", narrowedTo: scopes("a", "b"))
    let id = whole.keysets[0].id
    var forged = KeyStore()
    try forged.add(Keyset(id: id, versions: Keyset.generate().versions, primary: 1).rotated())
    try expect(.refused, narrowed, merging: forged)
    try expect(.refused, narrowed, merging: forged.exporting(id.string, narrowedTo: scopes("a", "b")))
    try expect(.refused, narrowed, merging: forged.exporting(id.string, narrowedTo: scopes("a", "b", "c")))
    // Only one of the functions has another secret.
    let mixed = try narrowed.string.replacingLine("narrowed YQ", with: ["narrowed YA"])
    var merged = narrowed
    #expect(try merged.merge(KeyStore(reading: mixed)).map(\.outcome) == [.updated])
    #expect(try merged.keysets[0].scopes == scopes("`", "a", "b"))
    let secrets = try (0...1).map { try narrowed.keysets[0].versions[0].keys[$0].withBytes { [UInt8](copying: $0) } }
    let text = try narrowed.string.replacingOccurrence(
      of: Base64URL.encode(secrets[0] + secrets[1]), with: Base64URL.encode(secrets[0] + secrets[0]))
    try expect(.refused, narrowed, merging: KeyStore(reading: text))
  }

  /// What was destroyed here does not come back with somebody's copy.
  @Test func aDestroyedKeyStaysDestroyed() async throws {
    let whole = try store("main")
    for store in [whole, try whole.exporting("main", narrowedTo: scopes("a"))] {
      var destroyed = store
      _ = try destroyed.scheduleDeletion(of: "main", afterDays: 7, now: 1)
      _ = try destroyed.destroyOverdue()
      try expect(.kept, destroyed, merging: store)
      try expect(.kept, destroyed, merging: whole)
    }
  }

  /// A log's key is the store's own: neither taken over nor lost.
  @Test func theLogsKeyStaysWhereItIs() throws {
    var (mine, theirs) = (try store("main"), try store("other"))
    try theirs.startAuditLog()
    _ = try mine.merge(theirs)
    #expect(!mine.keepsAuditLog && theirs.keepsAuditLog)
    var third = try store("third")
    _ = try theirs.merge(third)
    #expect(theirs.keepsAuditLog)
    _ = try third.merge(KeyStore())
    #expect(third.keysets.count == 1)
  }
}

extension String {
  /// The same text with the first occurrence of a part replaced.
  func replacingOccurrence(of part: String, with other: String) -> String {
    var text = self
    if let range = text.firstRange(of: part) { text.replaceSubrange(range, with: other) }
    return text
  }
}
