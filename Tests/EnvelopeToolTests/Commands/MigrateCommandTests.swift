// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import Foundation
  import TestSupport
  import Testing

  /// Values that boto3 made as AWS Lambda's console does become one sealed environment.
  @Suite(.timeLimit(.minutes(20))) struct MigrateCommandTests {
    private let service: KeyService
    private let account: KeyService.Account
    private let sandbox: Sandbox

    init() throws {
      let kms = try KMSSandbox()
      (service, account, sandbox) = (kms.service, kms.account, kms.sandbox)
    }

    private func values(_ count: Int, under key: KeyService.Key, withoutContext: Set<Int> = []) async throws -> [String:
      String]
    {
      var values: [String: String] = [:]
      for number in 0..<count {
        let context = withoutContext.contains(number) ? nil : ["LambdaFunctionName": "checkout"]
        let made = try await service.encrypt(Data("secret \(number) é".utf8), under: key.arn, context: context)
        values["SECRET_\(number)"] = made.ciphertext.base64EncodedString()
      }
      return values
    }

    private func answer(_ variables: [String: String]) throws -> String {
      let answer: [String: Any] = [
        "FunctionName": "checkout", "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:checkout",
        "Environment": ["Variables": variables],
      ]
      return String(decoding: try JSONSerialization.data(withJSONObject: answer), as: UTF8.self)
    }

    @Test func tenValuesBecomeOneDocumentThatOneCallOpens() async throws {
      let key = try await service.makeKey()
      let alias = try #require(key.alias)
      try sandbox.write(
        try answer(try await values(10, under: key).merging(["LOG_LEVEL": "info"]) { $1 }), to: "fn.json")
      let migrated = try sandbox.envelope(
        "migrate", "fn.json", "--key", alias, "--format", "lambda", "-o", "variables.json"
      ).succeeded()
      #expect(migrated.messages.contains("Calls to AWS KMS at each start: 10 before, 1 now."))
      #expect(migrated.messages.contains("Left plain: LOG_LEVEL."))
      let bytes = try #require(migrated.messages.firstMatch(of: /4096: (\d+) before, (\d+) now/))
      let (before, now) = (try #require(Int(bytes.output.1)), try #require(Int(bytes.output.2)))
      #expect(now < before * 6 / 10 && before > 2000, "\(before) \(now)")
      #expect(
        try await account.counts().operations == ["GenerateDataKey"] + [String](repeating: "Decrypt", count: 11))

      let run = try sandbox.envelope(
        "exec", "variables.json", "--function", "checkout", "--key", alias, "--", "/bin/sh", "-c",
        "echo $SECRET_0, $SECRET_9, $LOG_LEVEL")
      #expect(run.succeeded().text == "secret 0 é, secret 9 é, info\n")
      #expect(try await account.counts().operations.dropFirst(12) == ["Decrypt"])
    }

    @Test func valuesWithoutContextNeedASayAndAreNamed() async throws {
      let key = try await service.makeKey()
      try sandbox.write(try answer(try await values(3, under: key, withoutContext: [1])), to: "fn.json")
      let arguments = ["migrate", "fn.json", "--key", key.arn, "-o", "out.env"]
      let refused = try sandbox.envelope(arguments, bytes: Data()).failed(65, saying: "--accept-no-context")
      #expect(refused.messages.contains("--plain SECRET_1") && !sandbox.exists("out.env"))
      let migrated = try sandbox.envelope(arguments + ["--accept-no-context"], bytes: Data()).succeeded()
      #expect(migrated.messages.contains("Encrypted without an encryption context: SECRET_1."))
      let run = try sandbox.envelope(
        "exec", "out.env", "--function", "checkout", "--key", key.arn, "--", "/bin/sh", "-c", "echo $SECRET_1")
      #expect(run.succeeded().text == "secret 1 é\n")
    }

    /// The function has no key store of its own: the default key of this machine would not open there.
    @Test func localKeysAreNamedOrRefused() async throws {
      let key = try await service.makeKey()
      try sandbox.write(try answer(try await values(2, under: key)), to: "fn.json")
      try sandbox.envelope("migrate", "fn.json", "-o", "out.env").failed(64, saying: "--key")
      try sandbox.envelope("migrate", "fn.json", "--key", "local", "-o", "out.env").failed(77, saying: "local")
      #expect(!sandbox.exists("out.env") && !sandbox.exists(sandbox.keyStore))
      #expect(try await account.counts().total == 0)
      try sandbox.envelope("keys", "create", "local").succeeded()
      let migrated = try sandbox.envelope("migrate", "fn.json", "--key", "local", "-o", "out.env").succeeded()
      #expect(migrated.messages.contains("2 before, 0 now") && migrated.messages.contains("ENVELOPE_STORE"))
      #expect(try await account.counts().operations == ["Decrypt", "Decrypt"])
    }

    @Test func dotenvFilesNeedFunctionAndAccount() async throws {
      let key = try await service.makeKey()
      let lines = try await values(2, under: key).map { "\($0.key)=\($0.value)" } + ["A=b"]
      try sandbox.write(lines.joined(separator: "\n"), to: "helper.env")
      try sandbox.envelope("migrate", "helper.env").failed(64, saying: "--function")
      try sandbox.envelope("migrate", "helper.env", "--function", "checkout").failed(64, saying: "--account")
      try sandbox.envelope("migrate", "helper.env", "--function", "checkout", "--account", "123456789012").failed(
        64, saying: "--key")
      let stranger = ["--account", "999999999999", "--key", key.arn]
      let refused = try sandbox.envelope(["migrate", "helper.env", "--function", "checkout"] + stranger, bytes: Data())
        .failed(77, saying: "The variables SECRET_0, SECRET_1 do not open: ")
      #expect(refused.messages.contains("123456789012"))
      let arguments = [
        "migrate", "helper.env", "--function", "checkout", "--account", "123456789012", "--key", key.arn,
      ]
      let migrated = try sandbox.envelope(arguments, bytes: Data())
      #expect(migrated.succeeded().text.contains("ENVELOPE_HEADER="))
    }

    /// A key in base64 looks like a value of the helper.
    @Test func whatLooksEncryptedAndIsNotIsNamedAndCanStayPlain() async throws {
      let key = try await service.makeKey()
      let variables = try await values(1, under: key).merging([
        "KEY": (Data([1, 2, 2, 0, 0x78]) + Data(count: 80)).base64EncodedString()
      ]) { $1 }
      try sandbox.write(try answer(variables), to: "fn.json")
      let arguments = ["migrate", "fn.json", "--key", key.arn, "-o", "out.env"]
      try sandbox.envelope(arguments, bytes: Data()).failed(65, saying: "--plain KEY")
      try sandbox.envelope(arguments + ["--plain", "KEY"], bytes: Data()).succeeded()
      #expect(try sandbox.read("out.env").contains("KEY=AQICAHgA"))
      try sandbox.envelope("migrate", "fn.json", "--plain", "NONE", "-o", "out.env").failed(64, saying: "NONE")
    }

    @Test func whereThereIsNothingToMigrateItIsSaid() async throws {
      try sandbox.write("A=b\n", to: "plain.env")
      try sandbox.envelope("migrate", "plain.env", "--function", "f").failed(66, saying: "plain.env")
      try sandbox.seal("A=1\n")
      try sandbox.envelope("migrate", "app.env", "--function", "app").failed(65, saying: "are sealed already")
      try sandbox.envelope("migrate", "none.env", "--function", "f").failed(66)
      #expect(try await account.counts().total == 0)
    }

    /// What is a ciphertext is told by its leading bytes: these were sent to the service, each a Decrypt that failed.
    @Test(arguments: [
      Data((0..<64).map { UInt8($0) }), Data(count: 64), Data((0..<96).map { _ in 0x0a }),
      Data([0x30, 0x82, 0x03, 0x55]) + Data(count: 400), Data([1, 2, 2, 0]) + Data(count: 100),
      Data([0x0a, 0x20]) + Data(count: 100),
    ])
    func secretsInBase64AreNotSentToTheService(secret: Data) async throws {
      let key = try await service.makeKey()
      let text = secret.base64EncodedString()
      try sandbox.write(try answer(try await values(1, under: key).merging(["HMAC": text]) { $1 }), to: "fn.json")
      let migrated = try sandbox.envelope("migrate", "fn.json", "--key", key.arn, "-o", "out.env").succeeded()
      #expect(migrated.messages.contains("Left plain: HMAC."))
      #expect(try sandbox.read("out.env").contains("HMAC=" + text))
      // The value, and what was written.
      #expect(try await account.counts().operations == ["GenerateDataKey", "Decrypt", "Decrypt"])
      let sealed = try sandbox.envelope("migrate", "fn.json", "--key", key.arn, "--seal", "HMAC", "-o", "sealed.env")
      #expect(sealed.succeeded().messages.contains("Sealed 2 variables"))
      #expect(try !sandbox.read("sealed.env").contains(text))
      let run = try sandbox.envelope(
        "exec", "sealed.env", "--function", "checkout", "--key", key.arn, "--", "/bin/sh", "-c", "printf %s \"$HMAC\"")
      #expect(run.succeeded().text == text)
    }

    @Test func namesOfVariablesToSealAreChecked() async throws {
      let key = try await service.makeKey()
      try sandbox.write(try answer(try await values(1, under: key).merging(["A": "b"]) { $1 }), to: "fn.json")
      try sandbox.envelope("migrate", "fn.json", "--seal", "NONE").failed(64, saying: "NONE")
      try sandbox.envelope("migrate", "fn.json", "--seal", "A", "--plain", "A").failed(64, saying: "A")
      // Without a value of the helper, nothing is called but the key.
      try sandbox.write(try answer(["A": "b"]), to: "plain.json")
      try sandbox.envelope("migrate", "plain.json", "--key", key.arn, "--seal", "A", "-o", "out.env").succeeded()
      #expect(try await account.counts().operations == ["GenerateDataKey", "Decrypt"])
    }

    @Test func allThatDoNotOpenAreNamedInOrder() async throws {
      let key = try await service.makeKey()
      var variables = try await values(6, under: key)
      for name in ["SECRET_4", "SECRET_1", "SECRET_3"] {
        variables[name] = (Data([1, 2, 2, 0, 0x78]) + Data(count: 100)).base64EncodedString()
      }
      try sandbox.write(try answer(variables), to: "fn.json")
      let refused = try sandbox.envelope("migrate", "fn.json", "--key", key.arn, "-o", "out.env").failed(65)
      let places = ["SECRET_1", "SECRET_3", "SECRET_4"].compactMap { refused.messages.firstRange(of: $0)?.lowerBound }
      #expect(places.count == 3 && places == places.sorted() && !refused.messages.contains("SECRET_0"))
      #expect(!sandbox.exists("out.env"))
    }

    /// The function opens in its own Region.
    @Test func sealsInTheRegionOfTheFunction() async throws {
      let (here, there) = (try await service.makeKey(), try await service.makeKey(region: "eu-west-1"))
      try sandbox.write(try answer(try await values(1, under: here)), to: "fn.json")
      sandbox.environment["AWS_REGION"] = "eu-west-1"
      for key in [try #require(here.alias), here.key_id] {
        try sandbox.envelope("migrate", "fn.json", "--key", key, "-o", "out.env").succeeded()
        #expect(try sandbox.envelope("inspect", "out.env").succeeded().text.contains(here.arn))
      }
      // The key is known before the first value is opened.
      let before = try await account.counts().total
      try sandbox.envelope("migrate", "fn.json", "--key", there.arn, "-o", "other.env").failed(64, saying: "us-east-1")
      #expect(try await account.counts().total == before)
      try sandbox.envelope("migrate", "fn.json", "--key", "alias/none", "-o", "other.env").failed(77)
      #expect(try await account.counts().operations.dropFirst(before) == ["GenerateDataKey"])
      #expect(!sandbox.exists("other.env"))
      // One key of the function's Region is enough.
      try sandbox.envelope("migrate", "fn.json", "--key", there.arn, "--key", here.arn, "-o", "both.env").succeeded()
    }

    @Test func sealsInAnotherRegionOnlyIfTheOptionSaysSo() async throws {
      let (here, there) = (try await service.makeKey(), try await service.makeKey(region: "eu-west-1"))
      try sandbox.write(try answer(try await values(1, under: here)), to: "fn.json")
      let alias = try #require(there.alias)
      let arguments = ["migrate", "fn.json", "--key", alias, "-o", "out.env"]
      try sandbox.write("default: {region: eu-west-1}\n", to: "envelope.yaml", mode: 0o600)
      try sandbox.envelope(arguments, bytes: Data()).failed(64, saying: "would be in eu-west-1")
      #expect(try await account.counts().total == 0 && !sandbox.exists("out.env"))
      // The values stay those of the function's Region.
      let migrated = try sandbox.envelope(arguments + ["--region", "eu-west-1"], bytes: Data()).succeeded()
      #expect(migrated.messages.contains("a KMS client for eu-west-1"))
      let keyed = try await account.counts().requests.map { $0.authorization.contains("/eu-west-1/") }
      #expect(keyed == [true, false, true])
    }

    /// Whoever seals may not be allowed to open: then it is said.
    @Test func resultIsReadBack() async throws {
      let key = try await service.makeKey()
      try sandbox.write(try answer(["A": "b"]), to: "fn.json")
      let arguments = ["migrate", "fn.json", "--key", key.arn, "--seal", "A", "-o", "out.env"]
      try await account.fail(["none", "disabled"])
      try sandbox.envelope(arguments, bytes: Data()).failed(77, saying: "disabled")
      #expect(!sandbox.exists("out.env"))
      try await account.fail(["none", "access-denied"])
      let migrated = try sandbox.envelope(arguments, bytes: Data()).succeeded()
      #expect(migrated.messages.contains("could not be read back"))
      #expect(try sandbox.envelope("inspect", "out.env").succeeded().text.contains(key.arn))
    }

    @Test(arguments: ["", "checkout", "arn:aws:s3:::bucket", "arn:aws:lambda:us-east-1:1234:function:checkout"])
    func responsesOfOtherFunctionsAreRefused(arn: String) async throws {
      let json =
        "{\"FunctionName\": \"f\", \"FunctionArn\": \"\(arn)\", \"Environment\": {\"Variables\": {\"A\": \"b\"}}}"
      try sandbox.write(json, to: "fn.json")
      try sandbox.envelope("migrate", "fn.json", "--key", "alias/a", "--seal", "A").failed(65, saying: "ARN")
      #expect(try await account.counts().total == 0)
    }

    @Test func responsesOfGetFunctionAreRead() async throws {
      let key = try await service.makeKey()
      let inner = try answer(try await values(2, under: key))
      try sandbox.write(
        "{\"Code\": {\"Location\": \"https://x\"}, \"Configuration\": \(inner), \"Tags\": {}}", to: "fn.json")
      let migrated = try sandbox.envelope("migrate", "fn.json", "--key", key.arn, "-o", "out.env").succeeded()
      #expect(migrated.messages.contains("Sealed 2 variables for function checkout"))
    }

    @Test func accountsMayBeWrittenWithHyphens() async throws {
      let key = try await service.makeKey()
      let lines = try await values(1, under: key).map { "\($0.key)=\($0.value)" }
      try sandbox.write(lines.joined(separator: "\n"), to: "helper.env")
      let arguments = ["migrate", "helper.env", "--function", "checkout", "--key", key.arn, "--account"]
      try sandbox.envelope(arguments + ["1234-5678-9012"], bytes: Data()).succeeded()
      for account in ["12345678901", "1234567890123", "checkout", "1234-5678-901x", "123-456-789012", ""] {
        try sandbox.envelope(arguments + [account], bytes: Data()).failed(64, saying: "12 digits")
      }
    }
  }
#endif
