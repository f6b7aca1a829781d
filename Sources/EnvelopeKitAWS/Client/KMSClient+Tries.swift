// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  extension KMSClient {
    private static let firstBackoff = Duration.milliseconds(50)
    private static let longestBackoff = Duration.seconds(2)

    /// Sends a request until it is answered or refused, the tries are used up, or the deadline is near.
    ///
    /// Between tries it waits for a random part of a time that doubles (full jitter). A refusal is never tried
    /// again, but that credentials which the service does not accept are looked for anew, once.
    func send(_ request: KMSRequest) async throws -> KMSAnswer {
      let end = timing.now().advanced(by: configuration.deadline)
      var (tries, backoff) = (0, Self.firstBackoff)
      var refused: (credentials: AWSCredentials, failure: EnvelopeError)?
      while true {
        tries += 1
        var used: AWSCredentials?
        do {
          let found = try await credentials.credentials()
          if let refused, found.isSame(as: refused.credentials) { throw refused.failure }
          used = found
          return try await attempt(request, with: found, until: end)
        } catch let failure as EnvelopeError where failure.code == .credentialsRefused && refused == nil {
          guard let used else { throw failure }
          await credentials.forget(used)
          refused = (used, failure)
        } catch let failure as EnvelopeError where failure.isWorthAnotherTry && tries < configuration.tryLimit {
          let pause = backoff * timing.chance()
          guard timing.now().advanced(by: pause) < end else { throw failure }
          try await timing.sleep(pause)
          backoff = min(backoff * 2, Self.longestBackoff)
        }
      }
    }

    private func attempt(
      _ request: KMSRequest, with credentials: AWSCredentials, until end: ContinuousClock.Instant
    ) async throws -> KMSAnswer {
      let remaining = timing.now().duration(to: end)
      guard remaining > .zero else {
        throw EnvelopeError(
          .keyServiceUnavailable, "Credentials for \(endpoint.authority) arrived too late",
          advice: "Check the network, or allow more time.")
      }
      let answer = try await web.answer(
        to: signed(request, with: credentials), within: min(remaining, configuration.tryTimeout))
      let requestID = answer.header("x-amzn-requestid").flatMap(Self.printable)
      guard answer.status == 200 else {
        throw KMSFailure(
          status: answer.status, errorType: answer.header("x-amzn-errortype"), body: answer.body, requestID: requestID
        ).error(from: endpoint)
      }
      return KMSAnswer(body: answer.body, requestID: requestID)
    }

    private func signed(_ request: KMSRequest, with credentials: AWSCredentials) throws(EnvelopeError)
      -> WebClient.Request
    {
      let timestamp = Timestamp.basic(timing.wallClock())
      var headers: [(name: String, value: String)] = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-date", timestamp),
        ("x-amz-target", "TrentService.\(request.operation)"),
      ]
      if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
      let signable = SignableRequest(method: "POST", path: "/", headers: headers + [("host", endpoint.authority)])
      let authorization = try request.body.withBytes { (body) throws(EnvelopeError) in
        try Signature(region: region, service: "kms", timestamp: timestamp)
          .authorization(of: signable, body: body, credentials: credentials)
      }
      headers += [("authorization", authorization), ("user-agent", "EnvelopeKit/1")]
      return WebClient.Request(endpoint: endpoint, headers: headers, body: request.body)
    }

    private static func printable(_ text: String) -> String? {
      text.utf8.count <= 128 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? text : nil
    }
  }

  extension EnvelopeError {
    /// Whether the service may take the same request a moment later.
    fileprivate var isWorthAnotherTry: Bool { [.keyServiceUnavailable, .keyServiceThrottled].contains(code) }
  }
#endif
