// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// The plain variables of a document are those that were sealed with it, or it does not open.
@Suite(.timeLimit(.minutes(20))) struct PlainVariablesTests {
  private static let forms: [SealedEnvironment.Form] = [.separate, .packed]
  private static let plain = ["DATABASE_HOST": "db.example", "EMPTY": "", "LOG_LEVEL": "info"]
  private let context: EncryptionContext = ["function": "checkout"]
  private let keyring: KeysetKeyring

  init() throws { keyring = KeysetKeyring(try .generate()) }

  private func seal(
    beside plain: [String: String] = Self.plain, as form: SealedEnvironment.Form
  ) async throws -> SealedEnvironment {
    try await .seal(Planted.values, beside: plain, as: form, context: context, using: keyring)
  }

  private func document(_ sealed: SealedEnvironment, _ plain: [String: String] = Self.plain) -> [String: String] {
    sealed.variables.merging(plain) { $1 }
  }

  private func open(
    _ document: [String: String], allowing allowed: Set<String> = []
  ) async throws -> OpenedEnvironment {
    try await SealedEnvironment(document: document, allowingPlain: allowed).open(context: context, using: keyring)
  }

  @Test(arguments: forms) func aDocumentOpensAsItWasSealed(form: SealedEnvironment.Form) async throws {
    for plain in [
      Self.plain, [:], ["ONE": "1"], Dictionary(uniqueKeysWithValues: (0..<300).map { ("N\($0)", "\($0)") }),
    ] {
      let document = document(try await seal(beside: plain, as: form), plain)
      let sealed = try SealedEnvironment(document: document)
      #expect(try sealed.plain?.strings == plain)
      #expect(try await sealed.open(context: context, using: keyring).strings == Planted.values)
    }
  }

  /// Each costs 16 bytes, and none costs nothing.
  @Test func tagsCostSixteenBytes() async throws {
    let sizes = try await [0, 1, 2, 10].asyncMap { count in
      let plain = Dictionary(uniqueKeysWithValues: (0..<count).map { ("N\($0)", "value") })
      let header = try await seal(beside: plain, as: .separate)
      return try header.variables.bytes(of: "ENVELOPE_HEADER").count - header.header.bytes.count
    }
    #expect(sizes == [38, 54, 70, 198])
  }

  @Test(arguments: forms) func refusesEveryDifference(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(as: form)
    let differences: [(change: (inout [String: String]) -> Void, names: [String])] = [
      ({ $0["LD_PRELOAD"] = "/tmp/evil.so" }, ["LD_PRELOAD"]), ({ $0["PATH"] = "/tmp" }, ["PATH"]),
      ({ $0["LOG_LEVEL"] = "debug" }, ["LOG_LEVEL"]), ({ $0["EMPTY"] = "x" }, ["EMPTY"]),
      ({ $0["DATABASE_HOST"] = "" }, ["DATABASE_HOST"]), ({ $0["LOG_LEVEL"] = nil }, []), ({ $0 = [:] }, []),
      ({ ($0["LOG_LEVEL"], $0["log_level"]) = (nil, "info") }, ["log_level"]),
      (
        { ($0["LOG_LEVEL"], $0["DATABASE_HOST"]) = ($0["DATABASE_HOST"], $0["LOG_LEVEL"]) },
        ["DATABASE_HOST", "LOG_LEVEL"]
      ),
    ]
    for (index, difference) in differences.enumerated() {
      var plain = Self.plain
      difference.change(&plain)
      await expectError(.plainVariablesAltered, names: difference.names, at: "\(index)") {
        try await open(document(sealed, plain))
      }
      // What opens nothing makes nothing either.
      let altered = try SealedEnvironment(document: document(sealed, plain))
      let values = try OpenedEnvironment(Planted.values)
      await expectError(.plainVariablesAltered) {
        try await altered.updated(to: values, context: context, using: keyring)
      }
      await expectError(.plainVariablesAltered) {
        try await altered.rewrapped(.newestVersions(of: keyring), context: context, using: keyring)
      }
      await expectError(.plainVariablesAltered) {
        try await altered.resealed(context: context, using: keyring, sealingWith: keyring)
      }
      // The environment of a process has variables of other origin.
      let process = try await document(sealed, plain).open(context: context, using: keyring)
      #expect(try process.strings == Planted.values)
    }
  }

  /// An older document's tags and values, under the same data key.
  @Test func refusesTagsOfAnotherTrailer() async throws {
    let first = try await seal(as: .separate)
    let second = try await first.updated(
      to: OpenedEnvironment(Planted.values), beside: OpenedEnvironment(["LOG_LEVEL": "debug"]), context: context,
      using: keyring)
    let document = document(second, ["LOG_LEVEL": "debug"])
    #expect(try await open(document).strings == Planted.values)
    let bytes = try document.bytes(of: "ENVELOPE_HEADER")
    let tags = try first.variables.bytes(of: "ENVELOPE_HEADER").suffix(48)
    for forged in [Array(bytes.dropLast(16)), bytes.dropLast(16) + tags, bytes + tags.suffix(16)] {
      await expectError(.variablePutBack, .malformed) {
        try await open(self.document(first, Self.plain).setting("ENVELOPE_HEADER", to: forged))
      }
    }
    let cut = document.setting("ENVELOPE_HEADER", to: Array(bytes.dropLast(1)))
    await expectError(.malformed) { try await open(cut) }
  }

  @Test(arguments: forms) func anAllowedVariableMayDiffer(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(as: form)
    let allowed: Set = ["LOG_LEVEL", "NEW"]
    for (level, new) in [("debug", nil), (nil, nil), ("info", "1"), (nil, "1"), ("debug", "")] as [(String?, String?)] {
      var plain = Self.plain
      (plain["LOG_LEVEL"], plain["NEW"]) = (level, new)
      #expect(try await open(document(sealed, plain), allowing: allowed).strings == Planted.values)
      // Others are verified as before.
      for (name, value) in [("DATABASE_HOST", "evil.example"), ("DATABASE_HOST", nil), ("PATH", "/tmp")] {
        let worse = document(sealed, plain).setting(name, toText: value)
        await expectError(.plainVariablesAltered, names: value == nil ? [] : [name]) {
          try await open(worse, allowing: allowed)
        }
      }
    }
  }

  /// An update authenticates the plain variables that there are then.
  @Test(arguments: forms) func anUpdateTakesOverAllowedDifferences(form: SealedEnvironment.Form) async throws {
    var plain = Self.plain
    plain["LOG_LEVEL"] = "debug"
    let changed = try await SealedEnvironment(
      document: document(seal(as: form), plain), allowingPlain: ["LOG_LEVEL"])
    let values = try OpenedEnvironment(Planted.values)
    let updated = try await changed.updated(to: values, context: context, using: keyring)
    #expect(try await open(document(updated, plain)).strings == Planted.values)
    await expectError(.plainVariablesAltered) { try await open(document(updated)) }
    let resealed = try await changed.resealed(context: context, using: keyring, sealingWith: keyring)
    #expect(try await open(document(resealed, plain)).strings == Planted.values)
    let other = try await changed.updated(
      to: values, beside: OpenedEnvironment(["A": "1"]), context: context, using: keyring)
    #expect(try await open(document(other, ["A": "1"])).strings == Planted.values)
    await expectError(.plainVariablesAltered) { try await open(document(other, plain)) }
  }

  /// Rewrapping keeps the tags, whatever it was read from.
  @Test(arguments: forms) func rewrappingKeepsTheTags(form: SealedEnvironment.Form) async throws {
    let other = KeysetKeyring(try .generate())
    let sealed = try await seal(as: form)
    for read in [
      sealed, try SealedEnvironment(variables: sealed.variables), try SealedEnvironment(document: document(sealed)),
    ] {
      let rewrapped = try await read.rewrapped(Rewrapping(adding: other), context: context, using: keyring)
      let opened = try await SealedEnvironment(document: document(rewrapped)).open(context: context, using: other)
      #expect(try opened.strings == Planted.values)
    }
    // Of a process, the plain variables are not known: an update keeps the tags, resealing cannot make them.
    let process = try SealedEnvironment(variables: sealed.variables)
    #expect(process.plain == nil)
    let updated = try await process.updated(to: OpenedEnvironment(["A": "1"]), context: context, using: keyring)
    #expect(try await open(document(updated)).strings == ["A": "1"])
    await expectError(.invalidArgument) {
      try await process.resealed(context: context, using: keyring, sealingWith: keyring)
    }
  }

  /// A sealed variable that a plain one replaces is missing, and the error says what stands in its place.
  @Test func namesWhatReplacesASealedVariable() async throws {
    let sealed = try await seal(as: .separate)
    let replaced = document(sealed).setting("TOKEN", toText: "mine")
    let error = await expectError(.variablesMissing, names: ["TOKEN"]) { try await open(replaced) }
    #expect(error?.message.contains("replaced by a plain one (TOKEN)") == true)
    await expectError(.variablesMissing, names: []) { try await replaced.open(context: context, using: keyring) }
    await expectError(.variablesMissing, names: ["TOKEN"]) { try await open(replaced, allowing: ["TOKEN"]) }
  }

  /// A plain variable never stands in for a sealed one of its name, even if it may differ.
  @Test func refusesANameThatIsBothSealedAndPlain() async throws {
    let sealed = try await seal(as: .packed)
    let both = document(sealed).setting("TOKEN", toText: "mine")
    await expectError(.plainVariablesAltered, names: ["TOKEN"]) { try await open(both) }
    await expectError(.plainVariablesAltered, names: ["TOKEN"]) { try await open(both, allowing: ["TOKEN"]) }
    for form in Self.forms {
      await expectError(.invalidArgument, names: ["TOKEN"]) { try await seal(beside: ["TOKEN": "x"], as: form) }
      for value in ["ev1:", "ev1:AAAA"] {
        await expectError(.invalidArgument, names: ["A"]) { try await seal(beside: ["A": value], as: form) }
      }
      await expectError(.invalidArgument) { try await seal(beside: ["ENVELOPE_HEADER": "x"], as: form) }
    }
  }

  @Test func thereIsAGreatestNumberOfPlainVariables() async throws {
    let plain = Dictionary(uniqueKeysWithValues: (0..<PlainTags.countLimit).map { ("N\($0)", "") })
    #expect(plain.count == 4095)
    for form in Self.forms {
      let sealed = try await seal(beside: plain, as: form)
      #expect(try await open(document(sealed, plain)).strings == Planted.values)
      await expectError(.invalidArgument) { try await seal(beside: plain.merging(["ONE": "more"]) { $1 }, as: form) }
    }
  }

  /// More variables than tags cannot all match, so no tag is computed and no name is listed.
  @Test(arguments: forms) func refusesTooManyPlainVariablesByCount(form: SealedEnvironment.Form) async throws {
    let sealed = try await seal(as: form)
    let many = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("N\($0)", "") })
    let padded = document(sealed, Self.plain.merging(many) { $1 })
    let error = await expectError(.plainVariablesAltered, names: []) { try await open(padded) }
    #expect(
      error?.message
        == "The document has 10003 plain variables, and at most 4095 can have been sealed with it")
    // Variables that may differ do not count.
    #expect(try await open(padded, allowing: Set(many.keys)).strings == Planted.values)
    let nearly = Set(many.keys.sorted().dropFirst(PlainTags.countLimit))
    let other = await expectError(.plainVariablesAltered, names: []) { try await open(padded, allowing: nearly) }
    #expect(other?.message.contains("4098 plain variables") == true)
  }

  /// A sealed variable is missing all the same, whatever stands there instead.
  @Test func reportsMissingVariableBesideTooManyPlainVariables() async throws {
    let sealed = try await seal(as: .separate)
    let many = Dictionary(uniqueKeysWithValues: (0..<5000).map { ("N\($0)", "") })
    var padded = document(sealed, many)
    padded["TOKEN"] = nil
    await expectError(.variablesMissing, names: []) { try await open(padded) }
  }

  @Test func showsAtMostTwentyNamesOfEachKind() async throws {
    let names = (100..<200).map { "N\($0)" }
    let plain = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
    let shown = names.prefix(20).joined(separator: ", ")
    let sealed = try await seal(beside: plain, as: .separate)
    let changed = document(sealed, plain.mapValues { _ in "2" })
    let error = await expectError(.plainVariablesAltered, names: names) { try await open(changed) }
    #expect(error?.message.hasSuffix("(changed: \(shown) and 80 more)") == true)
    let added = await expectError(.plainVariablesAltered, names: names) {
      try await open(document(seal(beside: [:], as: .separate), plain))
    }
    #expect(added?.message.hasSuffix("(added: \(shown) and 80 more)") == true)

    let many = try await SealedEnvironment.seal(plain, context: context, using: keyring)
    // Each variable gets the sealed text of the next.
    var altered = many.variables
    for (name, next) in zip(names, names.dropFirst() + names.prefix(1)) { altered[name] = many.variables[next] }
    let alteration = await expectError(.variablesAltered, names: names) { try await open(altered) }
    #expect(alteration?.message == "Variables were altered, swapped or renamed: \(shown) and 80 more")
    var replaced = many.variables
    for name in names { replaced[name] = "mine" }
    let replacement = await expectError(.variablesMissing, names: names) { try await open(replaced) }
    #expect(replacement?.message.hasSuffix("(\(shown) and 80 more)") == true)
  }

  @Test func aMergeShowsWhatDiffers() async throws {
    let sealed = try await seal(as: .separate)
    var plain = Self.plain
    (plain["LOG_LEVEL"], plain["EMPTY"], plain["PATH"]) = ("debug", nil, "/tmp")
    let merged = try SealedEnvironment(document: document(sealed, plain))
    let accepted = try await merged.acceptingMerge(context: context, using: keyring)
    #expect(accepted.plainDifference == PlainDifference(added: ["PATH"], changed: ["LOG_LEVEL"], missingCount: 1))
    #expect(accepted.plainDifference.description == "added: PATH; changed: LOG_LEVEL; 1 missing")
    #expect(!accepted.isGenerationReset)
    #expect(try await open(document(accepted.environment, plain)).strings == Planted.values)
    // Without the document, nobody knows what would be accepted.
    await expectError(.invalidArgument) {
      try await SealedEnvironment(variables: sealed.variables).acceptingMerge(context: context, using: keyring)
    }
  }

  /// A generation that was verified is followed, however far ahead it is.
  @Test(arguments: forms) func aVerifiedGenerationNeverFalls(form: SealedEnvironment.Form) async throws {
    let ahead = UInt32(Clock.now + 2 * 366 * 86_400)
    let sealed = try await SealedEnvironment.seal(
      OpenedEnvironment(["A": "1"]), beside: nil, as: form, context: context, using: keyring, generation: ahead)
    let resealed = try await sealed.resealed(context: context, using: keyring, sealingWith: keyring)
    #expect(resealed.generation == ahead + 1)
    let updated = try await resealed.updated(to: OpenedEnvironment(["A": "2"]), context: context, using: keyring)
    #expect(updated.generation == ahead + 2)
    await expectError(.staleGeneration) {
      try await sealed.open(context: context, using: keyring, minimumGeneration: resealed.generation)
    }
  }

  @Test func aDocumentIsReadStrictly() async throws {
    let sealed = try await seal(as: .separate)
    for name in ["É", "A-B", "1A", ""] {
      await expectError(.malformed) { try SealedEnvironment(document: document(sealed).setting(name, toText: "x")) }
    }
    let bytes = try OpenedEnvironment(capacity: 16) { (output, index) throws(EnvelopeError) in
      unsafe output.append((Array("ev1:".utf8) + [0xff]).span.bytes)
      try index.add("A", endingAt: output.byteCount)
    }
    await expectError(.malformed, names: ["A"]) { try SealedEnvironment(document: bytes) }
    await expectError(.noHeader) { try SealedEnvironment(document: ["A": "1"]) }
  }
}

extension Sequence {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async throws -> [T] {
    var results: [T] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
