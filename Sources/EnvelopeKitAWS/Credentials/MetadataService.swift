// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import AsyncHTTPClient
  internal import EnvelopeKit
  internal import NIOCore
  internal import NIOPosix

  #if canImport(Darwin)
    internal import Darwin
  #elseif canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #endif

  /// Requests to a metadata service: each is retried a little, within one deadline for all of them.
  ///
  /// They never use a proxy: the addresses have a meaning on this machine alone, and a proxy would see credentials.
  struct MetadataService: Sendable {
    /// The service as errors name it, such as `the instance's metadata service`.
    let name: String
    let limits: Limits
    private let web: WebClient
    private let deadline: ContinuousClock.Instant

    /// How long and how often to try.
    struct Limits: Sendable {
      /// The time limit of a connection, which must be shorter than that of an attempt.
      var connection = Duration.seconds(1)
      /// The time limit of one attempt, from the connection to the last byte.
      var attempt = Duration.seconds(2)
      /// The attempts of each request.
      var attempts = 3
      /// The attempts to reach a service that may not exist.
      ///
      /// Elsewhere than on AWS packets to its address may vanish. A second attempt would only double the wait.
      var firstConnections = 1
      /// The time limit of all requests and the pauses between them.
      var total = Duration.seconds(4)
      var now: @Sendable () -> ContinuousClock.Instant = { .now }
      var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    }

    init(name: String, limits: Limits, web: WebClient) {
      self.name = name
      self.limits = limits
      self.web = web.withoutProxy(connectTimeout: limits.connection)
      deadline = limits.now().advanced(by: limits.total)
    }

    /// The reasons why a request has no response.
    enum NoResponse: Error {
      /// No host is at the address, or it refuses connections.
      case unreachable
      /// Packets to the address vanish.
      case vanished
      /// The service accepts the connection, and does not respond in time.
      case slow
      /// The connection breaks off, or what comes back is not a response.
      case broken
    }

    /// Sends a request until its response is accepted, or the attempts or the time are used up.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - failure: The error for a request that has no response; nil if the caller has a use for that case.
    ///   - read: Reads a response. If it throws `keyServiceUnavailable`, the request is sent again.
    /// - Returns: What was read, or nil if `failure` returns nil.
    func send<Value: Sendable>(
      _ request: WebClient.Request, failure: (NoResponse) -> EnvelopeError?,
      read: (WebClient.Answer) throws(EnvelopeError) -> Value
    ) async throws -> Value? {
      var (attempts, pause) = (0, Duration.milliseconds(100))
      while true {
        attempts += 1
        var last: EnvelopeError
        var limit = limits.attempts
        do {
          return try read(try await attempt(request))
        } catch let reason as NoResponse {
          if reason == .vanished { limit = min(limit, limits.firstConnections) }
          // A second attempt at a machine that says that no service is there gives the same.
          let error = failure(reason)
          if error == nil, reason == .unreachable || attempts >= limit { return nil }
          last = error ?? unavailable("does not respond")
        } catch let error as EnvelopeError {
          guard error.code == .keyServiceUnavailable else { throw error }
          last = error
        }
        guard attempts < limit, limits.now().advanced(by: pause) < deadline else { throw last }
        try await limits.sleep(pause)
        pause *= 2
      }
    }

    private func attempt(_ request: WebClient.Request) async throws -> WebClient.Answer {
      let remaining = limits.now().duration(to: deadline)
      guard remaining > .zero else { throw NoResponse.slow }
      do {
        return try await web.attempt(request, within: min(remaining, limits.attempt))
      } catch let error as EnvelopeError {
        // The response is longer than any of this service.
        throw error.code == .keyServiceAnswerInvalid ? unavailable("sends a response that is too long") : error
      } catch {
        try Task.checkCancellation()
        throw NoResponse(error)
      }
    }

    /// The error for a failure that may pass.
    func unavailable(_ failure: String, advice: String = "Try again later.") -> EnvelopeError {
      EnvelopeError(.keyServiceUnavailable, "Cannot get AWS credentials: \(name) \(failure)", advice: advice)
    }

    /// The error for a service that gives no credentials.
    func missing(_ failure: String, advice: String) -> EnvelopeError {
      EnvelopeError(.credentialsMissing, "Cannot get AWS credentials: \(name) \(failure)", advice: advice)
    }

    /// Describes a response that is not a success: its status, and the service's own reason if it has one.
    static func description(of answer: WebClient.Answer) -> String {
      let members = try? JSONMembers(answer.body)
      let reason = ["code", "Code", "message", "Message"].compactMap { (try? members?.string($0)) ?? nil }
      let words = reason.filter { !$0.isEmpty }.joined(separator: ": ")
      let status = answer.status == 200 ? "reports an error" : "responds with status \(answer.status)"
      guard !words.isEmpty else { return status }
      var shown = EnvelopeError.escaped(String(words.unicodeScalars.prefix(400)))
      if shown.hasSuffix(".") { shown.removeLast() }
      return "\(status): \(shown)"
    }
  }

  extension MetadataService.NoResponse {
    fileprivate init(_ error: any Error) {
      switch error as? HTTPClientError {
      case .connectTimeout?: self = .vanished
      case .deadlineExceeded?, .readTimeout?, .getConnectionFromPoolTimeout?: self = .slow
      default: self = Self.isUnreachable(error) ? .unreachable : .broken
      }
    }

    /// Whether the system reports that there is no such host, route or listener.
    private static func isUnreachable(_ error: any Error) -> Bool {
      if let error = error as? NIOConnectionError {
        return error.connectionErrors.contains { isUnreachable($0.error) }
          || error.connectionErrors.isEmpty && (error.dnsAError != nil || error.dnsAAAAError != nil)
      }
      // A firewall's own refusal to send is EPERM or EACCES.
      let codes: [CInt] = [
        ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM, EACCES,
      ]
      return (error as? IOError).map { codes.contains($0.errnoCode) } ?? false
    }
  }
#endif
