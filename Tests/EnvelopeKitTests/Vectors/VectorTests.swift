// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Every file of Tests/Vectors, which another implementation made.
@Suite(.timeLimit(.minutes(20))) struct VectorTests {
  @Test func allFilesAreThere() {
    #expect(VectorFile.names.count >= 2910)
  }

  @Test(arguments: VectorFile.names)
  func file(named name: String) async throws {
    let vector = try VectorFile(named: name)
    do {
      switch vector.kind {
      case .value: try await openValue(vector, using: Self.holder(of: vector))
      case .environment, .packed: try await openEnvironment(vector, using: Self.holder(of: vector))
      case .file: try await openFile(vector, using: Self.holder(of: vector))
      case .records: return try await openRecords(vector, using: Self.holder(of: vector))
      case .recipient: try readRecipient(vector)
      }
      #expect(vector.expected == "success", "It opened")
    } catch let error as EnvelopeError {
      #expect(error.code.rawValue == vector.expected, "\(error)")
      #expect(error.names == (vector.expected == "unsupportedSuite" ? [] : vector.names))
    }
  }

  /// What the reader of a vector holds.
  struct Holder {
    let keyring: any Keyring
    var store = KeyStore()
    var passphrase: [UInt8] = []
  }

  private static func holder(of vector: VectorFile) throws -> Holder {
    guard let passphrase = try vector.passphrase else {
      let text = try vector.store
      let store = try unsafe KeyStore(text: text.span.bytes)
      return Holder(keyring: try store.keyring(), store: store)
    }
    return Holder(keyring: try PassphraseKeyring(passphrase[...].vectorSecret), passphrase: passphrase)
  }

  static func sender(of vector: VectorFile) throws -> AnonymousSender {
    try vector.acceptsAnonymousSender ? .accepted : .refused
  }

  private func readRecipient(_ vector: VectorFile) throws {
    let recipient = try Recipient(vector.text("recipient"))
    #expect(try recipient.keyID.string == vector.text("keyId"))
    #expect(try recipient.publicKey == vector.bytes("publicKey"))
    #expect(try recipient.description == vector.text("recipient"))
  }

  private func openValue(_ vector: VectorFile, using holder: Holder) async throws {
    let (envelope, context) = try (vector.bytes("envelope"), vector.context)
    let associatedData = try vector.bytes("associated-data")
    let plaintext = try await Envelope.open(
      envelope, context: context, authenticating: associatedData, using: MultiKeyring([holder.keyring]),
      anonymousSender: Self.sender(of: vector))
    let revealed = plaintext.vectorBytes
    #expect(try revealed == vector.bytes("plaintext"))
    var reader = ByteReader(envelope)
    let header = try Header(from: &reader, expecting: .value)
    let unlocked = try await UnlockedHeader.unlock(
      header, context: context, using: MultiKeyring([holder.keyring]), anonymousSender: Self.sender(of: vector))
    try checkSchedule(of: unlocked, vector, holder)
  }

  private func openEnvironment(_ vector: VectorFile, using holder: Holder) async throws {
    let keyring = try MultiKeyring([holder.keyring])
    let (context, sender) = (try vector.context, try Self.sender(of: vector))
    let variables = try vector.variables
    let sealed =
      try vector.isDocument
      ? SealedEnvironment(document: variables, allowingPlain: vector.allowed)
      : SealedEnvironment(variables: variables)
    let opened = try await sealed.open(
      context: context, using: keyring, minimumGeneration: vector.minimumGeneration, anonymousSender: sender)
    let values = try vector.values
    #expect(opened.names.sorted() == values.keys.sorted())
    for (name, value) in values { #expect(opened[name]?.vectorBytes == value, "\(name)") }
    #expect(try opened.generation == vector.number("generation"))
    #expect(sealed.form == (vector.kind == .packed ? .packed : .separate))
    let unlocked = try await UnlockedHeader.unlock(
      sealed.header, context: context, using: keyring, anonymousSender: sender)
    try checkSchedule(of: unlocked, vector, holder)
    if case .separate(let trailer, let entries) = sealed.payload {
      let made = try SealedEnvironment.manifest(
        generation: sealed.generation, plain: trailer.plain, entries: entries, keys: unlocked.keys)
      #expect(try made == vector.bytes("manifest"))
      #expect(trailer.manifest == made)
      #expect(try trailer.plain.bytes == vector.bytes("plainTags"))
    }
  }

  /// Compares every intermediate value, from the canonical context to the tag of the header.
  func checkSchedule(of unlocked: borrowing UnlockedHeader, _ vector: VectorFile, _ holder: Holder) throws {
    let (header, context) = (unlocked.header, try vector.context)
    let okm = try vector.bytes("okm")
    let wrappingContext = try context.forKeyrings(header.kind.use)
    var made = ["canonical": try context.canonicalBytes(), "commitment": unlocked.keys.commitment]
    made["wrappingCanonical"] = try wrappingContext.canonicalBytes()
    made["contextCheck"] = try Header.contextCheck(salt: header.salt, canonicalContext: context.canonicalBytes())
    made["payloadKey"] = try unlocked.keys.key(.payload).vectorBytes
    made["headerKey"] = try unlocked.keys.key(.header).vectorBytes
    made["manifestKey"] = try unlocked.keys.key(.manifest).vectorBytes
    made["plainKey"] = try unlocked.keys.key(.plain).vectorBytes
    made["derivedFromOKM"] = try derive(from: okm.prefix(32).vectorSecret, personal: "EK payload")
    made["headerTag"] = try unlocked.keys.headerTag(over: header.taggedBytes)
    made["dataKey"] = unlocked.dataKey.vectorBytes
    var names = [
      "canonical", "wrappingCanonical", "contextCheck", "dataKey", "payloadKey", "headerKey", "manifestKey", "plainKey",
      "headerTag",
    ]
    if let source = unlocked.source {
      made["keyId"] = Array(source.keyID.string.utf8)
      let wrapping = try wrapping(of: source, for: wrappingContext, holder)
      names += wrapping.keys
      made.merge(wrapping) { $1 }
    }
    var expected = ["commitment": Array(okm.suffix(32)), "keyId": Array(try vector.text("keyId").utf8)]
    expected["derivedFromOKM"] = try vector.bytes("payloadKey")
    for name in names { expected[name] = try vector.bytes(name) }
    #expect(made == expected)
  }

  /// The intermediate values of unwrapping an entry.
  private func wrapping(
    of source: WrappedDataKey, for context: EncryptionContext, _ holder: Holder
  ) throws -> [String: [UInt8]] {
    if source.scheme == .passphrase {
      let key = try SecretBytes(byteCount: Argon2id.keyByteCount) { (output) throws(EnvelopeError) in
        let (passphrase, salt) = (holder.passphrase, Array(source.bytes[2..<18]))
        try unsafe Argon2id.append(
          passphrase: passphrase.span.bytes, salt: salt.span.bytes,
          cost: Argon2id.Cost(memoryLog2: source.bytes[0], passes: source.bytes[1]), to: &output)
      }
      return ["passphraseKey": key.vectorBytes]
    }
    for keyset in holder.store.keysets {
      guard let version = keyset.version(named: source.keyID) else { continue }
      let secret = try version.keys[0].withBytes { SecretBytes(copying: $0) }
      if let kem = keyset.kind.kem { return try Self.hpke(source.bytes, privateKey: secret, kem) }
      if keyset.scopes != nil {
        let scope = FunctionScope(unchecked: context.function)
        return ["narrowed": try keyset.narrowedKey(of: version, for: scope).vectorBytes]
      }
      var message: [UInt8] = [context.function == nil ? 0 : 1]
      if let function = context.function { message.append(lengthPrefixed16: function.utf8) }
      return ["narrowed": try derive(from: secret, personal: "EK wrap", message: message)]
    }
    return [:]
  }

  private static func hpke(
    _ wrapped: [UInt8], privateKey: borrowing SecretBytes, _ kem: KEM
  ) throws -> [String: [UInt8]] {
    let (encapsulated, info) = (
      Array(wrapped.prefix(kem.encapsulatedByteCount)), Array("EnvelopeKit v1 recipient".utf8)
    )
    let secret = try privateKey.withBytes { (key) throws(EnvelopeError) in
      try unsafe kem.sharedSecret(of: encapsulated.span.bytes, privateKey: key)
    }
    let keys = try unsafe HPKE.MessageKeys(sharedSecret: secret, info: info.span.bytes, kem: kem)
    return [
      "sharedSecret": secret.vectorBytes, "hpkeKey": keys.key.vectorBytes, "hpkeNonce": keys.nonce.vectorBytes,
    ]
  }

  private func derive(
    from key: borrowing SecretBytes, personal: StaticString, message: [UInt8] = []
  ) throws(EnvelopeError) -> [UInt8] {
    try SecretBytes(byteCount: 32) { (output) throws(EnvelopeError) in
      try key.withBytes { (key) throws(EnvelopeError) in
        try unsafe BLAKE2b.derive(32, key: key, personal: personal, message: message.span.bytes, into: &output)
      }
    }.vectorBytes
  }
}

extension DataKey {
  fileprivate var vectorBytes: [UInt8] { withBytes { [UInt8](copying: $0) } }
}

extension SecretBytes {
  var vectorBytes: [UInt8] { withBytes { [UInt8](copying: $0) } }
}

extension Secret {
  var vectorBytes: [UInt8] { withBytes { [UInt8](copying: $0) } }
}

extension ArraySlice<UInt8> {
  var vectorSecret: SecretBytes {
    SecretBytes(byteCount: count) { output in
      for byte in self { output.append(byte) }
    }
  }
}
