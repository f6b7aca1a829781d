// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Documents with plain variables, in both directions and refused alike by an implementation in another language.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct PythonDocumentTests {
  private static let context = ["function": "checkout", "app": "shop"]
  private static let forms = [SealedEnvironment.Form.separate, .packed]

  private let python: PythonPeer
  private let store: KeyStore
  private let text: String

  init() throws {
    python = try PythonPeer()
    var store = KeyStore()
    try store.add(.generate(), alias: "key")
    self.store = store
    text = try Here.text(of: store)
  }

  @Test(arguments: [UInt64(1), 2])
  func documentsSealedHereOpenThere(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    for form in Self.forms {
      for _ in 0..<10 {
        let values = Here.values(&random)
        let plain = Self.plain(&random).filter { values[$0.key] == nil }
        let document = try await seal(values, beside: plain, as: form)
        let outcome = try python.open(document, context: Self.context, store: text, asDocument: true)
        #expect(outcome == .made(values), "\(document)")
      }
    }
  }

  @Test(arguments: [UInt64(3), 4])
  func documentsSealedThereOpenHere(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    for form in ["separate", "packed"] {
      for _ in 0..<10 {
        let values = Here.values(&random)
        let plain = Self.plain(&random).filter { values[$0.key] == nil }
        let document = try python.seal(values, beside: plain, form: form, context: Self.context, store: text)
        for (name, value) in plain { #expect(document[name] == value) }
        let here = try await open(document, asDocument: true)
        #expect(here == .made(values), "\(document)")
      }
    }
  }

  @Test(arguments: [UInt64(5), 6, 7])
  func changedDocumentsAreRefusedAlike(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    var codes: Set<String> = []
    for form in Self.forms {
      let plain = ["LOG_LEVEL": "info", "REGION": "eu", "TITLE": "Ka\u{308}se", "EMPTY": ""]
      let document = try await seal(["A": [1], "B": [], "C": [2, 3]], beside: plain, as: form)
      let names = (plain.keys + ["A", "B", "C", "ADDED"]).sorted()
      for _ in 0..<200 {
        var changed = document
        for _ in 0..<Int.random(in: 1...2, using: &random) { Self.change(&changed, names: names, &random) }
        let count = Int.random(in: 0...2, using: &random)
        let allowed = Set(names.shuffled(using: &random).prefix(count))
        for asDocument in [true, false] {
          let here = try await open(changed, asDocument: asDocument, allowing: allowed)
          let there = try python.open(
            changed, context: Self.context, store: text, asDocument: asDocument, allowing: allowed)
          #expect(here == there, "\(changed), allowing \(allowed.sorted())")
          if case .refused(let code, _) = here { codes.insert(code) } else { codes.insert("success") }
        }
      }
    }
    #expect(codes.isSuperset(of: ["plainVariablesAltered", "variablesMissing", "success"]))
  }

  @Test func wrongPlainVariablesAreNotSealedThere() throws {
    for plain in [["A": "also sealed"], ["B": "ev1:AAAA"], ["ENVELOPE_HEADER": ""], ["ENVELOPE_SEALED": "x"]] {
      for form in ["separate", "packed"] {
        #expect(throws: PythonPeer.Failure.self) {
          try python.seal(["A": [1]], beside: plain, form: form, context: Self.context, store: text)
        }
      }
    }
  }

  private func seal(
    _ values: [String: [UInt8]], beside plain: [String: String], as form: SealedEnvironment.Form
  ) async throws -> [String: String] {
    let sealed = try await SealedEnvironment.seal(
      Here.environment(of: values), beside: OpenedEnvironment(plain), as: form, context: Here.context(Self.context),
      using: store.keyring())
    return sealed.variables.merging(plain) { $1 }
  }

  private func open(
    _ document: [String: String], asDocument: Bool, allowing allowed: Set<String> = []
  ) async throws -> PythonPeer.Outcome {
    try await Here.open(
      document, context: Self.context, using: store.keyring(), asDocument: asDocument, allowing: allowed)
  }

  private static func plain(_ random: inout SplitMix64) -> [String: String] {
    let pieces = ["a", "B", "0", " ", "\n", "=", "\0", "\u{e9}", "e\u{301}", "\u{1f511}", "ev1:", "ek1:"]
    var plain: [String: String] = [:]
    for index in 0..<Int.random(in: 0...12, using: &random) {
      var value = ""
      for _ in 0..<Int.random(in: 0...8, using: &random) { value += pieces.randomElement(using: &random) ?? "" }
      if value.utf8.starts(with: "ev1:".utf8) { value = " " + value }
      plain["PLAIN_\(index)"] = value
    }
    return plain
  }

  /// Changes, empties, removes, renames, swaps or adds a variable; one that is sealed may become plain.
  private static func change(_ document: inout [String: String], names: [String], _ random: inout SplitMix64) {
    guard let name = names.randomElement(using: &random), let other = names.randomElement(using: &random) else {
      return
    }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: document[name] = (document[name] ?? "") + "x"
    case 1: document[name] = ""
    case 2: document[name] = nil
    case 3: (document[name], document[other]) = (document[other], document[name])
    case 4: document[other] = document.removeValue(forKey: name)
    default: document["ADDED"] = document[name] ?? "x"
    }
  }
}
