// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import TestSupport
  import Testing

  @testable import EnvelopeKitAWS

  /// Failures that need different repairs have different messages.
  @Suite(.timeLimit(.minutes(20))) struct ConnectionErrorTests {
    private func failure(_ code: EnvelopeError.Code, _ test: TestClient, saying words: String) async -> EnvelopeError? {
      await expectError(code, saying: words) { try await test.keyring("alias/any").generateDataKey(for: [:]) }
    }

    @Test func nameWithoutAddressIsNotRefusedConnection() async throws {
      // No label of a name is this long, so no server is asked.
      let name = String(repeating: "a", count: 64) + ".example"
      let unknown = try TestClient {
        $0.endpoint = "https://\(name)"
        $0.tryLimit = 1
      }
      let error = await failure(.keyServiceUnavailable, unknown, saying: "the name cannot be resolved")
      #expect(error?.advice.contains("Region") == true)
      let closed = try TestClient {
        $0.endpoint = "https://127.0.0.1:1"
        $0.tryLimit = 1
      }
      _ = await failure(.keyServiceUnavailable, closed, saying: "refuses the connection")
      let named = try TestClient {
        $0.endpoint = "https://localhost:1"
        $0.tryLimit = 1
      }
      _ = await failure(.keyServiceUnavailable, named, saying: "refuses the connection")
    }

    @Test(arguments: [("page", 200), ("page-denied", 403)])
    func pageIsNoResponseOfAWS(fault: String, status: Int) async throws {
      let test = try TestClient()
      try await test.account.fail([fault])
      let error = await failure(.keyServiceAnswerInvalid, test, saying: "sent an HTML page (status \(status))")
      #expect(error?.advice.contains("HTTPS_PROXY") == true && test.pauses.all.isEmpty)
    }

    @Test func pageOfGatewayIsTriedAgain() async throws {
      let key = try await KeyService.key()
      let test = try TestClient { $0.tryLimit = 2 }
      try await test.account.fail(["page-gateway"])
      _ = try await test.keyring(key.arn).generateDataKey(for: [:])
      try await test.account.fail(["page-gateway", "page-gateway"])
      _ = await failure(.keyServiceUnavailable, test, saying: "sent an HTML page (status 502)")
    }

    @Test(arguments: [(-600, "10 minutes slow"), (600, "10 minutes fast"), (-86_400 * 400, "minutes slow")])
    func wrongClockIsReportedInMinutes(offset: Int64, words: String) async throws {
      let session = try await KeyService.shared.makeSession()
      let credentials = try AWSCredentials(
        accessKeyID: session.access_key, secretAccessKey: session.secret_key, sessionToken: session.session_token)
      let test = try TestClient(to: "strict", credentials: credentials, clockOffset: offset)
      let error = await failure(.credentialsRefused, test, saying: "this machine's clock is ")
      #expect(error?.message.contains(words) == true && error?.advice.contains("Set the clock") == true)
    }

    @Test func wrongSecretIsNotTheClock() async throws {
      let session = try await KeyService.shared.makeSession()
      for offset: Int64 in [0, 170, -170] {
        let credentials = try AWSCredentials(
          accessKeyID: session.access_key, secretAccessKey: "wrong", sessionToken: session.session_token)
        let test = try TestClient(to: "strict", credentials: credentials, clockOffset: offset)
        let error = await failure(.credentialsRefused, test, saying: "does not accept the request's signature")
        #expect(error.map { !"\($0)".contains("clock") } == true)
      }
    }

    @Test func requestNamesTheVersionOfTheClient() async throws {
      let key = try await KeyService.key()
      let test = try TestClient()
      _ = try await test.keyring(key.arn).generateDataKey(for: [:])
      #expect(try await test.account.counts().requests[0].user_agent == "EnvelopeKit/\(EnvelopeKitVersion.current)")
    }

    @Test(arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Fri, 27 Nov 2026 13:54:02 GMT", 1_795_787_642),
    ])
    func readsDateOfResponse(text: String, seconds: UInt64) { #expect(HTTPDate.seconds(of: text) == seconds) }

    @Test(arguments: [
      "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 6  Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:3\u{e9} GM",
      "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:-4:37 GMT",
    ])
    func refusesOtherDates(text: String) { #expect(HTTPDate.seconds(of: text) == nil) }
  }
#endif
