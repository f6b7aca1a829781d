// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import EnvelopeKit

/// Whatever is printed, dumped or reflected, no secret shows.
@Suite(.timeLimit(.minutes(20))) struct RedactionTests {
  /// Public types that nothing can be said about: no instances, nothing inside but a path, or noncopyable, which is
  /// to say that they cannot be put into `Any`, so not be printed, dumped or reflected at all; the compiler sees to
  /// that.
  private static let unprintable: Set<String> = [
    "Envelope", "Keyring", "EnvelopeObserver", "DataKey", "SecretBytes", "GeneratedDataKey", "UnwrappedDataKey",
    "StreamSealer", "StreamOpener", "RecordReader", "ClearPairs",
  ]

  /// An instance of every other public type, as many as hold or touch a secret made with planted ones.
  private static func instances() async throws -> [(type: String, value: Any)] {
    try await keyInstances() + recipientInstances() + streamInstances()
  }

  /// Streams that have collected a secret and not passed it on.
  private static func streamInstances() async throws -> [(type: String, value: Any)] {
    let keyring = KeysetKeyring(try plantedKeyset())
    let pieces = SecretPieces(pieces: [Planted.dataKey, Array(Planted.password.utf8)])
    let sealing = pieces.sealed(context: [:], using: keyring)
    let opening = pieces.opened(context: [:], using: keyring)
    var (sealed, opened) = (sealing.makeAsyncIterator(), opening.makeAsyncIterator())
    _ = try await sealed.next()
    _ = try? await opened.next()
    let salt = Planted.dataKey
    let segment = unsafe SegmentID(salt: salt.span.bytes)
    let finding = RecordFinding(.altered, segment: nil, line: 1)
    return [
      ("RecordType", RecordType.log), ("RecordFinding", finding), ("Kind", finding.kind),
      ("Tag", ClearPairs.Tag.string),
      ("Item", RecordReader.Item.finding(finding)), ("Order", RecordReader.Order.complete),
      ("Origin", RecordReader.Origin(type: .log, segment: segment, sequence: 1, line: 1)),
      ("ChunkSize", ChunkSize.standard), ("SealedByteSequence", sealing), ("OpenedByteSequence", opening),
      ("AsyncIterator", sealed), ("AsyncIterator", opened), ("AsyncIterator", sealing.makeAsyncIterator()),
    ]
  }

  /// A sequence that shows what it holds.
  private struct SecretPieces: AsyncSequence, AsyncIteratorProtocol, Sendable {
    var pieces: [[UInt8]]

    func makeAsyncIterator() -> SecretPieces { self }
    mutating func next() async throws -> [UInt8]? { pieces.isEmpty ? nil : pieces.removeFirst() }
  }

  /// A keyset that has the planted secret for its key.
  private static func plantedKeyset(_ kind: Keyset.Kind = .symmetric) throws -> Keyset {
    let secret = Planted.wrappingKey
    let memory = try GuardedMemory(capacity: 32) { unsafe $0.append(secret.span.bytes) }
    let version = Keyset.Version(number: 1, created: 0, keys: [try WrappingKey(in: memory, at: 0)])
    return try Keyset(id: KeyID("abcdefghijkl"), kind: kind, versions: [version], primary: 1)
  }

  /// What came with identities, states, passphrases and observers.
  private static func recipientInstances() async throws -> [(type: String, value: Any)] {
    let context: EncryptionContext = ["function": "f"]
    let (keyset, identity) = (try plantedKeyset(), try plantedKeyset(.identity))
    let recipient = try identity.recipient()
    let recipients = try RecipientKeyring([recipient])
    let passphrase = try PassphraseKeyring(SecretBytes(Array(Planted.password.utf8)), cost: .cheap)
    var store = KeyStore()
    try store.add(keyset, alias: "planted")
    store.reportUses { _ in }
    let narrowed = try store.exporting("planted", narrowedTo: [FunctionScope(function: "f"), .noFunction])
    let recorder = EventRecorder()
    let observed = ObservedKeyring(try store.keyring(), observer: recorder)
    let dataKey = try DataKey(copying: Planted.dataKey)
    for keyring in [observed, recipients, passphrase] as [any Keyring] {
      _ = try? await keyring.unwrap(keyring.wrap(dataKey, for: context), for: context)
      _ = try? await keyring.unwrap(keyring.wrap(dataKey, for: context), for: [:])
    }
    _ = try? await observed.unwrap(observed.wrap(dataKey, for: context), for: [:])
    let events = recorder.events
    let use = KeyUse(.unwrap, of: keyset.id, function: "f", failure: .unwrapFailed)
    let policy = try KeyPolicy(functions: [.noFunction], operations: [.wrap])
    return [
      ("Keyset", identity), ("Keyset", narrowed.keysets[0]), ("KeyStore", narrowed), ("Kind", identity.kind),
      ("State", keyset.state), ("State", Keyset.State.pendingDeletion(at: 1)), ("Recipient", recipient),
      ("RecipientKeyring", recipients), ("KeysetKeyring", try store.keyring()), ("PassphraseKeyring", passphrase),
      ("FunctionScope", FunctionScope.noFunction), ("KeyPolicy", policy), ("Operation", KeyPolicy.Operation.wrap),
      ("Operation", KeyUse.Operation.wrap), ("KeyUse", use), ("ObservedKeyring", observed),
      ("Kind", EnvelopeEvent.Kind.opened), ("Rewrapping", Rewrapping.replacingAllReaders(with: passphrase)),
      ("Rewrapping", Rewrapping(adding: observed)), ("AnonymousSender", AnonymousSender.accepted),
      ("PlainDifference", PlainDifference(added: ["A"], changed: ["B"], missingCount: 1)),
      ("MergedKey", try mergedKey()), ("Outcome", try mergedKey().outcome),
    ] + events.map { ("EnvelopeEvent", $0) }
  }

  /// A key that another store with the planted secret gave.
  private static func mergedKey() throws -> MergedKey {
    var (store, other) = (KeyStore(), KeyStore())
    try other.add(plantedKeyset())
    return try #require(store.merge(other).first)
  }

  private static func keyInstances() async throws -> [(type: String, value: Any)] {
    let context: EncryptionContext = ["function": "f"]
    let wrappingKey = Planted.wrappingKey
    let memory = try GuardedMemory(capacity: 32) { (output) throws(EnvelopeError) in
      unsafe output.append(wrappingKey.span.bytes)
    }
    let key = try WrappingKey(in: memory, at: 0)
    let version = Keyset.Version(number: 1, created: 0, keys: [key])
    let keyset = try Keyset(id: KeyID("abcdefghijkl"), versions: [version], primary: 1)
    let local = KeysetKeyring(keyset, alsoUnwrappingWith: [keyset])
    let stub = StubKeyring(keyID: "stub", dataKey: Planted.dataKey)
    // The stub's wrapping protects nothing, so the data key is wrapped by the keyset alone.
    let generating = PlantedKeyring(keyring: local)
    let multi = try MultiKeyring([generating, local])
    let sealer = try await Sealer(context: context, suite: .tested, using: generating)
    let envelope = try sealer.seal(Array(Planted.token.utf8), authenticating: [1])
    let opener = try await Opener(for: envelope, context: context, using: local)
    let sealed = try await SealedEnvironment.seal(Planted.values, context: context, using: generating)
    let packed = try await SealedEnvironment.seal(Planted.values, as: .packed, context: context, using: generating)
    let document = try await SealedEnvironment.seal(
      ["A": "1"], beside: Planted.values, context: context, using: generating)
    let accepted = try await document.acceptingMerge(context: context, using: generating)
    let opened = try await sealed.open(context: context, using: local)
    let secret = try opened.require("PASSWORD")
    let handler = HandlerSecrets(using: local, function: "f", variables: sealed.variables)
    _ = try await handler.opened()
    var store = KeyStore()
    try store.add(keyset, alias: "planted")
    let cache = try CachingKeyring(local, maximumAge: .seconds(60))
    _ = try await sealed.open(context: context, using: cache)
    let caching = try CachingSealer(using: generating, suite: .tested, maximumAge: .seconds(60))
    _ = try await caching.seal(Array(Planted.token.utf8), context: context, authenticating: [1])
    let missing = await expectError(.keyNotFound) { try await sealed.open(context: context, using: stub) }
    return [
      ("GuardedMemory", memory), ("WrappingKey", key), ("Version", version), ("Keyset", keyset),
      ("KeyStore", store), ("KeysetKeyring", local), ("MultiKeyring", multi), ("Sealer", sealer), ("Opener", opener),
      ("SealedEnvironment", sealed), ("SealedEnvironment", packed), ("Form", packed.form),
      ("SealedEnvironment", document), ("AcceptedMerge", accepted),
      ("OpenedEnvironment", opened), ("OpenedEnvironment", try OpenedEnvironment(Planted.values)),
      ("Redactor", try Redactor(opened)),
      ("Secret", secret), ("HandlerSecrets", handler), ("EncryptionContext", context),
      ("WrappedDataKey", try #require(sealed.wrappedKeys.first)), ("KeyID", keyset.id),
      ("WrappingScheme", WrappingScheme.keyset), ("AlgorithmSuite", AlgorithmSuite.aegis256),
      ("EnvelopeError", try #require(missing)),
      ("Code", EnvelopeError.Code.keyNotFound), ("CachingKeyring", cache), ("CachingSealer", caching),
      (
        "StaleUse",
        CachingKeyring.StaleUse(
          source: try #require(sealed.wrappedKeys.first), overdue: .zero, failure: missing)
      ),
    ]
  }

  /// Generates the planted data key, and leaves wrapping to a keyset.
  private struct PlantedKeyring: Keyring {
    let keyring: KeysetKeyring

    func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
      let key = try DataKey(copying: Planted.dataKey)
      let wrapped = try await keyring.wrap(key, for: context)
      return GeneratedDataKey(dataKey: key, wrapped: wrapped)
    }

    func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
      try await keyring.wrap(dataKey, for: context)
    }

    func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
      try await keyring.unwrap(wrapped, for: context)
    }
  }

  @Test func noSecretIsShown() async throws {
    for (type, value) in try await Self.instances() {
      let inContainers: [Any] = [value, [value], ["key": value], Optional(value) as Any, (1, value)]
      for value in inContainers {
        #expect(plantedSecrets(in: shown(value)) == [], "\(type)")
      }
    }
  }

  /// A test that could not find a secret would prove nothing.
  @Test func theSearchFindsWhatIsShown() {
    struct Careless {
      let secret: [UInt8]
    }
    for text in Planted.texts {
      #expect(!plantedSecrets(in: shown(Careless(secret: Array(text.utf8)))).isEmpty)
      #expect(!plantedSecrets(in: shown(["password": text])).isEmpty)
      #expect(!plantedSecrets(in: "key=" + Array(text.utf8).hex).isEmpty)
      #expect(!plantedSecrets(in: Data(text.utf8).base64EncodedString()).isEmpty)
    }
    #expect(!plantedSecrets(in: shown(Planted.dataKey)).isEmpty)
    #expect(!plantedSecrets(in: shown(EnvelopeError(.malformed, Planted.password))).isEmpty)
  }

  /// A public type that is new here must be put into one of the two lists; those of other modules with secrets have
  /// lists of their own, in those modules' tests.
  @Test func everyPublicTypeIsChecked() async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    let sources = root.appending(path: "Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let elsewhere = [
      "EnvelopeKitTesting", "EnvelopeKitAWS", "EnvelopeKitArchives", "EnvelopeKitFiles", "EnvelopeKitTelemetry",
    ]
    let declaration = /public (?:[a-z]+ )*(?:struct|class|actor|enum|protocol) (\w+)/
    var names: Set<String> = []
    for case let file as URL in files
    where file.pathExtension == "swift" && Set(file.pathComponents).isDisjoint(with: elsewhere) {
      let text = try String(contentsOf: file, encoding: .utf8)
      names.formUnion(text.matches(of: declaration).map { String($0.output.1) })
    }
    #expect(names.count > 15)
    let checked = Set(try await Self.instances().map(\.type)).union(Self.unprintable)
    #expect(names.subtracting(checked) == [])
  }
}
