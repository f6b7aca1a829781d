// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitTesting
import Testing

@Suite(.timeLimit(.minutes(20))) struct FakeKeyringTests {
  private let context: EncryptionContext = ["function": "f"]

  @Test func entriesNameTheKey() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    let dataKey = try DataKey.generate()
    let keyring = service.keyring(for: "alias/a", alsoUnwrappingWith: ["alias/b"])
    let generated = try await keyring.generateDataKey(for: context)
    let wrapped = try await keyring.wrap(dataKey, for: context)
    for entries in [generated.wrapped, wrapped] {
      #expect(entries.map(\.scheme) == [.other] && entries.map(\.keyID) == [key])
    }
    #expect(generated.wrapped != wrapped)
  }

  @Test func aKeyThatIsNotNamedIsNotAskedAbout() async throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(), try service.createKey())
    let generated = try await service.keyring(for: a).generateDataKey(for: context)
    service.forgetCalls()
    await expectRefusal(.keyNotFound) { try await service.keyring(for: b).unwraps(generated) }
    #expect(service.calls.isEmpty)
    #expect(try await service.keyring(for: b, alsoUnwrappingWith: [a]).unwraps(generated))
    #expect(service.callCount(for: a) == 1 && service.callCount(for: b) == 0)
  }

  @Test func aKeyIsAskedAboutOnce() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    let keyring = service.keyring(for: key)
    let generated = try await keyring.generateDataKey(for: context)
    let entry = try #require(generated.wrapped.first)
    var bytes = entry.bytes
    bytes[bytes.count - 1] ^= 1
    let broken = try WrappedDataKey(scheme: .other, keyID: entry.keyID, bytes: bytes)
    let byAliasAndKey = service.keyring(for: "alias/a", alsoUnwrappingWith: [key.string, "alias/a"])
    for keyring in [keyring, service.keyring(for: "alias/a"), byAliasAndKey] {
      service.forgetCalls()
      await expectRefusal(.unwrapFailed, "InvalidCiphertextException") {
        try await keyring.unwrap([broken, broken, entry, entry], for: context)
      }
      #expect(service.callCount() == 1)
    }
  }

  /// The same bytes under another key's id are refused, though the key that is asked could decrypt them.
  @Test func anEntryUnderAnotherKeyID() async throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(alias: "alias/a"), try service.createKey(alias: "alias/b"))
    let generated = try await service.keyring(for: a).generateDataKey(for: context)
    let moved = try WrappedDataKey(scheme: .other, keyID: b, bytes: generated.wrapped[0].bytes)
    await expectRefusal(.unwrapFailed, "IncorrectKeyException") {
      try await service.keyring(for: b).unwrap([moved], for: context)
    }
    for name in ["alias/a", "alias/b"] {
      await expectRefusal(.keyNotFound) { try await service.keyring(for: name).unwrap([moved], for: context) }
    }
    await expectRefusal(.keyNotFound) { try await service.keyring(for: a).unwrap([moved], for: context) }
  }

  @Test func anotherSchemeOrServiceIsNotAsked() async throws {
    let (service, other) = (try FakeKeyService(), try FakeKeyService(region: "elsewhere"))
    let key = try service.createKey(alias: "alias/a")
    let foreign = try other.createKey(alias: "alias/a")
    let generated = try await service.keyring(for: key).generateDataKey(for: context)
    let bytes = generated.wrapped[0].bytes
    service.forgetCalls()
    let entries = [
      try WrappedDataKey(scheme: .awsKMS, keyID: key, bytes: bytes),
      try WrappedDataKey(scheme: WrappingScheme(rawValue: 0x55), keyID: key, bytes: bytes),
      try WrappedDataKey(scheme: .other, keyID: foreign, bytes: bytes),
    ]
    for name in [key.string, "alias/a", foreign.string] {
      await expectRefusal(.keyNotFound) { try await service.keyring(for: name).unwrap(entries, for: context) }
      await expectRefusal(.keyNotFound) { try await service.keyring(for: name).unwrap([], for: context) }
    }
    #expect(service.calls.isEmpty && other.calls.isEmpty)
  }

  /// Two services of one name have different keys all the same.
  @Test func aServiceOfTheSameName() async throws {
    let (service, other) = (try FakeKeyService(), try FakeKeyService())
    let key = try service.createKey()
    try other.createKey(alias: "alias/a")
    let generated = try await service.keyring(for: key).generateDataKey(for: context)
    await expectRefusal(.keyNotFound, "NotFoundException") { try await other.keyring(for: key).unwraps(generated) }
    await expectRefusal(.keyNotFound) { try await other.keyring(for: "alias/a").unwraps(generated) }
  }

  /// Of several keys, the one that can opens; if none can, the first that says more than that it is not there is told.
  @Test func severalKeys() async throws {
    let service = try FakeKeyService()
    let keys = try (0..<3).map { _ in try service.createKey() }
    let all = try MultiKeyring(keys.map { service.keyring(for: $0) })
    let generated = try await all.generateDataKey(for: context)
    let keyring = service.keyring(for: keys[0], alsoUnwrappingWith: [keys[1], keys[2]])
    try service.disable(keys[0])
    service.forgetCalls()
    #expect(try await keyring.unwraps(generated))
    #expect(service.callCount() == 2)
    try service.setState(.unavailable, of: keys[1])
    #expect(try await keyring.unwraps(generated))
    service.timePasses(days: 1)
    try service.scheduleDeletion(of: keys[2], inDays: 7)
    service.timePasses(days: 7)
    await expectRefusal(.keyDisabled, "DisabledException") { try await keyring.unwraps(generated) }
    try service.setState(.pendingDeletion, of: keys[0])
    service.timePasses(days: 30)
    await expectRefusal(.keyInvalidState, "KMSInvalidStateException") { try await keyring.unwraps(generated) }
    try service.setState(.pendingDeletion, of: keys[1])
    service.timePasses(days: 30)
    await expectRefusal(.keyNotFound, "NotFoundException") { try await keyring.unwraps(generated) }
  }

  @Test func cancellationEndsItAtOnce() async throws {
    let service = try FakeKeyService()
    let (a, b) = (try service.createKey(), try service.createKey())
    let generated = try await MultiKeyring([service.keyring(for: a), service.keyring(for: b)])
      .generateDataKey(for: context)
    let entries = generated.wrapped
    service.forgetCalls()
    service.hold()
    let keyring = service.keyring(for: a, alsoUnwrappingWith: [b])
    let context = context
    let call = Task { _ = try await keyring.unwrap(entries, for: context) }
    try await service.waitForHeldCalls(1)
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(service.callCount() == 1)
  }

  @Test func ciphertextsOfEveryShape() async throws {
    let service = try FakeKeyService()
    let key = try service.createKey(alias: "alias/a")
    let generated = try await service.keyring(for: key).generateDataKey(for: context)
    let good = generated.wrapped[0].bytes
    let shapes: [[UInt8]] = [
      [0], Array("FAKEKMS1".utf8), Array(good.prefix(44)), Array(good.prefix(48)), Array(good.prefix(87)),
      Array(good.prefix(88)), good + [0], good + [UInt8](repeating: 0, count: 7000),
      [UInt8](repeating: 0xff, count: 65535), Array(good.prefix(44)) + [255, 255, 255, 255] + good.dropFirst(48),
    ]
    for bytes in shapes {
      let entry = try WrappedDataKey(scheme: .other, keyID: key, bytes: bytes)
      for name in [key.string, "alias/a"] {
        await expectRefusal(.unwrapFailed, "InvalidCiphertextException") {
          try await service.keyring(for: name).unwrap([entry], for: context)
        }
      }
    }
  }
}
