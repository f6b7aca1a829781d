// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Synchronization
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// What the client says of answers that are not what they should be, and how often it asks.
  @Suite(.timeLimit(.minutes(20))) struct FaultTests {
    private func wrapped(_ key: KeyService.Key) async throws -> [WrappedDataKey] {
      try await TestClient().keyring(key.arn).generateDataKey(for: ["function": "f"]).wrapped
    }

    /// Answers that no try makes better, told after one.
    @Test(arguments: [
      ("other-key", EnvelopeError.Code.keyServiceAnswerInvalid), ("short-plaintext", .keyServiceAnswerInvalid),
      ("long-plaintext", .keyServiceAnswerInvalid), ("no-plaintext", .keyServiceAnswerInvalid),
      ("empty-plaintext", .keyServiceAnswerInvalid), ("null-plaintext", .keyServiceAnswerInvalid),
      ("bad-base64", .keyServiceAnswerInvalid), ("duplicate-member", .keyServiceAnswerInvalid),
      ("no-key-id", .keyServiceAnswerInvalid), ("number-key-id", .keyServiceAnswerInvalid),
      ("not-json", .keyServiceAnswerInvalid), ("not-utf8", .keyServiceAnswerInvalid),
      ("json-array", .keyServiceAnswerInvalid), ("empty", .keyServiceAnswerInvalid),
      ("empty-object", .keyServiceAnswerInvalid), ("deep-json", .keyServiceAnswerInvalid),
      ("oversized", .keyServiceAnswerInvalid), ("oversized-length", .keyServiceAnswerInvalid),
      ("redirect", .keyServiceAnswerInvalid), ("redirect-302", .keyServiceAnswerInvalid),
      ("redirect-plain", .keyServiceAnswerInvalid),
      ("access-denied", .keyAccessDenied), ("disabled", .keyDisabled), ("invalid-state", .keyInvalidState),
      ("not-found", .keyNotFound), ("invalid-ciphertext", .unwrapFailed), ("incorrect-key", .unwrapFailed),
      ("limit-exceeded", .keyServiceRefused), ("invalid-key-usage", .keyServiceRefused),
      ("invalid-grant-token", .keyServiceRefused), ("validation", .keyServiceRefused),
      ("expired-token", .credentialsRefused), ("unrecognized-client", .credentialsRefused),
      ("invalid-signature", .credentialsRefused),
    ])
    func isToldAtOnce(fault: String, code: EnvelopeError.Code) async throws {
      let key = try await KeyService.key()
      let wrapped = try await wrapped(key)
      let test = try TestClient()
      try await test.account.fail([fault])
      let error = await expectError(code, at: fault) {
        try await test.keyring(key.arn).unwrap(wrapped, for: ["function": "f"])
      }
      let counts = try await test.account.counts()
      #expect(counts.total == 1 && counts.redirects_followed == 0 && test.pauses.all.isEmpty)
      #expect(counts.bytes_sent < 64 << 20, "an endless answer is not read to its end")
      if code != .keyServiceAnswerInvalid || fault.hasPrefix("json") { #expect(error?.requestID?.isEmpty == false) }
    }

    /// Failures of the service, or on the way: tried again, and told where nothing else comes.
    @Test(arguments: [
      ("internal", EnvelopeError.Code.keyServiceUnavailable),
      ("dependency", .keyServiceUnavailable), ("key-unavailable", .keyServiceUnavailable),
      ("unavailable", .keyServiceUnavailable), ("close", .keyServiceUnavailable), ("reset", .keyServiceUnavailable),
      ("truncated", .keyServiceUnavailable), ("truncated-chunked", .keyServiceUnavailable),
      ("not-http", .keyServiceUnavailable),
    ])
    func isTriedAgain(fault: String, code: EnvelopeError.Code) async throws {
      let key = try await KeyService.key()
      let wrapped = try await wrapped(key)
      let test = try TestClient { $0.tryLimit = 3 }
      let keyring = try test.keyring(key.arn)
      try await test.account.fail([fault, fault])
      #expect(try await keyring.unwrap(wrapped, for: ["function": "f"]).source == wrapped[0])
      try await test.account.fail([fault, fault, fault])
      await expectError(code, at: fault) { try await keyring.unwrap(wrapped, for: ["function": "f"]) }
      #expect(try await test.account.counts().total == 6)
      #expect(test.pauses.all == [.milliseconds(50), .milliseconds(100), .milliseconds(50), .milliseconds(100)])
    }

    @Test(arguments: ["chunked", "close-after"])
    func isAsGoodAsAnyOther(fault: String) async throws {
      let key = try await KeyService.key()
      let wrapped = try await wrapped(key)
      let test = try TestClient()
      let keyring = try test.keyring(key.arn)
      try await test.account.fail([fault, "none"])
      for _ in 0..<2 { #expect(try await keyring.unwrap(wrapped, for: ["function": "f"]).source == wrapped[0]) }
    }

    /// Full jitter: each pause is a random part of a time that doubles.
    @Test func pausesAreRandomPartsOfATimeThatDoubles() async throws {
      let test = try TestClient(chance: 0.5) { $0.tryLimit = 9 }
      try await test.account.fail([String](repeating: "internal", count: 9))
      await expectError(.keyServiceUnavailable) {
        try await test.keyring("alias/any").generateDataKey(for: [:])
      }
      #expect(test.pauses.all == [25, 50, 100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
    }

    /// Other requests of the account use the quota up; the next moment there may be room.
    @Test func throttlingIsTriedAgainUntilTheDeadline() async throws {
      let key = try await KeyService.key()
      let test = try TestClient { $0.tryLimit = 1 }
      try await test.account.fail([String](repeating: "throttle", count: 30))
      _ = try await test.keyring(key.arn).generateDataKey(for: [:])
      #expect(try await test.account.counts().total == 31)
      #expect(test.pauses.all.max() == .seconds(2))
    }

    /// The clock stands still until a pause passes.
    @Test func throttlingEndsAtTheDeadline() async throws {
      let service = try KeyService.shared
      let account = service.account()
      var configuration = KMSClient.Configuration()
      configuration.credentials = try AWSCredentials(accessKeyID: account.id, secretAccessKey: "s")
      let start = ContinuousClock.now
      let passed = Mutex(Duration.zero)
      let timing = KMSClient.Timing(
        now: { start.advanced(by: passed.withLock { $0 }) }, sleep: { pause in passed.withLock { $0 += pause } },
        chance: { 1 })
      let client = try KMSClient(
        configuration,
        variables: [
          "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": service.url("url"), "AWS_CA_BUNDLE": service.url("ca"),
        ], timing: timing)
      try await account.fail([String](repeating: "throttle", count: 100))
      await expectError(.keyServiceThrottled) {
        try await KMSKeyring("alias/a", client: client).generateDataKey(for: [:])
      }
      #expect(passed.withLock { $0 } <= .seconds(6) && passed.withLock { $0 } > .seconds(5))
    }

    /// A pause is not begun if the deadline is nearer than the shortest one.
    @Test func theDeadlineHoldsForAllTriesTogether() async throws {
      let test = try TestClient {
        $0.tryLimit = 100
        $0.deadline = .milliseconds(49)
      }
      try await test.account.fail([String](repeating: "throttle", count: 100))
      do {
        _ = try await test.keyring("alias/any").generateDataKey(for: [:])
        Issue.record("it succeeded")
      } catch let error as EnvelopeError {
        // On a busy machine the first try may take longer than that.
        #expect([.keyServiceThrottled, .keyServiceUnavailable].contains(error.code))
      }
      #expect(test.pauses.all.isEmpty)
    }

    @Test(arguments: ["slow", "slow-body"])
    func aSlowAnswerIsGivenUp(fault: String) async throws {
      let key = try await KeyService.key()
      let wrapped = try await wrapped(key)
      let test = try TestClient {
        $0.tryLimit = 2
        $0.tryTimeout = .milliseconds(500)
      }
      try await test.account.fail([fault, fault])
      await expectError(.keyServiceUnavailable, saying: "did not respond in time") {
        try await test.keyring(key.arn).unwrap(wrapped, for: ["function": "f"])
      }
      // The connections are closed, not left waiting. On a busy machine a request may not even have come.
      try await test.account.wait(forHangups: test.account.counts().total)
    }

    @Test func whoeverIsCancelledIsNotKeptWaiting() async throws {
      let test = try TestClient()
      try await test.account.fail(["slow"])
      let keyring = try test.keyring("alias/any")
      let task = Task { _ = try await keyring.generateDataKey(for: [:]) }
      try await test.account.wait(for: 1)
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      try await test.account.wait(forHangups: 1)
      #expect(try await test.account.counts().total == 1)
    }

    @Test(arguments: ["no-ciphertext", "empty-ciphertext", "long-ciphertext", "bad-base64-ciphertext", "other-key"])
    func aWrappedKeyThatCannotBeOneIsRefused(fault: String) async throws {
      let key = try await KeyService.key()
      let test = try TestClient()
      let keyring = try test.keyring(key.arn)
      let generated = try await keyring.generateDataKey(for: [:])
      try await test.account.fail([fault, fault])
      await expectError(.keyServiceAnswerInvalid) { try await keyring.generateDataKey(for: [:]) }
      await expectError(.keyServiceAnswerInvalid) { try await keyring.wrap(generated.dataKey, for: [:]) }
      // An alias may stand for any key, but not for one of another Region or account.
      if fault != "other-key" {
        try await test.account.fail([fault])
        await expectError(.keyServiceAnswerInvalid) {
          try await test.keyring(try #require(key.alias)).generateDataKey(for: [:])
        }
      }
    }

    /// An entry that was refused is not asked about again when the header's other entries are.
    @Test func noEntryIsAskedAboutTwice() async throws {
      let (one, two, three) = (try await KeyService.key(), try await KeyService.key(), try await KeyService.key())
      let test = try TestClient()
      let keyring = try test.keyring(one.arn, others: [two.arn, three.arn])
      // The first entry is refused, the second gives another data key and is passed over, the third opens.
      let forger = Forger(
        right: try test.keyring(one.arn), wrong: try test.keyring(two.arn), last: try test.keyring(three.arn))
      let envelope = try await Envelope.seal([1], context: ["a": "b"], using: forger)
      let asked = try await test.account.counts().total
      try await test.account.fail(["invalid-ciphertext"])
      let opener = try await Opener(for: envelope, context: ["a": "b"], using: keyring)
      #expect(opener.source.keyID.string == three.arn)
      let names = try await test.account.counts().requests.dropFirst(asked).map(\.body.KeyId)
      #expect(names == [one.arn, two.arn, three.arn])
    }

    /// Wraps one data key with two keyrings, and puts the entry of another data key between.
    private struct Forger: Keyring {
      let right, wrong, last: KMSKeyring

      func generateDataKey(for context: EncryptionContext) async throws -> GeneratedDataKey {
        let generated = try await right.generateDataKey(for: context)
        let other = try await wrong.generateDataKey(for: context).wrapped
        let wrapped = try await generated.wrapped + other + last.wrap(generated.dataKey, for: context)
        return GeneratedDataKey(dataKey: try DataKey(SecretBytes(copied: generated.dataKey.copied())), wrapped: wrapped)
      }

      func wrap(_ dataKey: borrowing DataKey, for context: EncryptionContext) async throws -> [WrappedDataKey] {
        try await last.wrap(dataKey, for: context)
      }

      func unwrap(_ wrapped: [WrappedDataKey], for context: EncryptionContext) async throws -> UnwrappedDataKey {
        try await last.unwrap(wrapped, for: context)
      }
    }
  }
#endif
