// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Somebody has a key narrowed to two functions, the envelopes of others, and the library's insides: nothing that they
/// make of it opens what belongs to a third function, to none, or what the whole key alone can.
@Suite(.timeLimit(.minutes(20))) struct NarrowedKeyAttackTests {
  private static let mine = ["a", "b"]
  private static let contexts: [EncryptionContext] = [
    ["function": "victim"], [:], ["function": "a\0"], ["function": "ab"], ["function": "A"],
  ]

  private let whole: KeyStore
  private let id: String
  /// What was handed out: all that the attacker has of the key.
  private let text: String
  private let keys: [[UInt8]]
  private let targets: [(context: EncryptionContext, entry: WrappedDataKey)]

  init() async throws {
    var store = KeyStore()
    try store.add(.generate().rotated(), alias: "main")
    whole = store
    id = store.keysets[0].id.string
    let narrowed = try store.exporting("main", narrowedTo: Self.mine.map { try FunctionScope(function: $0) })
    text = try narrowed.string
    keys = try narrowed.keysets[0].versions.flatMap(\.keys).map { try $0.withBytes { [UInt8](copying: $0) } }
    var targets: [(EncryptionContext, WrappedDataKey)] = []
    for context in Self.contexts {
      let envelope = try await Envelope.seal(
        Array(Planted.token.utf8), context: context, suite: .tested, using: store.keyring())
      targets.append((context, try Envelope.header(of: envelope).wrappedKeys[0]))
    }
    self.targets = targets
  }

  /// Whether a store opens any of the targets, under its own context or with what the attacker may claim.
  private func opens(_ store: KeyStore) async -> Bool {
    for (context, entry) in targets {
      for caller in [context] + Self.mine.map({ ["function": $0] as EncryptionContext }) {
        guard let claimed = try? caller.forKeyrings(.value) else { continue }
        for keyset in store.keysets {
          // Under every version's name, too.
          for number in 1...3 {
            guard let keyID = try? KeyID("\(keyset.id).\(number)"),
              let renamed = try? WrappedDataKey(scheme: .keyset, keyID: keyID, bytes: entry.bytes)
            else { continue }
            for entry in [entry, renamed]
            where (try? await KeysetKeyring(keyset).unwrap([entry], for: claimed)) != nil { return true }
          }
        }
      }
    }
    return false
  }

  /// The search is able to find: with the whole key in the attacker's hands, it does.
  @Test func theSearchWouldFindTheWholeKey() async throws {
    #expect(await opens(whole))
    #expect(try await opens(whole.exporting("main", narrowedTo: [.noFunction])))
    #expect(try await !opens(KeyStore(reading: text)))
  }

  /// Each key as the whole key, whatever narrowing is then derived of it.
  @Test func aNarrowedKeyIsNoParent() async throws {
    for key in keys {
      for number in 1...2 {
        let secret = Base64URL.encode(key)
        let store = try KeyStore(
          reading: "envelope-keys 1\nkeyset \(id) \(number)\nversion \(number) 0 \(secret)\ndefault \(id)\nend\n")
        #expect(await !opens(store))
        let scopes = try ["victim", "ab", "A"].map { try FunctionScope(function: $0) } + [.noFunction]
        #expect(try await !opens(store.exporting(id, narrowedTo: scopes)))
      }
    }
  }

  /// Each key and what can be derived of it, directly as the secret of an entry.
  @Test func noKeyAndNothingDerivedOfItOpens() throws {
    var candidates = keys
    for key in keys {
      let wrapping = try WrappingKey(in: GuardedMemory(capacity: 32) { unsafe $0.append(key.span.bytes) }, at: 0)
      for function in ["victim", "a", "b", "ab", nil] as [String?] {
        candidates.append(try wrapping.narrowed(to: function).copy())
      }
    }
    // And their sums, should the derivation be linear.
    for first in keys { for second in keys { candidates.append(zip(first, second).map { $0 ^ $1 }) } }
    for (context, entry) in targets {
      let data = try WrappedDataKey.associatedData(.keyset, keyID: entry.keyID, context: context)
      for key in candidates {
        let opened = try? AEAD.xChaCha20Poly1305.open(
          Array(entry.bytes.dropFirst(24)), authenticating: data, nonce: Array(entry.bytes.prefix(24)), key: key)
        #expect(opened == nil)
      }
    }
  }

  /// A copy for envelopes that name no function opens those, as it should, and is no parent of the others either.
  @Test func theKeyForNoFunctionIsNoParent() async throws {
    let narrowed = try whole.exporting("main", narrowedTo: [.noFunction])
    let keys = try narrowed.keysets[0].versions.flatMap(\.keys).map { try $0.withBytes { [UInt8](copying: $0) } }
    let scopes = try ["victim", "ab", "A", "a\0"].map { try FunctionScope(function: $0) } + [.noFunction]
    for key in keys {
      let store = try KeyStore(
        reading: "envelope-keys 1\nkeyset \(id) 2\nversion 2 0 \(Base64URL.encode(key))\ndefault \(id)\nend\n")
      let wrapping = try WrappingKey(in: GuardedMemory(capacity: 32) { unsafe $0.append(key.span.bytes) }, at: 0)
      let candidates = try [key] + scopes.map { try wrapping.narrowed(to: $0.function).copy() }
      for (context, entry) in targets where context.function != nil {
        await expectError(.unwrapFailed) { try await store.keyring().unwrap([entry], for: context) }
        await expectError(.unwrapFailed) { try await store.keyring().unwrap([entry], for: [:]) }
        let data = try WrappedDataKey.associatedData(.keyset, keyID: entry.keyID, context: context)
        for key in candidates {
          let opened = try? AEAD.xChaCha20Poly1305.open(
            Array(entry.bytes.dropFirst(24)), authenticating: data, nonce: Array(entry.bytes.prefix(24)), key: key)
          #expect(opened == nil)
        }
      }
    }
  }

  /// Every way to edit the text: functions renamed, added, dropped, swapped, versions relabelled, secrets exchanged.
  @Test func noEditOfTheTextOpens() async throws {
    let (a, b, victim) = ("YQ", "Yg", Base64URL.encode(Array("victim".utf8)))
    let lines = text.split(separator: "\n").map(String.init)
    let versions = lines.filter { $0.hasPrefix("version") }.map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains("narrowed \(a)") && lines.contains("narrowed \(b)") && versions.count == 2)
    var edits = [
      text.replacingLine("narrowed \(b)", with: ["narrowed \(victim)"]),
      text.replacingLine("narrowed \(a)", with: ["narrowed -"]),
      text.replacingLine("narrowed \(a)", with: ["narrowed QQ"]),
    ]
    // Half of each secret as a whole key.
    for half in 0..<2 {
      var edited = text.replacingLine("narrowed \(a)", with: []).replacingLine("narrowed \(b)", with: [])
      for (line, key) in zip(versions, stride(from: half, to: 4, by: 2)) {
        edited = edited.replacingLine(
          line.joined(separator: " "), with: ["version \(line[1]) \(line[2]) \(Base64URL.encode(keys[key]))"])
      }
      edits.append(edited)
      for scope in [victim, "-"] {
        edits.append(edited.replacingLine("keyset \(id) 2", with: ["keyset \(id) 2", "narrowed \(scope)"]))
      }
    }
    // The versions' secrets exchanged, and those of the functions.
    let swapped = [[keys[2], keys[3]], [keys[0], keys[1]]]
    let crossed = [[keys[1], keys[0]], [keys[3], keys[2]]]
    for secrets in [swapped, crossed] {
      var edited = text
      for (line, secret) in zip(versions, secrets) {
        edited = edited.replacingLine(
          line.joined(separator: " "),
          with: ["version \(line[1]) \(line[2]) \(Base64URL.encode(Array(secret.joined())))"])
      }
      edits += [edited, edited.replacingLine("narrowed \(b)", with: ["narrowed \(victim)"])]
    }
    for edit in edits {
      #expect(edit != text)
      let store = try KeyStore(reading: edit)
      #expect(await !opens(store), "\(edit)")
    }
    for edit in [
      text.replacingLine("narrowed \(b)", with: []), text.replacingLine("narrowed \(a)", with: ["narrowed \(b)"]),
      text.replacingLine("narrowed \(b)", with: ["narrowed \(b)", "narrowed \(victim)"]),
      text.replacingLine("keyset \(id) 2", with: ["identity \(id) 2"]),
    ] {
      await expectError(.keyStoreDamaged) { try KeyStore(reading: edit) }
    }
  }

  /// Whoever holds the whole key is not fooled by what a narrowed one seals under another name.
  @Test func whatItSealsForOthersOpensNowhere() async throws {
    let text = text.replacingLine("narrowed Yg", with: ["narrowed \(Base64URL.encode(Array("victim".utf8)))"])
    let forger = try KeyStore(reading: text)
    let sealed = try await Envelope.seal([1], context: Self.contexts[0], suite: .tested, using: forger.keyring())
    await expectError(.unwrapFailed) {
      try await Envelope.open(sealed, context: Self.contexts[0], using: whole.keyring())
    }
  }
}

extension String {
  /// The same lines with others in the place of one.
  func replacingLine(_ line: String, with lines: [String]) -> String {
    split(separator: "\n").flatMap { $0 == line ? lines : [String($0)] }.map { $0 + "\n" }.joined()
  }
}
