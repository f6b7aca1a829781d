// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Both directions against an implementation in another language, and both refusing the same for the same reason.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct PythonTests {
  private static let contexts: [[String: String]] = [
    [:], ["function": "checkout"], ["app": "shop", "function": "ordérs λ", "stage": "prod"], ["Z": "1", "a": "2"],
  ]

  private let python: PythonPeer
  private let first: Keyset
  private let second: Keyset
  private let store: KeyStore
  private let text: String

  init() throws {
    python = try PythonPeer()
    first = try Keyset.generate()
    second = try Keyset.generate().rotated().rotated()
    var store = KeyStore()
    try store.add(first, alias: "first")
    try store.add(second, alias: "second.key-2")
    self.store = store
    text = try Here.text(of: store)
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func environmentsSealedHereOpenThere(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    for context in Self.contexts {
      for form in [SealedEnvironment.Form.separate, .packed] {
        for key in ["first", "second.key-2"] {
          let values = Here.values(&random)
          let sealed = try await SealedEnvironment.seal(
            Here.environment(of: values), as: form, context: Here.context(context), using: store.keyring(for: key))
          let outcome = try python.open(sealed.variables, context: context, store: text)
          #expect(outcome == .made(values))
        }
      }
    }
  }

  @Test(arguments: [UInt64(4), 5, 6])
  func environmentsSealedThereOpenHere(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    for context in Self.contexts {
      for form in ["separate", "packed"] {
        for key in [nil, "first", "second.key-2", second.id.string] {
          let values = Here.values(&random)
          let variables = try python.seal(values, form: form, context: context, store: text, key: key)
          let outcome = try await open(variables, context: context)
          #expect(outcome == .made(values))
        }
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func valuesOpenBothWays(suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: 7)
    for context in Self.contexts {
      for length in [0, 1, 63, 64, 65, 1000, 70_000] {
        let (plaintext, data) = (random.bytes(length), random.bytes(length % 7))
        let here = try await Envelope.seal(
          plaintext, context: Here.context(context), authenticating: data, suite: suite,
          using: store.keyring())
        #expect(
          try python.openValue(here, authenticating: data, context: context, store: text) == .made(["": plaintext]))
        let there = try python.sealValue(
          plaintext, authenticating: data, context: context, store: text, suite: suite)
        #expect(try Envelope.header(of: there).suite == suite)
        let outcome = try await openValue(there, authenticating: data, context: context)
        #expect(outcome == .made(["": plaintext]))
      }
    }
  }

  @Test(arguments: AlgorithmSuite.here) func valuesOfOneSealerOpenThere(suite: AlgorithmSuite) async throws {
    let sealer = try await Sealer(context: ["table": "tokens"], suite: suite, using: store.keyring())
    for row in 1...5 {
      let data = Array("row \(row)".utf8)
      let envelope = try sealer.seal([UInt8](repeating: UInt8(row), count: row), authenticating: data)
      let (context, other) = (["table": "tokens"], Array("row \(row + 1)".utf8))
      #expect(
        try python.openValue(envelope, authenticating: data, context: context, store: text)
          == .made(["": [UInt8](repeating: UInt8(row), count: row)]))
      #expect(
        try python.openValue(envelope, authenticating: other, context: context, store: text)
          == .refused("payloadAltered", names: []))
    }
  }

  @Test func anyOfSeveralKeysOpensThere() async throws {
    let keyring = try MultiKeyring([KeysetKeyring(first), KeysetKeyring(second)])
    for form in [SealedEnvironment.Form.separate, .packed] {
      let sealed = try await SealedEnvironment.seal(["A": "b"], as: form, context: ["function": "f"], using: keyring)
      for keyset in [first, second] {
        var one = KeyStore()
        try one.add(keyset)
        let outcome = try python.open(sealed.variables, context: ["function": "f"], store: Here.text(of: one))
        #expect(outcome == .made(["A": Array("b".utf8)]))
      }
      var none = KeyStore()
      try none.add(.generate())
      let outcome = try python.open(sealed.variables, context: ["function": "f"], store: Here.text(of: none))
      #expect(outcome == .refused("keyNotFound", names: []))
    }
  }

  @Test func rotatedKeysetsOpenWhatWasSealedBefore() async throws {
    let variables = try python.seal(["A": [1]], form: "separate", context: [:], store: text, key: "first")
    let sealed = try await SealedEnvironment.seal(["A": "b"], context: [:], using: KeysetKeyring(first))
    let rotated = try first.rotated()
    var after = KeyStore()
    try after.add(rotated)
    let here = try await SealedEnvironment(variables: variables).open(context: [:], using: KeysetKeyring(rotated))
    #expect(here["A"]?.vectorBytes == [1])
    #expect(
      try python.open(sealed.variables, context: [:], store: Here.text(of: after)) == .made(["A": Array("b".utf8)]))
    let new = try python.seal(["A": [2]], form: "packed", context: [:], store: Here.text(of: after))
    #expect(try SealedEnvironment(variables: new).wrappedKeys.map(\.keyID.string) == ["\(first.id).2"])
    await #expect(throws: EnvelopeError.self) {
      try await SealedEnvironment(variables: new).open(context: [:], using: KeysetKeyring(first))
    }
  }

  @Test func updatesOpenThere() async throws {
    let keyring = try store.keyring()
    let old = try python.seal(["A": [1], "B": [2], "C": [3]], form: "separate", context: [:], store: text)
    let values = try Here.environment(of: ["A": [1], "B": [9], "D": []])
    let new = try await SealedEnvironment(variables: old).updated(to: values, context: [:], using: keyring)
    #expect(new.variables["A"] == old["A"])
    #expect(new.variables["B"] != old["B"])
    #expect(try python.open(new.variables, context: [:], store: text) == .made(["A": [1], "B": [9], "D": []]))
    let stale = try python.open(
      new.variables, context: [:], store: text, minimumGeneration: new.generation + 1)
    #expect(stale == .refused("staleGeneration", names: []))
    var mixed = new.variables
    mixed["B"] = old["B"]
    #expect(try python.open(mixed, context: [:], store: text) == .refused("variablePutBack", names: []))
    mixed["C"] = old["C"]
    #expect(try python.open(mixed, context: [:], store: text) == .refused("variablesAdded", names: []))
  }

  @Test(arguments: [UInt64(8), 9, 10, 11])
  func alteredEnvironmentsAreRefusedAlike(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let context = Self.contexts[Int(seed) % Self.contexts.count]
    for form in [SealedEnvironment.Form.separate, .packed] {
      let both = [KeysetKeyring(first), KeysetKeyring(second)]
      let keyring = try MultiKeyring(Array(both.prefix(seed % 2 == 0 ? 2 : 1)))
      let sealed = try await SealedEnvironment.seal(
        Here.environment(of: ["A": [1, 2, 3], "B": [], "C": random.bytes(40)]), as: form,
        context: Here.context(context), using: keyring)
      for _ in 0..<300 {
        let variables = Here.altered(sealed.variables, &random)
        let there = try python.open(variables, context: context, store: text)
        let here = try await open(variables, context: context)
        #expect(here == there, "\(variables)")
        guard case .refused = here else {
          Issue.record("It opened: \(variables)")
          continue
        }
      }
    }
  }

  @Test(arguments: [UInt64(12), 13], AlgorithmSuite.here)
  func alteredValuesAreRefusedAlike(seed: UInt64, suite: AlgorithmSuite) async throws {
    var random = SplitMix64(seed: seed)
    let both = [KeysetKeyring(first), KeysetKeyring(second)]
    let keyring = try MultiKeyring(Array(both.prefix(seed % 2 == 0 ? 2 : 1)))
    let envelope = try await Envelope.seal(
      [1, 2, 3], context: ["a": "b"], authenticating: [4], suite: suite, using: keyring)
    for _ in 0..<600 {
      let bytes = Here.altered(envelope, &random)
      let there = try python.openValue(bytes, authenticating: [4], context: ["a": "b"], store: text)
      let here = try await openValue(bytes, authenticating: [4], context: ["a": "b"])
      #expect(here == there, "\(Envelope.text(of: bytes))")
      #expect(here != .made(["": [1, 2, 3]]), "It opened: \(Envelope.text(of: bytes))")
    }
  }

  private func open(_ variables: [String: String], context: [String: String]) async throws -> PythonPeer.Outcome {
    try await Here.open(variables, context: context, using: store.keyring())
  }

  private func openValue(
    _ envelope: [UInt8], authenticating data: [UInt8], context: [String: String]
  ) async throws -> PythonPeer.Outcome {
    try await Here.openValue(envelope, authenticating: data, context: context, using: store.keyring())
  }
}
