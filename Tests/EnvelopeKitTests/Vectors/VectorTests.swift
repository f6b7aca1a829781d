// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeKit

/// Every file of Tests/Vectors, which another implementation made.
struct VectorTests {
  @Test func allFilesAreThere() {
    #expect(VectorFile.names.count >= 314)
  }

  @Test(arguments: VectorFile.names)
  func file(named name: String) async throws {
    let vector = try VectorFile(named: name)
    do {
      let text = try vector.store
      let store = try unsafe KeyStore(text: text.span.bytes)
      let keyring = try store.keyring()
      switch vector.kind {
      case .value: try await openValue(vector, store: store, keyring: keyring)
      case .environment, .packed: try await openEnvironment(vector, store: store, keyring: keyring)
      }
      #expect(vector.expected == "success", "It opened")
    } catch let error as EnvelopeError {
      #expect(error.code.rawValue == vector.expected, "\(error)")
      #expect(error.names == vector.names)
    }
  }

  private func openValue(_ vector: VectorFile, store: KeyStore, keyring: KeysetKeyring) async throws {
    let (envelope, context) = try (vector.bytes("envelope"), vector.context)
    let associatedData = try vector.bytes("associated-data")
    let plaintext = try await Envelope.open(
      envelope, context: context, authenticating: associatedData, using: keyring)
    let revealed = plaintext.vectorBytes
    #expect(try revealed == vector.bytes("plaintext"))
    var reader = ByteReader(envelope)
    let header = try Header(from: &reader, expecting: .value)
    let unlocked = try await UnlockedHeader.unlock(header, context: context, using: keyring)
    try checkSchedule(of: unlocked, vector, store: store)
  }

  private func openEnvironment(_ vector: VectorFile, store: KeyStore, keyring: KeysetKeyring) async throws {
    let context = try vector.context
    let sealed = try SealedEnvironment(variables: vector.variables)
    let opened = try await sealed.open(
      context: context, using: keyring, minimumGeneration: vector.minimumGeneration)
    let values = try vector.values
    #expect(opened.names.sorted() == values.keys.sorted())
    for (name, value) in values { #expect(opened[name]?.vectorBytes == value, "\(name)") }
    #expect(try opened.generation == vector.number("generation"))
    #expect(sealed.form == (vector.kind == .packed ? .packed : .separate))
    let unlocked = try await UnlockedHeader.unlock(sealed.header, context: context, using: keyring)
    try checkSchedule(of: unlocked, vector, store: store)
    if case .separate(_, let manifest, let entries) = sealed.payload {
      let made = try SealedEnvironment.manifest(
        generation: sealed.generation, entries: entries, keys: unlocked.keys)
      #expect(try made == vector.bytes("manifest"))
      #expect(manifest == made)
    }
  }

  /// Compares every intermediate value, from the canonical context to the tag of the header.
  private func checkSchedule(of unlocked: borrowing UnlockedHeader, _ vector: VectorFile, store: KeyStore) throws {
    let (header, context) = (unlocked.header, try vector.context)
    let okm = try vector.bytes("okm")
    var made = ["canonical": try context.canonicalBytes(), "commitment": unlocked.keys.commitment]
    made["contextCheck"] = try Header.contextCheck(salt: header.salt, canonicalContext: context.canonicalBytes())
    made["payloadKey"] = try unlocked.keys.key(.payload).vectorBytes
    made["headerKey"] = try unlocked.keys.key(.header).vectorBytes
    made["manifestKey"] = try unlocked.keys.key(.manifest).vectorBytes
    made["derivedFromOKM"] = try derive(from: okm.prefix(32).vectorSecret, personal: "EK payload")
    made["headerTag"] = try unlocked.keys.headerTag(over: header.taggedBytes)
    if let source = unlocked.source {
      made["keyId"] = Array(source.keyID.string.utf8)
      for keyset in store.keysets {
        for version in keyset.versions where try keyset.keyID(of: version) == source.keyID {
          var message: [UInt8] = [context.function == nil ? 0 : 1]
          if let function = context.function { message.append(lengthPrefixed16: function.utf8) }
          let secret = try version.keys[0].withBytes { SecretBytes(copying: $0) }
          made["narrowed"] = try derive(from: secret, personal: "EK wrap", message: message)
          made["dataKey"] = try keyset.unwrap(source, version: version, for: context).vectorBytes
        }
      }
    }
    var expected = ["commitment": Array(okm.suffix(32)), "keyId": Array(try vector.text("keyId").utf8)]
    expected["derivedFromOKM"] = try vector.bytes("payloadKey")
    for name in [
      "canonical", "contextCheck", "narrowed", "dataKey", "payloadKey", "headerKey", "manifestKey", "headerTag",
    ] {
      expected[name] = try vector.bytes(name)
    }
    #expect(made == expected)
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
  fileprivate var vectorSecret: SecretBytes {
    SecretBytes(byteCount: count) { output in
      for byte in self { output.append(byte) }
    }
  }
}
