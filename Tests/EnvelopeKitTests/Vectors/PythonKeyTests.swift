// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import EnvelopeKit

/// Recipients, passphrases, narrowed keys and rewrapping, both ways against an implementation in another language.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct PythonKeyTests {
  private static let contexts: [[String: String]] = [
    [:], ["function": "checkout"], ["function": "ordérs λ", "a": "b"],
  ]
  private static let forms = [SealedEnvironment.Form.separate, .packed]
  // Cheap, so that hundreds can be tried.
  private static let cost = Argon2id.Cost(memoryLog2: 3, passes: 1)

  private let python: PythonPeer
  private let keyset: Keyset
  private let kem: KEM
  private let identity: Keyset
  private let store: KeyStore
  private let text: String

  init() throws {
    python = try PythonPeer()
    keyset = try Keyset.generate().rotated()
    // Either kind is tried, for the tests run with two versions of libsodium.
    kem = XWing.isAvailable ? .xWing : .x25519
    identity = try Keyset.generate(kem.identity).rotated()
    var store = KeyStore()
    try store.add(keyset, alias: "key")
    try store.add(identity, alias: "offline")
    self.store = store
    text = try Here.text(of: store)
  }

  @Test(arguments: [UInt64(1), 2])
  func whatIsSealedToARecipientOpensOnTheOtherSide(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let recipient = try identity.recipient()
    for context in Self.contexts {
      for form in Self.forms {
        let values = Here.values(&random)
        let sealed = try await SealedEnvironment.seal(
          Here.environment(of: values), as: form, context: Here.context(context), using: RecipientKeyring([recipient]))
        #expect(
          try python.open(sealed.variables, context: context, store: text, anonymousSender: .accepted) == .made(values))
        #expect(
          try python.open(sealed.variables, context: context, store: text) == .refused("anonymousSender", names: []))
        for holder in [PythonPeer.Holder.recipient(recipient.description), .store(text)] {
          let word = form == .packed ? "packed" : "separate"
          let variables = try python.seal(values, form: word, context: context, by: holder, key: "offline")
          let here = try await Here.open(
            variables, context: context, using: store.keyring(), anonymousSender: .accepted)
          #expect(here == .made(values))
          let refused = try await Here.open(variables, context: context, using: store.keyring())
          #expect(refused == .refused("anonymousSender", names: []))
          #expect(try SealedEnvironment(variables: variables).wrappedKeys.map(\.scheme) == [kem.scheme])
        }
      }
    }
  }

  @Test func aRecipientHasOneTextOnBothSides() throws {
    let recipient = try identity.recipient()
    let there = try python.ask("recipient", ["store": text, "key": identity.id.string])
    #expect(there["recipient"] as? String == recipient.description)
    let read = try python.ask("recipient", ["recipient": recipient.description])
    #expect(read["key_id"] as? String == "\(identity.id).2" && read["public"] as? String == recipient.publicKey.hex)
  }

  @Test(arguments: [UInt64(3), 4])
  func aMistypedRecipientIsRefusedOnBothSides(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let right = Array(try identity.recipient().description.utf8)
    for _ in 0..<300 {
      let bytes = Here.altered(right, &random).map { (0x20...0x7e).contains($0) ? $0 : 0x3d }
      let text = String(decoding: bytes, as: UTF8.self)
      guard bytes != right else { continue }
      let there = try python.ask("recipient", ["recipient": text])["error"] as? String
      #expect(there == "invalidArgument", "\(text)")
      #expect(throws: EnvelopeError.self, "\(text)") { try Recipient(text) }
    }
  }

  @Test(arguments: [UInt64(5), 6, 7])
  func whatIsUnderARecipientAndAlteredIsRefusedAlike(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let keyrings: [any Keyring] = [try RecipientKeyring([identity.recipient()]), KeysetKeyring(keyset)]
    let keyring = try MultiKeyring(Array(seed == 5 ? keyrings[..<1] : keyrings[...]))
    let envelope = try await Envelope.seal([1, 2, 3], context: ["a": "b"], suite: .tested, using: keyring)
    for _ in 0..<400 {
      let altered = Here.altered(envelope, &random)
      for sender in [AnonymousSender.accepted, .refused] {
        try await expectRefusedAlike(altered, using: store.keyring(), .store(text), sender)
      }
    }
  }

  @Test func aPassphraseOpensOnTheOtherSide() async throws {
    var random = SplitMix64(seed: 8)
    for words in [[0], Array("korrekt pferd ä".utf8), random.bytes(1000)] as [[UInt8]] {
      let keyring = try PassphraseKeyring(words[...].vectorSecret, cost: Self.cost)
      for context in Self.contexts {
        for form in Self.forms {
          let values = Here.values(&random)
          let sealed = try await SealedEnvironment.seal(
            Here.environment(of: values), as: form, context: Here.context(context), using: keyring)
          #expect(try python.open(sealed.variables, context: context, by: .passphrase(words)) == .made(values))
          let word = form == .packed ? "packed" : "separate"
          let variables = try python.seal(values, form: word, context: context, by: .passphrase(words, cost: [5, 2]))
          let here = try await Here.open(variables, context: context, using: keyring)
          #expect(here == .made(values))
          let other = PythonPeer.Holder.passphrase(words + [0])
          #expect(
            try python.open(sealed.variables, context: context, by: other) == .refused("unwrapFailed", names: []))
        }
      }
    }
  }

  @Test(arguments: [UInt64(9), 10])
  func whatIsUnderAPassphraseAndAlteredIsRefusedAlike(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let words = random.bytes(20)
    let keyring = try PassphraseKeyring(words[...].vectorSecret, cost: Self.cost)
    let envelope = try await Envelope.seal([1, 2, 3], context: ["a": "b"], suite: .tested, using: keyring)
    let cost = 26 + 2 + 12 + 2
    for _ in 0..<300 {
      let altered = Here.altered(envelope, &random)
      // One that is allowed, and that takes most of a second, is not tried here.
      guard altered.count < envelope.count || altered[cost] < 13 || altered[cost] > 20 else { continue }
      try await expectRefusedAlike(altered, using: keyring, .passphrase(words))
    }
    for _ in 0..<300 {
      var altered = envelope
      altered[cost] = .random(in: 0...255, using: &random)
      altered[cost + 1] = .random(in: 0...255, using: &random)
      guard altered[cost] > 20 || altered[cost] < 3 || altered[cost + 1] == 0 else { continue }
      try await expectRefusedAlike(altered, using: keyring, .passphrase(words), .refused, "malformed")
    }
  }

  @Test func aNewEntryOfAPassphraseCostsWhatTheFormatSays() async throws {
    let words = Array("words".utf8)
    let keyring = try PassphraseKeyring(words[...].vectorSecret)
    let envelope = try await Envelope.seal([1], context: [:], suite: .tested, using: keyring)
    let header = try Envelope.header(of: envelope)
    #expect(header.wrappedKeys[0].bytes.prefix(2) == [18, 3] && header.bytes.count == 180)
    #expect(
      try python.openValue(envelope, authenticating: [], context: [:], by: .passphrase(words)) == .made(["": [1]]))
  }

  @Test(arguments: [UInt64(11), 12])
  func aNarrowedKeyIsTheWholeOneForItsFunctions(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let scopes = [FunctionScope.noFunction] + (try ["checkout", "ordérs λ"].map(FunctionScope.init(function:)))
    let (whole, data) = (text, random.bytes(3))
    for context in Self.contexts {
      let own =
        try FunctionScope.noFunction.function == context["function"]
        ? FunctionScope.noFunction : FunctionScope(function: context["function"] ?? "")
      for count in 1...3 {
        let chosen = Array(scopes.shuffled(using: &random).prefix(count))
        let narrowed = try store.exporting("key", narrowedTo: chosen)
        let text = try Here.text(of: narrowed)
        let ofWhole = try python.sealValue(
          [7], authenticating: data, context: context, store: whole, suite: .tested)
        let there = try python.openValue(ofWhole, authenticating: data, context: context, store: text)
        let here = try await Here.openValue(
          ofWhole, authenticating: data, context: context, using: narrowed.keyring())
        #expect(here == there)
        #expect(here == (chosen.contains(own) ? .made(["": [7]]) : .refused("keyNotFound", names: [])))
        guard chosen.contains(own) else { continue }
        let byNarrowedHere = try await Envelope.seal(
          [8], context: Here.context(context), authenticating: data, suite: .tested, using: narrowed.keyring())
        let byNarrowedThere = try python.sealValue(
          [8], authenticating: data, context: context, store: text, suite: .tested)
        for envelope in [byNarrowedHere, byNarrowedThere] {
          #expect(envelope.count == ofWhole.count)
          #expect(
            try python.openValue(envelope, authenticating: data, context: context, store: whole) == .made(["": [8]]))
          let here = try await Here.openValue(
            envelope, authenticating: data, context: context, using: store.keyring())
          #expect(here == .made(["": [8]]))
        }
      }
    }
  }

  @Test func whatIsRewrappedOpensThereAndKeepsItsBytes() async throws {
    let context = ["function": "checkout"]
    let change = Rewrapping.replacingAllReaders(with: try RecipientKeyring([identity.recipient()]))
    let adding = Rewrapping(adding: try RecipientKeyring([identity.recipient()]))
    var offline = KeyStore()
    try offline.add(identity)
    let old = try python.sealValue([1, 2, 3], authenticating: [4], context: context, store: text)
    let new = try await Envelope.rewrap([old], adding, context: Here.context(context), using: store.keyring())[0]
    let (before, after) = (try Envelope.header(of: old), try Envelope.header(of: new))
    #expect(before.salt == after.salt && before.commitment == after.commitment && before.tag != after.tag)
    #expect(after.wrappedKeys.prefix(1) == before.wrappedKeys[...] && after.wrappedKeys.count == 2)
    #expect(old.dropFirst(before.bytes.count) == new.dropFirst(after.bytes.count))
    for store in [text, try Here.text(of: offline)] {
      #expect(
        try python.openValue(new, authenticating: [4], context: context, store: store, anonymousSender: .accepted)
          == .made(["": [1, 2, 3]]))
    }
    // What a recipient's keyring wrapped, it cannot read back.
    await expectError(.entryNotReadBack) {
      try await Envelope.rewrap([old], change, context: Here.context(context), using: store.keyring())
    }
    let variables = try python.seal(["A": [1]], form: "separate", context: context, store: text)
    let sealed = try await SealedEnvironment(variables: variables).rewrapped(
      adding, context: Here.context(context), using: store.keyring())
    #expect(sealed.variables["A"] == variables["A"])
    #expect(
      try python.open(sealed.variables, context: context, store: Here.text(of: offline), anonymousSender: .accepted)
        == .made(["A": [1]]))
  }

  @Test func whoeverWasRemovedReadsWhatIsSetUnderADataKeyThatWasKept() async throws {
    let (context, keyring) = (EncryptionContext(), try store.keyring(for: "key"))
    let both = try MultiKeyring([keyring, RecipientKeyring([identity.recipient()])])
    let old = try await SealedEnvironment.seal(["A": "old"], context: context, using: both)
    let removing = Rewrapping(adding: nil) { [kem] in $0.scheme == kem.scheme }
    await expectError(.invalidArgument) { try await old.rewrapped(removing, context: context, using: keyring) }
    let kept = try await old.rewrapped(removing, context: context, using: keyring, allowingFormerReadersToForge: true)
    let resealed = try await old.resealed(context: context, using: keyring, sealingWith: keyring)
    var offline = KeyStore()
    try offline.add(identity)
    for (sealed, outcome) in [
      (kept, PythonPeer.Outcome.made(["A": Array("new".utf8)])),
      (resealed, .refused("variablesAltered", names: ["A"])),
    ] {
      let new = try await sealed.updated(
        to: Here.environment(of: ["A": Array("new".utf8)]), context: context, using: keyring)
      #expect(
        try python.open(new.variables, context: [:], store: Here.text(of: offline))
          == .refused("keyNotFound", names: []))
      // The trailer is not bound to the wrapped keys: behind the old header it verifies, if the data key is the same.
      let trailer = try new.variables.bytes(of: "ENVELOPE_HEADER").suffix(38)
      let variables = new.variables.setting("ENVELOPE_HEADER", to: old.header.bytes + trailer)
      #expect(
        try python.open(variables, context: [:], store: Here.text(of: offline), anonymousSender: .accepted) == outcome)
    }
  }

  @Test func aLockedStoreIsAValueOfThisForm() async throws {
    let (words, data) = (Array("words".utf8), Array("envelope-keys".utf8))
    let context = ["purpose": "envelope-keys"]
    let keyring = try PassphraseKeyring(words[...].vectorSecret, cost: Self.cost)
    let locked = try await LockedKeyStore.seal(store, using: keyring)
    let envelope = try Envelope.bytes(ofText: String(decoding: locked.dropLast(), as: UTF8.self))
    #expect(locked.last == UInt8(ascii: "\n"))
    #expect(
      try python.openValue(
        envelope, authenticating: data, context: context, by: .passphrase(words), kind: "key-store")
        == .made(["": Array(text.utf8)]))
    #expect(
      try python.openValue(envelope, authenticating: data, context: context, by: .passphrase(words))
        == .refused("unwrapFailed", names: []))

    func lock(
      _ text: String, data: [UInt8], context: [String: String], kind: String? = "key-store"
    ) throws -> [UInt8] {
      let envelope = try python.sealValue(
        Array(text.utf8), authenticating: data, context: context, by: .passphrase(words), kind: kind)
      return Array((Envelope.text(of: envelope) + "\n").utf8)
    }
    let there = try lock(text, data: data, context: context)
    #expect(try await Here.text(of: LockedKeyStore.open(there, using: keyring)) == text)
    for (text, code) in [
      (try lock(text, data: [], context: context), EnvelopeError.Code.payloadAltered),
      (try lock(text, data: data, context: [:]), .contextDiffers),
      (try lock(text, data: data, context: context.merging(["function": "f"]) { $1 }), .contextDiffers),
      (try lock(text, data: data, context: context, kind: nil), .unwrapFailed),
      (try lock(text, data: data, context: context, kind: "environment"), .unwrapFailed),
      (try lock("", data: data, context: context), .keyStoreDamaged),
      (try lock(text + "\n", data: data, context: context), .keyStoreDamaged),
      (try lock("envelope-keys 3\nend\n", data: data, context: context), .unsupportedVersion),
      (there.dropLast(), .keyStoreDamaged), (there + [10], .malformed),
    ] {
      await expectError(code) { try await LockedKeyStore.open(Array(text), using: keyring) }
    }
    // A character less leaves spare bits that are not zero, or by chance a text that is canonical.
    await expectError(.malformed, .payloadAltered) {
      try await LockedKeyStore.open(there.dropLast(2) + [10], using: keyring)
    }
  }

  /// A locked store under a recipient opens without a caller who accepts an anonymous sender.
  @Test func lockedStoreUnderRecipientOpensOnBothSides() async throws {
    let (data, context) = (Array("envelope-keys".utf8), ["purpose": "envelope-keys"])
    var offline = KeyStore()
    try offline.add(identity)
    let (recipient, holder) = (try identity.recipient(), PythonPeer.Holder.store(try Here.text(of: offline)))
    let locked = try await LockedKeyStore.seal(store, using: RecipientKeyring([recipient]))
    let envelope = try Envelope.bytes(ofText: String(decoding: locked.dropLast(), as: UTF8.self))
    #expect(
      try python.openValue(envelope, authenticating: data, context: context, by: holder, kind: "key-store")
        == .made(["": Array(text.utf8)]))
    let there = try python.sealValue(
      Array(text.utf8), authenticating: data, context: context, by: .recipient(recipient.description),
      kind: "key-store")
    let opened = try await LockedKeyStore.open(
      Array((Envelope.text(of: there) + "\n").utf8), using: offline.keyring())
    #expect(try Here.text(of: opened) == text)
  }

  /// Expects that both sides refuse an envelope of the context a=b, with the same code.
  private func expectRefusedAlike(
    _ envelope: [UInt8], using keyring: some Keyring, _ holder: PythonPeer.Holder,
    _ sender: AnonymousSender = .refused, _ code: String? = nil
  ) async throws {
    let there = try python.openValue(
      envelope, authenticating: [], context: ["a": "b"], by: holder, anonymousSender: sender)
    let here = try await Here.openValue(envelope, context: ["a": "b"], using: keyring, anonymousSender: sender)
    #expect(here == there, "\(Envelope.text(of: envelope))")
    guard case .refused(let refused, _) = here, code == nil || refused == code else {
      Issue.record("It was not refused so: \(here) \(Envelope.text(of: envelope))")
      return
    }
  }
}
