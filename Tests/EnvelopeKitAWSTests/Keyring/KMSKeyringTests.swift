// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Against a server that others wrote, over TLS.
  @Suite(.timeLimit(.minutes(20))) struct KMSKeyringTests {
    private let context: EncryptionContext = ["function": "checkout", "team": "päyments \"quoted\" \\ \u{1}\n😀"]

    @Test(arguments: ["id", "arn", "alias", "alias ARN"])
    func whatItWrapsItUnwrapsByEveryName(kind: String) async throws {
      let key = try await KeyService.key()
      let name = ["id": key.key_id, "arn": key.arn, "alias": key.alias, "alias ARN": key.alias_arn][kind] ?? nil
      let test = try TestClient()
      let keyring = try test.keyring(try #require(name))
      let generated = try await keyring.generateDataKey(for: context)
      let entry = generated.wrapped[0]
      #expect(generated.wrapped.count == 1 && entry.scheme == .awsKMS && entry.keyID.string == key.arn)
      let unwrapped = try await keyring.unwrap(generated.wrapped, for: context)
      #expect(unwrapped.source == entry)
      #expect(unwrapped.dataKey.copied() == generated.dataKey.copied())
      let again = try await keyring.wrap(generated.dataKey, for: context)
      #expect(again != generated.wrapped && again[0].keyID == entry.keyID)
      #expect(try await keyring.unwrap(again, for: context).dataKey.copied() == generated.dataKey.copied())
      let counts = try await test.account.counts()
      #expect(counts.operations == ["GenerateDataKey", "Decrypt", "Encrypt", "Decrypt"])
      for request in counts.requests {
        #expect(request.body.KeyId == name && request.tls?.hasPrefix("TLSv1.") == true)
        #expect(
          request.body.EncryptionContext == Dictionary(uniqueKeysWithValues: context.pairs.map { ($0.key, $0.value) }))
      }
      #expect(counts.requests[0].body.NumberOfBytes == 32)
    }

    @Test func eachDataKeyIsNew() async throws {
      let keyring = try TestClient().keyring(try await KeyService.key().arn)
      var keys: Set<[UInt8]> = []
      for _ in 0..<5 { keys.insert(try await keyring.generateDataKey(for: [:]).dataKey.copied()) }
      #expect(keys.count == 5)
    }

    @Test func boto3OpensWhatWeWrapAndWeOpenWhatItWraps() async throws {
      let (service, key) = (try KeyService.shared, try await KeyService.key())
      let keyring = try TestClient().keyring(key.arn)
      let generated = try await keyring.generateDataKey(for: ["function": "f"])
      let decrypted = try await service.decrypt(Data(generated.wrapped[0].bytes), context: ["function": "f"])
      #expect([UInt8](decrypted.plaintext) == generated.dataKey.copied() && decrypted.key == key.arn)

      let secret = Data((0..<32).map { UInt8($0) })
      let encrypted = try await service.encrypt(secret, under: key.arn, context: ["function": "f"])
      let entry = try WrappedDataKey(scheme: .awsKMS, keyID: KeyID(encrypted.key), bytes: [UInt8](encrypted.ciphertext))
      #expect(try await keyring.unwrap([entry], for: ["function": "f"]).dataKey.copied() == [UInt8](secret))
    }

    @Test func anotherContextIsRefused() async throws {
      let test = try TestClient()
      let keyring = try test.keyring(try await KeyService.key().arn)
      let wrapped = try await keyring.generateDataKey(for: ["function": "é"]).wrapped
      for other: EncryptionContext in [[:], ["function": "e\u{301}"], ["Function": "é"], ["function": "é", "a": "b"]] {
        let error = await expectError(.unwrapFailed) { try await keyring.unwrap(wrapped, for: other) }
        #expect(error?.serviceError == "InvalidCiphertextException" && error?.requestID?.isEmpty == false)
      }
      await expectError(.invalidArgument) { try await keyring.unwrap(wrapped, for: ["": "x"]) }
      #expect(try await test.account.counts().total == 5)
    }

    /// An envelope's context is checked before AWS KMS is asked.
    @Test func aContextThatDiffersIsToldBeforeAWSIsAsked() async throws {
      let test = try TestClient()
      let keyring = try test.keyring(try await KeyService.key().arn)
      let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: keyring)
      await expectError(.contextDiffers) { try await sealed.open(context: ["function": "g"], using: keyring) }
      #expect(try await test.account.counts().operations == ["GenerateDataKey"])
      #expect(try await sealed.open(context: ["function": "f"], using: keyring).require("A").revealingString() == "1")
    }

    @Test func grantTokensGoWithEveryRequest() async throws {
      let test = try TestClient()
      let keyring = try test.keyring(try await KeyService.key().arn, tokens: ["one", "two"])
      let generated = try await keyring.generateDataKey(for: [:])
      _ = try await keyring.wrap(generated.dataKey, for: [:])
      _ = try await keyring.unwrap(generated.wrapped, for: [:])
      for request in try await test.account.counts().requests { #expect(request.body.GrantTokens == ["one", "two"]) }
      await expectError(.invalidArgument) {
        try test.keyring("alias/a", tokens: [String](repeating: "t", count: 11))
      }
      await expectError(.invalidArgument) { try test.keyring("alias/a", tokens: [""]) }
    }

    /// Whoever seals can write any ARN into a header: none is asked for but what the caller named.
    @Test func onlyKeysThatWereNamedAreAskedFor() async throws {
      let (mine, other) = (try await KeyService.key(), try await KeyService.key())
      let test = try TestClient()
      let foreign = try await test.keyring(other.arn).generateDataKey(for: [:]).wrapped
      let asked = try await test.account.counts().total
      for name in [mine.arn, mine.key_id] {
        await expectError(.keyNotFound) { try await test.keyring(name).unwrap(foreign, for: [:]) }
      }
      let hostile = try [
        "arn:aws:kms:us-east-1:999999999999:key/\(mine.key_id)",
        "arn:aws:kms:eu-west-1:123456789012:key/\(mine.key_id)",
        "arn:aws-cn:kms:us-east-1:123456789012:key/\(mine.key_id)", mine.key_id, try #require(mine.alias), "x",
        "arn:::::",
        "https://evil.example/",
      ].map { try WrappedDataKey(scheme: .awsKMS, keyID: KeyID($0), bytes: foreign[0].bytes) }
      await expectError(.keyNotFound) { try await test.keyring(mine.arn).unwrap(hostile, for: [:]) }
      #expect(try await test.account.counts().total == asked)
      await expectError(.keyNotFound) { try await test.keyring(mine.arn).unwrap([], for: [:]) }
    }

    @Test func anAliasIsAskedByItsNameAndMustAnswerForTheHeadersKey() async throws {
      let (service, first, second) = (try KeyService.shared, try await KeyService.key(), try await KeyService.key())
      let alias = try #require(first.alias)
      let test = try TestClient()
      let keyring = try test.keyring(alias)
      let wrapped = try await keyring.generateDataKey(for: [:]).wrapped
      try await service.moveAlias(alias, to: second)
      let error = await expectError(.keyNotFound) { try await keyring.unwrap(wrapped, for: [:]) }
      #expect(error?.serviceError == "IncorrectKeyException")
      // Named as well, the older key opens; each name is asked for at most once.
      _ = try await test.keyring(alias, others: [first.arn]).unwrap(wrapped, for: [:])
      _ = try await test.keyring(alias, others: [try #require(second.alias), first.key_id]).unwrap(wrapped, for: [:])
      let names = try await test.account.counts().requests.suffix(3).map(\.body.KeyId)
      #expect(names == [alias, first.arn, first.key_id])
    }

    /// What one keyring is refused, another may be given: by its own key, name or credentials.
    @Test(arguments: ["ARNs", "aliases"])
    func aRefusalOfOneKeyringKeepsNoOtherFromOpening(kind: String) async throws {
      let (service, one, two) = (try KeyService.shared, try await KeyService.key(), try await KeyService.key())
      let test = try TestClient()
      let names = kind == "ARNs" ? [one.arn, two.arn] : [try #require(one.alias), try #require(two.alias)]
      let both = try MultiKeyring(names.map { try test.keyring($0) })
      let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: both)
      try await service.change(one, by: "disable_key")
      let opened = try await sealed.open(context: ["function": "f"], using: both)
      #expect(opened.source?.keyID.string == two.arn)
      // The same as one keyring of several names.
      let named = try test.keyring(names[0], others: [names[1]])
      #expect(try await sealed.open(context: ["function": "f"], using: named).source?.keyID.string == two.arn)
    }

    @Test func anAliasThatIsGoneOrDeniedKeepsNoOtherFromOpening() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let alias = try #require(key.alias)
      let wrapped = try await test.keyring(alias).generateDataKey(for: [:]).wrapped
      let keyring = try test.keyring("alias/gone-\(UUID().uuidString)", others: [alias])
      #expect(try await keyring.unwrap(wrapped, for: [:]).source == wrapped[0])
      try await test.account.fail(["access-denied"])
      #expect(try await keyring.unwrap(wrapped, for: [:]).source == wrapped[0])
      try await test.account.fail(["access-denied", "access-denied"])
      await expectError(.keyAccessDenied) { try await keyring.unwrap(wrapped, for: [:]) }
    }

    /// By its id alone a key is asked for under whatever account the header says; what is answered tells.
    @Test func aHeaderThatNamesAnotherAccountsKeyDoesNotOpen() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let keyring = try test.keyring(key.key_id)
      let entry = try await keyring.generateDataKey(for: [:]).wrapped[0]
      let other = key.arn.replacing("123456789012", with: "999999999999")
      let forged = try WrappedDataKey(scheme: .awsKMS, keyID: KeyID(other), bytes: entry.bytes)
      await expectError(.unwrapFailed) { try await keyring.unwrap([forged], for: [:]) }
    }

    @Test func anyKeyOfNamedAccountsOpensWhereThatIsAsked() async throws {
      let (mine, other) = (try await KeyService.key(), try await KeyService.key())
      let test = try TestClient()
      let wrapped = try await test.keyring(other.arn).generateDataKey(for: [:]).wrapped
      let keyring = try test.keyring(mine.arn, accounts: KMSKeyring.Accounts(["123456789012"]))
      #expect(try await keyring.unwrap(wrapped, for: [:]).source == wrapped[0])
      #expect(try await test.account.counts().requests.last?.body.KeyId == other.arn)
      for accounts in [KMSKeyring.Accounts([]), .init(["123456789013"]), .init(["123456789012"], partition: "aws-cn")] {
        let keyring = try test.keyring(mine.arn, accounts: accounts)
        await expectError(.keyNotFound) { try await keyring.unwrap(wrapped, for: [:]) }
      }
      #expect(try await test.account.counts().total == 2)
    }

    @Test func multiRegionKeysMatchAcrossRegions() async throws {
      let service = try KeyService.shared
      let key = try await KeyService.key(isMultiRegion: true)
      let replica = try await service.replicate(key, to: "eu-central-1")
      let (here, there) = (try TestClient(), try TestClient(region: "eu-central-1"))
      // Named by the ARN of either Region.
      let keyring = try there.keyring(key.arn)
      let wrapped = try await keyring.generateDataKey(for: ["function": "f"]).wrapped
      #expect(wrapped[0].keyID.string == replica.arn)
      #expect(try await keyring.unwrap(wrapped, for: ["function": "f"]).source == wrapped[0])
      // Under the other Region's name the same replica is asked for.
      let elsewhere = [try WrappedDataKey(scheme: .awsKMS, keyID: KeyID(key.arn), bytes: wrapped[0].bytes)]
      #expect(try await keyring.unwrap(elsewhere, for: ["function": "f"]).source == elsewhere[0])
      #expect(try await there.account.counts().requests.allSatisfy { $0.body.KeyId == replica.arn })
      _ = here
    }

    @Test func aKeyOfAnotherRegionIsRefusedWhenItIsNamed() async throws {
      let test = try TestClient()
      for name in [
        "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:123456789012:alias/a", "checkout", "",
      ] { await expectError(.invalidArgument) { try test.keyring(name) } }
    }

    @Test func severalRegionsWrapUnderAllAndTheFirstThatAnswersOpens() async throws {
      let one = try await KeyService.key()
      let two = try await KeyService.key(region: "eu-central-1")
      let (here, there) = (try TestClient { $0.tryLimit = 1 }, try TestClient(region: "eu-central-1"))
      let both = try MultiKeyring([try here.keyring(one.arn), try there.keyring(two.arn)])
      let sealed = try await SealedEnvironment.seal(["A": "1"], context: ["function": "f"], using: both)
      #expect(sealed.wrappedKeys.map(\.keyID.string) == [one.arn, two.arn])
      _ = try await sealed.open(context: ["function": "f"], using: both)
      #expect(try await here.account.counts().operations == ["GenerateDataKey", "Decrypt"])
      #expect(try await there.account.counts().operations == ["Encrypt"])
      try await here.account.fail(["unavailable"])
      let opened = try await sealed.open(context: ["function": "f"], using: both)
      #expect(opened.source?.keyID.string == two.arn)
      #expect(try await there.account.counts().operations == ["Encrypt", "Decrypt"])
    }
  }
#endif
