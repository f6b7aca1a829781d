// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Both directions against an implementation in another language, and both refusing the same for the same reason.
@Suite(.serialized)
struct PythonTests {
  private typealias Outcome = PythonPeer.Outcome

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
    text = try Self.text(of: store)
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func environmentsSealedHereOpenThere(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    for context in Self.contexts {
      for form in [SealedEnvironment.Form.separate, .packed] {
        for key in ["first", "second.key-2"] {
          let values = Self.values(&random)
          let sealed = try await SealedEnvironment.seal(
            Self.environment(of: values), as: form, context: Self.context(context), using: store.keyring(for: key))
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
          let values = Self.values(&random)
          let variables = try python.seal(values, form: form, context: context, store: text, key: key)
          let outcome = try await open(variables, context: context)
          #expect(outcome == .made(values))
        }
      }
    }
  }

  @Test func valuesOpenBothWays() async throws {
    var random = SplitMix64(seed: 7)
    for context in Self.contexts {
      for length in [0, 1, 63, 64, 65, 1000, 70_000] {
        let (plaintext, data) = (random.bytes(length), random.bytes(length % 7))
        let here = try await Envelope.seal(
          plaintext, context: Self.context(context), authenticating: data, using: store.keyring())
        #expect(
          try python.openValue(here, authenticating: data, context: context, store: text) == .made(["": plaintext]))
        let there = try python.sealValue(plaintext, authenticating: data, context: context, store: text)
        let outcome = try await openValue(there, authenticating: data, context: context)
        #expect(outcome == .made(["": plaintext]))
      }
    }
  }

  @Test func valuesOfOneSealerOpenThere() async throws {
    let sealer = try await Sealer(context: ["table": "tokens"], using: store.keyring())
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
        let outcome = try python.open(sealed.variables, context: ["function": "f"], store: Self.text(of: one))
        #expect(outcome == .made(["A": Array("b".utf8)]))
      }
      var none = KeyStore()
      try none.add(.generate())
      let outcome = try python.open(sealed.variables, context: ["function": "f"], store: Self.text(of: none))
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
      try python.open(sealed.variables, context: [:], store: Self.text(of: after)) == .made(["A": Array("b".utf8)]))
    let new = try python.seal(["A": [2]], form: "packed", context: [:], store: Self.text(of: after))
    #expect(try SealedEnvironment(variables: new).wrappedKeys.map(\.keyID.string) == ["\(first.id).2"])
    await #expect(throws: EnvelopeError.self) {
      try await SealedEnvironment(variables: new).open(context: [:], using: KeysetKeyring(first))
    }
  }

  @Test func updatesOpenThere() async throws {
    let keyring = try store.keyring()
    let old = try python.seal(["A": [1], "B": [2], "C": [3]], form: "separate", context: [:], store: text)
    let values = try Self.environment(of: ["A": [1], "B": [9], "D": []])
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
        Self.environment(of: ["A": [1, 2, 3], "B": [], "C": random.bytes(40)]), as: form,
        context: Self.context(context), using: keyring)
      for _ in 0..<300 {
        let variables = Self.altered(sealed.variables, &random)
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

  @Test(arguments: [UInt64(12), 13])
  func alteredValuesAreRefusedAlike(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let both = [KeysetKeyring(first), KeysetKeyring(second)]
    let keyring = try MultiKeyring(Array(both.prefix(seed % 2 == 0 ? 2 : 1)))
    let envelope = try await Envelope.seal([1, 2, 3], context: ["a": "b"], authenticating: [4], using: keyring)
    for _ in 0..<600 {
      let bytes = Self.altered(envelope, &random)
      let there = try python.openValue(bytes, authenticating: [4], context: ["a": "b"], store: text)
      let here = try await openValue(bytes, authenticating: [4], context: ["a": "b"])
      #expect(here == there, "\(Envelope.text(of: bytes))")
      #expect(here != .made(["": [1, 2, 3]]), "It opened: \(Envelope.text(of: bytes))")
    }
  }

  // What this side says, in the words of the other.

  private func open(_ variables: [String: String], context: [String: String]) async throws -> Outcome {
    do {
      let opened = try await SealedEnvironment(variables: variables).open(
        context: Self.context(context), using: store.keyring())
      var values: [String: [UInt8]] = [:]
      for name in opened.names { values[name] = opened[name]?.vectorBytes }
      return .made(values)
    } catch let error as EnvelopeError {
      return .refused(error.code.rawValue, names: error.names)
    }
  }

  private func openValue(
    _ envelope: [UInt8], authenticating data: [UInt8], context: [String: String]
  ) async throws -> Outcome {
    do {
      let plaintext = try await Envelope.open(
        envelope, context: Self.context(context), authenticating: data, using: store.keyring())
      return .made(["": plaintext.vectorBytes])
    } catch let error as EnvelopeError {
      return .refused(error.code.rawValue, names: error.names)
    }
  }

  private static func context(_ pairs: [String: String]) -> EncryptionContext {
    EncryptionContext(pairs.map { (key: $0.key, value: $0.value) })
  }

  private static func text(of store: KeyStore) throws -> String {
    String(decoding: try store.text().vectorBytes, as: UTF8.self)
  }

  private static func environment(of values: [String: [UInt8]]) throws -> OpenedEnvironment {
    try OpenedEnvironment(capacity: values.reduce(0) { $0 + $1.value.count }) {
      (output, index) throws(EnvelopeError) in
      for (name, value) in values {
        for byte in value { output.append(byte) }
        try index.add(name, endingAt: output.byteCount)
      }
    }
  }

  // Seeded, so that a failure can be had again.

  private static func values(_ random: inout SplitMix64) -> [String: [UInt8]] {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")
    var values: [String: [UInt8]] = [:]
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let length = Int.random(in: 0...100, using: &random) == 0 ? 254 : Int.random(in: 0...20, using: &random)
      var name = String(letters[Int.random(in: 0..<53, using: &random)])
      for _ in 0..<length { name.append(letters[Int.random(in: 0..<63, using: &random)]) }
      values[name] = random.bytes(Int.random(in: 0...9, using: &random) == 0 ? 5000 : Int(random.next() % 50))
    }
    return values
  }

  /// Changes, removes or adds one byte of one variable, in its text or beneath it.
  private static func altered(_ variables: [String: String], _ random: inout SplitMix64) -> [String: String] {
    var altered = variables
    // Half of the changes go to what holds the header.
    let header = variables.keys.filter { $0.hasPrefix("ENVELOPE_") }
    let names = Bool.random(using: &random) ? header : variables.keys.sorted()
    guard let name = names.randomElement(using: &random), let text = variables[name] else { return altered }
    while altered == variables {
      if Bool.random(using: &random), let bytes = Base64URL.decode(text.utf8.dropFirst(4)) {
        altered[name] = text.prefix(4) + Base64URL.encode(Self.altered(bytes, &random))
      } else {
        let bytes = Self.altered(Array(text.utf8), &random).map { (0x20...0x7e).contains($0) ? $0 : 0x3d }
        altered[name] = String(decoding: bytes, as: UTF8.self)
      }
    }
    return altered
  }

  private static func altered(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var altered = bytes
    let index = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<10, using: &random) {
    case 0: altered.remove(at: index)
    case 1: altered.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
    case 2: altered.append(UInt8(truncatingIfNeeded: random.next()))
    case 3: altered.removeSubrange(index...)
    case 4: altered[index] = UInt8.random(in: 0...5, using: &random) ^ (bytes[index] < 6 ? 0 : 0x80)
    default: altered[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    return altered == bytes ? Self.altered(bytes, &random) : altered
  }
}
