// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeKit

/// Key stores of any content, read alike by an implementation in another language, and their rules followed alike.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct PythonStoreTests {
  private static let functions: [String?] = [nil, "checkout", "ordérs λ", "e\u{301}", "\u{e9}"]

  private let python: PythonPeer

  init() throws { python = try PythonPeer() }

  @Test(arguments: seeds)
  func storesAreReadAlike(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<60 {
      let (store, _) = try Self.store(&random)
      let text = try Here.text(of: store)
      #expect(try readThere(text) == (try Self.description(of: store)), "\(text)")
      #expect(try Self.readHere(text) == (try Self.description(of: store)), "\(text)")
    }
  }

  @Test(arguments: seeds)
  func damagedStoresAreReadOrRefusedAlike(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var refusals = 0
    for _ in 0..<25 {
      let (store, _) = try Self.store(&random)
      let text = try Here.text(of: store)
      for _ in 0..<40 {
        let damaged = Self.damaged(text, &random)
        let (here, there) = (try Self.readHere(damaged), try readThere(damaged))
        #expect(here == there, "\(damaged)")
        guard here.hasPrefix("{") else {
          refusals += 1
          continue
        }
        // What is read has one text, but for the order of aliases and a version that it does not need.
        let bytes = Array(damaged.utf8)
        let rewritten = try Here.text(of: unsafe KeyStore(text: bytes.span.bytes))
        #expect(Self.lines(rewritten) == Self.lines(damaged), "\(damaged)")
      }
    }
    #expect(refusals > 300)
  }

  @Test(arguments: seeds)
  func usesAreRefusedAlike(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    var outcomes: Set<String> = []
    for _ in 0..<40 {
      let (store, originals) = try Self.store(&random)
      let text = try Here.text(of: store)
      for original in originals {
        let function = Self.functions.randomElement(using: &random) ?? nil
        let context = function.map { ["function": $0] } ?? [:]
        let others = originals.shuffled(using: &random).prefix(2).filter { $0[0].id != original[0].id }
        let keyring = try MultiKeyring(
          ([original] + others).map { KeysetKeyring($0.randomElement(using: &random) ?? $0[0]) })
        let envelope = try await Envelope.seal([1], context: Here.context(context), suite: .tested, using: keyring)
        let here = try await Here.openValue(
          envelope, context: context, using: store.keyring(), anonymousSender: .accepted)
        let there = try python.openValue(
          envelope, authenticating: [], context: context, store: text, anonymousSender: .accepted)
        #expect(here == there, "\(text)")
        let sealedHere = await Self.code {
          try await Envelope.seal(
            [1], context: Here.context(context), suite: .tested, using: store.keyring(for: original[0].id.string))
        }
        let request: [String: Any] = [
          "store": text, "context": context, "key": original[0].id.string, "plaintext": "AQ", "associated_data": "",
        ]
        let sealedThere = try python.ask("seal-value", request)["error"] as? String ?? "success"
        #expect(sealedHere == sealedThere, "\(text)")
        if case .refused(let code, _) = here { outcomes.insert(code) }
        outcomes.insert("seal " + sealedHere)
      }
    }
    // A test that met one of them never would say nothing. One of a hundred seeds does not, but none of the fixed ones.
    guard seed <= 3 else { return }
    let codes = ["keyNotFound", "keyDisabled", "keyInvalidState", "keyAccessDenied", "keyVersionTooOld"]
    #expect(outcomes.isSuperset(of: codes + codes.dropLast().map { "seal " + $0 } + ["seal success"]))
  }

  private static func code<R>(_ body: () async throws -> R) async -> String {
    do {
      _ = try await body()
      return "success"
    } catch {
      return (error as? EnvelopeError)?.code.rawValue ?? "\(error)"
    }
  }

  // What each side says of a store: all but its secrets, or the error.

  private func readThere(_ text: String) throws -> String {
    let answer = try python.ask("read-store", ["store": text])
    return try answer["error"] as? String ?? Self.json(answer)
  }

  private static func readHere(_ text: String) throws -> String {
    let bytes = Array(text.utf8)
    do {
      return try description(of: unsafe KeyStore(text: bytes.span.bytes))
    } catch let error as EnvelopeError {
      return error.code.rawValue
    }
  }

  private static func description(of store: KeyStore) throws -> String {
    var keys: [String: Any] = [:]
    for keyset in store.keysets { keys[keyset.id.string] = try description(of: keyset) }
    return try json([
      "keys": keys, "aliases": store.aliases.mapValues(\.string), "audit": store.keepsAuditLog,
      "default": store.defaultKeyID?.string ?? NSNull(),
    ])
  }

  private static func description(of keyset: Keyset) throws -> [String: Any] {
    var (destroyed, pending): (Any, Any) = (NSNull(), NSNull())
    if case .destroyed(let time) = keyset.state { destroyed = time }
    if case .pendingDeletion(let time) = keyset.state { pending = time }
    var versions: [String: String] = [:]
    for version in keyset.versions {
      var secrets: [UInt8] = []
      for key in version.keys { secrets += try key.withBytes { [UInt8](copying: $0) } }
      versions["\(version.number)"] = try unsafe BLAKE2b.hash(
        32, personal: "read-store", message: secrets.span.bytes
      ).hex
    }
    let word: (FunctionScope) -> String = { $0.function.map { Base64URL.encode(Array($0.utf8)) } ?? "-" }
    let held = keyset.versions.map { ("\($0.number)", (keyset.scopes(of: $0) ?? []).map(word)) }
    return [
      "kind": Self.word(keyset.kind), "primary": keyset.primary, "destroyed": destroyed,
      "disabled": keyset.state == .disabled, "pending": pending, "minimum": keyset.minimumVersion,
      "rotation": keyset.rotationPeriod ?? NSNull(), "operations": keyset.policy.operations.map(\.rawValue).sorted(),
      "functions": (keyset.policy.functions ?? []).map(word), "narrowed": (keyset.scopes ?? []).map(word),
      "versions": versions, "held": Dictionary(uniqueKeysWithValues: held),
    ]
  }

  private static func word(_ kind: Keyset.Kind) -> String {
    switch kind {
    case .symmetric: "keyset"
    case .identity: "identity"
    case .postQuantumIdentity: "xwing-identity"
    }
  }

  private static func json(_ object: [String: Any]) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys), as: UTF8.self)
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map(String.init).dropFirst().sorted()
  }

  // Seeded, so that a failure can be had again (but for the secrets, which are random).

  /// A store, and its keys as they were, whole and enabled, after each rotation.
  private static func store(_ random: inout SplitMix64) throws -> (KeyStore, [[Keyset]]) {
    var (store, originals) = (KeyStore(), [[Keyset]]())
    for number in 0..<Int.random(in: 0...5, using: &random) {
      var keyset = try Keyset.generate(
        Int.random(in: 0..<3, using: &random) == 0 ? KEM.here[number % KEM.here.count].identity : .symmetric)
      originals.append([keyset])
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        keyset = try keyset.rotated()
        originals[number].append(keyset)
      }
      var alone = KeyStore()
      try alone.add(keyset, alias: "key-\(number)")
      if keyset.kind == .symmetric, Int.random(in: 0..<3, using: &random) == 0 {
        alone = try alone.exporting(keyset.id.string, narrowedTo: scopes(&random))
        // Joined from copies of before and after a rotation.
        var own = SplitMix64(seed: UInt64(number))
        if Bool.random(using: &own), let first = originals[number].first {
          var old = KeyStore()
          try old.add(first)
          _ = try alone.merge(old.exporting(keyset.id.string, narrowedTo: scopes(&own)))
        }
      }
      try change(keyset, in: &alone, &random)
      _ = try store.merge(alone)
    }
    if Bool.random(using: &random) { try store.startAuditLog() }
    return (store, originals)
  }

  private static func change(_ keyset: Keyset, in store: inout KeyStore, _ random: inout SplitMix64) throws {
    let id = keyset.id.string
    if Bool.random(using: &random) { try store.setRotationPeriod(days: .random(in: 1...2560, using: &random), of: id) }
    if Bool.random(using: &random) {
      try store.setMinimumVersion(.random(in: 1...keyset.primary, using: &random), of: id)
    }
    if Bool.random(using: &random) {
      let operations: Set<KeyPolicy.Operation> = [[.wrap], [.unwrap], [.wrap, .unwrap]][Int(random.next() % 3)]
      try store.setPolicy(
        KeyPolicy(functions: Bool.random(using: &random) ? nil : scopes(&random), operations: operations), of: id)
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1: try store.disable(id)
    case 2: try store.scheduleDeletion(of: id, afterDays: 7)
    case 3: _ = try store.scheduleDeletion(of: id, afterDays: 7, now: 0)
    case 4:
      _ = try store.scheduleDeletion(of: id, afterDays: 7, now: 0)
      _ = try store.destroyOverdue()
    default: break
    }
  }

  private static func scopes(_ random: inout SplitMix64) throws -> [FunctionScope] {
    let chosen = functions.shuffled(using: &random).prefix(.random(in: 1...functions.count, using: &random))
    return try chosen.map { try $0.map(FunctionScope.init(function:)) ?? .noFunction }
  }

  /// A change of a line, a word or a character.
  private static func damaged(_ text: String, _ random: inout SplitMix64) -> String {
    var lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let (line, other) = (
      Int.random(in: lines.indices, using: &random), Int.random(in: lines.indices, using: &random)
    )
    let word = Int.random(in: lines[line].indices, using: &random)
    let words = Array(Set(lines.joined())).sorted() + ["0", "1", "2", "-", "01", "state", "pending", "4294967296"]
    switch Int.random(in: 0..<8, using: &random) {
    case 0: lines.remove(at: line)
    case 1: lines.insert(lines[other], at: line)
    case 2: lines.swapAt(line, other)
    case 3: lines[line].remove(at: word)
    case 4: lines[line].insert(words.randomElement(using: &random) ?? "", at: word)
    case 5, 6: lines[line][word] = words.randomElement(using: &random) ?? ""
    default:
      let bytes = Here.altered(Array(text.utf8), &random).map { $0 == 10 || (0x20...0x7e).contains($0) ? $0 : 0x3d }
      return String(decoding: bytes, as: UTF8.self)
    }
    return lines.map { $0.joined(separator: " ") + "\n" }.joined()
  }
}
