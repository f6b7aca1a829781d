// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Foundation
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Values that boto3 made as the console's helper does.
  @Suite(.timeLimit(.minutes(20))) struct ConsoleHelperTests {
    private let accounts = KMSKeyring.Accounts(["123456789012"])

    /// A value of the helper, with the function's context or without one.
    private func value(_ text: Data, under key: KeyService.Key, function: String? = "checkout") async throws -> String {
      let context = function.map { ["LambdaFunctionName": $0] }
      return try await KeyService.shared.encrypt(text, under: key.arn, context: context).ciphertext
        .base64EncodedString()
    }

    private func value(_ text: String, under key: KeyService.Key, function: String? = "checkout") async throws -> String
    {
      try await value(Data(text.utf8), under: key, function: function)
    }

    private func helper(_ test: TestClient, acceptingNoContext: Bool = false, limit: Int = 8) throws -> ConsoleHelper {
      try ConsoleHelper(
        client: test.client, accounts: accounts, acceptingValuesWithoutContext: acceptingNoContext,
        concurrencyLimit: limit)
    }

    @Test func valuesOfTheConsoleOpen() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let texts = ["A": "plain", "B": "pässwörd 😀\n", "C": String(repeating: "x", count: 4000)]
      var variables = [
        "AWS_LAMBDA_FUNCTION_NAME": "checkout", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "LOG_LEVEL": "info",
      ]
      for (name, text) in texts { variables[name] = try await value(text, under: key) }
      let opened = try await helper(test).open(["B", "A", "C"], variables: variables)
      #expect(opened.secrets.names == ["A", "B", "C"] && opened.withoutContext.isEmpty)
      for (name, text) in texts { #expect(try opened.secrets.require(name).revealingString() == text) }
      let requests = try await test.account.counts().requests
      #expect(requests.count == 3)
      #expect(
        requests.allSatisfy { $0.body.EncryptionContext == ["LambdaFunctionName": "checkout"] && $0.body.KeyId == nil })
    }

    @Test func withoutContextOnlyWhereThatIsAcceptedAndOnlyAfterTheOther() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let variables = [
        "NEW": try await value("n", under: key), "OLD": try await value("o", under: key, function: nil),
        "ELSE": try await value("e", under: key, function: "other"),
      ]
      let error = await expectError(.unwrapFailed, saying: "without an encryption context") {
        try await helper(test).open(["OLD"], function: "checkout", variables: variables)
      }
      #expect(error?.names == ["OLD"] && error?.serviceError == "InvalidCiphertextException")
      #expect(try await test.account.counts().total == 1)
      let accepting = try helper(test, acceptingNoContext: true)
      let opened = try await accepting.open(["OLD", "NEW"], function: "checkout", variables: variables)
      #expect(opened.withoutContext == ["OLD"])
      #expect(try opened.secrets.require("OLD").revealingString() == "o")
      #expect(try await test.account.counts().total == 4)
      // Never a third way, and never for another function.
      await expectError(.unwrapFailed, saying: "ELSE") {
        try await accepting.open(["ELSE"], function: "checkout", variables: variables)
      }
      #expect(try await test.account.counts().total == 6)
      // Any other failure is no reason to leave the context out.
      try await test.account.fail(["access-denied"])
      await expectError(.keyAccessDenied, saying: "OLD") {
        try await accepting.open(["OLD"], function: "checkout", variables: variables)
      }
      #expect(try await test.account.counts().total == 7)
    }

    @Test func keysOfOtherAccountsAreNotBelieved() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let variables = ["A": try await value("a", under: key)]
      let stranger = try ConsoleHelper(client: test.client, accounts: KMSKeyring.Accounts(["999999999999"]))
      let error = await expectError(.keyAccessDenied, saying: "123456789012") {
        try await stranger.open(["A"], function: "checkout", variables: variables)
      }
      #expect(error?.names == ["A"])
      await expectError(.invalidArgument) { try ConsoleHelper(client: test.client, accounts: KMSKeyring.Accounts([])) }
      await expectError(.invalidArgument) {
        try ConsoleHelper(client: test.client, accounts: accounts, concurrencyLimit: 0)
      }
    }

    @Test func accountsMayBeGrouped() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let variables = ["A": try await value("a", under: key)]
      let helper = try ConsoleHelper(client: test.client, accounts: KMSKeyring.Accounts(["1234-5678-9012"]))
      #expect(try await helper.open(["A"], function: "checkout", variables: variables).secrets.names == ["A"])
      for account in ["", "1", "12345678901", "1234567890123", "12345678901x", "123456-789012", "1234-5678-901x"] {
        let accounts = KMSKeyring.Accounts(["111122223333", account])
        await expectError(.invalidArgument, saying: "12 digits") {
          try ConsoleHelper(client: test.client, accounts: accounts)
        }
        await expectError(.invalidArgument, saying: "12 digits") {
          try KMSKeyring(key.arn, orAnyKeyOf: accounts, client: test.client)
        }
      }
    }

    /// All are named at once, in order, whatever was given and responded first.
    @Test(arguments: [1, 8]) func valuesThatDoNotOpenAreNamedTogether(limit: Int) async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      var variables = ["GOOD": try await value("g", under: key), "TEXT": try await value(Data([0xff]), under: key)]
      for name in ["D", "B", "C"] { variables[name] = try await value("v", under: key, function: "other") }
      let helper = try helper(test, limit: limit)
      let names = ["GOOD", "D", "TEXT", "C", "B"]
      let error = await expectError(.unwrapFailed, saying: "The variables B, C, D do not open: ") {
        try await helper.open(names, function: "checkout", variables: variables)
      }
      #expect(error?.names == ["B", "C", "D", "TEXT"])
      #expect(error?.message.hasSuffix("; the variable TEXT does not open: it is not UTF-8 text") == true)
      #expect(try await test.account.counts().total == 5)
      // What the service as a whole fails at, no other value is tried for.
      try await test.account.fail(["expired-token"])
      await expectError(.credentialsRefused) {
        try await self.helper(test, limit: 1).open(names, function: "checkout", variables: variables)
      }
      #expect(try await test.account.counts().total == 6)
    }

    @Test func namesOfAllThatCannotBeValuesAreListed() async throws {
      let test = try TestClient()
      let helper = try helper(test)
      let variables = ["A": "x", "B": "AAAA", "C": ""]
      let malformed = await expectError(.malformed, saying: "The variables A, C do not hold") {
        try await helper.open(["C", "B", "A"], function: "f", variables: variables)
      }
      #expect(malformed?.names == ["A", "C"])
      let missing = await expectError(.variableMissing, saying: "There is no variable Y, Z") {
        try await helper.open(["Z", "A", "Y"], function: "f", variables: variables)
      }
      #expect(missing?.names == ["Y", "Z"])
      #expect(try await test.account.counts().total == 0)
    }

    @Test func whatIsNotTextIsRefused() async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let variables = ["A": try await value(Data([0xff, 0xfe]), under: key)]
      await expectError(.typeMismatch, saying: "not UTF-8") {
        try await helper(test).open(["A"], function: "checkout", variables: variables)
      }
    }

    /// Told before AWS KMS is asked about any of them.
    @Test(arguments: [
      "", "not base64", "AAAA", "AAA", "AAAA====", "AAA-", "AA==\n", String(repeating: "A", count: 8200),
    ])
    func valuesThatCannotBeOnesAreRefusedFirst(text: String) async throws {
      let test = try TestClient()
      let good = try await value("g", under: try await KeyService.key())
      if text != "AAAA" {
        await expectError(.malformed, saying: "BAD") {
          try await helper(test).open(["GOOD", "BAD"], function: "checkout", variables: ["GOOD": good, "BAD": text])
        }
        #expect(try await test.account.counts().total == 0)
      }
    }

    @Test func namesAndFunctionAreChecked() async throws {
      let test = try TestClient()
      let helper = try helper(test)
      await expectError(.variableMissing, saying: "NONE") {
        try await helper.open(["NONE"], function: "f", variables: [:])
      }
      await expectError(.functionUnknown) { try await helper.open([], variables: [:]) }
      for name in ["", "f"] {
        await expectError(.functionUnknown) {
          try await helper.open([], variables: ["AWS_LAMBDA_FUNCTION_NAME": name])
        }
      }
      await expectError(.invalidArgument) { try await helper.open(["A B"], function: "f", variables: ["A B": "AAAA"]) }
      await expectError(.invalidArgument, saying: "twice") {
        try await helper.open(["A", "A"], function: "f", variables: ["A": "AAAA"])
      }
      #expect(try await helper.open([], function: "f", variables: [:]).secrets.names == [])
      #expect(try await test.account.counts().total == 0)
    }

    @Test(arguments: [1, 4])
    func noMoreCallsAreUnderWayThanMayBe(limit: Int) async throws {
      let (key, test) = (try await KeyService.key(), try TestClient())
      let text = try await value("v", under: key)
      let names = (0..<20).map { "N\($0)" }
      let variables = Dictionary(uniqueKeysWithValues: names.map { ($0, text) })
      try await test.account.hold(true)
      let helper = try helper(test, limit: limit)
      async let opened = helper.open(names, function: "checkout", variables: variables)
      try await test.account.wait(for: limit)
      try await test.account.hold(false)
      #expect(try await opened.secrets.names.count == 20)
      let counts = try await test.account.counts()
      #expect(counts.total == 20 && counts.max_concurrent == limit)
    }
  }
#endif
