// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Sends requests to one service of AWS, and repeats those that the service may accept a moment later.
  struct AWSService: Sendable {
    /// The name that signatures have, such as `kms`.
    let name: String
    let region: String
    let endpoint: Endpoint
    let web: WebClient
    let limits: Limits
    let timing: KMSClient.Timing

    struct Limits: Sendable {
      /// How long one attempt may take, from the connection to the last byte.
      var attemptTimeout: Duration
      /// How long all attempts and the pauses between them may take.
      var deadline: Duration
      /// How many attempts there are if the service cannot be reached or fails; throttling ends at the deadline alone.
      var attemptLimit: Int
    }

    /// A request without the headers that all requests have.
    struct Request: Sendable {
      var headers: [(name: String, value: String)]
      /// In guarded memory, because it may hold a secret.
      let body: GuardedMemory
    }

    private static let firstBackoff = Duration.milliseconds(50)
    private static let longestBackoff = Duration.seconds(2)

    /// Sends a request until it is accepted or refused, the attempts are used up, or the deadline is near.
    ///
    /// Between attempts it pauses for a random part of a time that doubles up to two seconds (full jitter). A refusal is
    /// final, except that credentials which the service does not accept are looked up again, once.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - credentials: What it is signed with; nil sends it without a signature.
    ///   - read: Reads the response, and throws if it is a failure.
    func send<R>(
      _ request: Request, as credentials: CredentialCache?, reading read: (WebClient.Answer) throws(EnvelopeError) -> R
    ) async throws -> R {
      var end = timing.now().advanced(by: limits.deadline)
      var (attempts, backoff) = (0, Self.firstBackoff)
      var last: EnvelopeError?
      var refused: (credentials: AWSCredentials, failure: EnvelopeError)?
      while true {
        attempts += 1
        var used: AWSCredentials?
        do {
          let start = timing.now()
          let found = try await credentials?.credentials()
          // A program that asks a person for a code may take a minute.
          end = end.advanced(by: start.duration(to: timing.now()))
          if let found, let refused, found.isSame(as: refused.credentials) { throw refused.failure }
          used = found
          let remaining = timing.now().duration(to: end)
          guard remaining > .zero else { throw last ?? timeout }
          return try read(await attempt(request, with: found, within: min(remaining, limits.attemptTimeout)))
        } catch let failure as EnvelopeError where failure.code == .credentialsRefused && refused == nil {
          guard let used, let credentials else { throw failure }
          await credentials.forget(used)
          refused = (used, failure)
        } catch let failure as EnvelopeError where isWorthAnotherAttempt(failure, after: attempts) {
          let remaining = timing.now().duration(to: end)
          guard remaining > Self.firstBackoff else { throw failure }
          try await timing.sleep(min(backoff, remaining) * timing.chance())
          backoff = min(backoff * 2, Self.longestBackoff)
          last = failure
        }
      }
    }

    private func isWorthAnotherAttempt(_ failure: EnvelopeError, after attempts: Int) -> Bool {
      switch failure.code {
      case .keyServiceThrottled: true
      case .keyServiceUnavailable: attempts < limits.attemptLimit
      default: false
      }
    }

    private var timeout: EnvelopeError {
      EnvelopeError(
        .keyServiceUnavailable, "\(endpoint.authority) did not respond in time",
        advice: "Check the network, or allow more time.")
    }

    private func attempt(
      _ request: Request, with credentials: AWSCredentials?, within timeout: Duration
    ) async throws -> WebClient.Answer {
      var headers = request.headers
      if let credentials { headers = try signed(request, with: credentials) }
      headers.append(("user-agent", "EnvelopeKit/\(EnvelopeKitVersion.current)"))
      return try await web.answer(
        to: WebClient.Request(endpoint: endpoint, headers: headers, body: request.body), within: timeout)
    }

    private func signed(
      _ request: Request, with credentials: AWSCredentials
    ) throws(EnvelopeError) -> [(name: String, value: String)] {
      let timestamp = Timestamp.basic(timing.wallClock())
      var headers = request.headers + [("x-amz-date", timestamp)]
      if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
      let signable = SignableRequest(method: "POST", path: "/", headers: headers + [("host", endpoint.authority)])
      let authorization = try request.body.withBytes { (body) throws(EnvelopeError) in
        try Signature(region: region, service: name, timestamp: timestamp)
          .authorization(of: signable, body: body, credentials: credentials)
      }
      return headers + [("authorization", authorization)]
    }
  }

  extension WebClient.Answer {
    /// The id that AWS gave the request, if it is printable.
    var requestID: String? {
      header("x-amzn-requestid").flatMap { id in
        id.utf8.count <= 128 && id.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? id : nil
      }
    }
  }
#endif
