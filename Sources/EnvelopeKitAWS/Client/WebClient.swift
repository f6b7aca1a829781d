// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import AsyncHTTPClient
  internal import EnvelopeKit
  internal import EnvelopeKitFiles
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOSSL

  /// Sends one request and gives its answer, within a time and a length.
  ///
  /// TLS is 1.2 or newer, with the certificate and the host's name verified. No redirect is followed, nothing is
  /// decompressed. Only TLS goes through a proxy.
  final class WebClient: Sendable {
    private let direct: HTTPClient
    private let proxied: HTTPClient?
    private let proxy: Proxy?
    private let tls: TLSConfiguration

    /// Opens no connection yet.
    ///
    /// - Parameters:
    ///   - trustRoots: A file of certificates in PEM that are trusted instead of the system's.
    ///   - proxy: The proxy of the process environment.
    /// - Throws: `fileFailure` if the file cannot be read, `invalidArgument` if it has no certificate.
    convenience init(trustRoots: String?, proxy: Proxy? = nil) throws(EnvelopeError) {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.minimumTLSVersion = .tlsv12
      tls.certificateVerification = .fullVerification
      if let trustRoots { tls.trustRoots = .certificates(try Self.certificates(in: Path(trustRoots))) }
      self.init(tls: tls, proxy: proxy, connectTimeout: nil)
    }

    private init(tls: TLSConfiguration, proxy: Proxy?, connectTimeout: Duration?) {
      self.tls = tls
      var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
      configuration.httpVersion = .http1Only
      if let connectTimeout { configuration.timeout.connect = TimeAmount(connectTimeout) }
      configuration.connectionPool.retryConnectionEstablishment = false
      // All opens of a cold start may go out at once.
      configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
      direct = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
      self.proxy = proxy
      guard let proxy else {
        proxied = nil
        return
      }
      let authorization = proxy.user.map { user in
        HTTPClient.Authorization.basic(username: user, password: proxy.password ?? "")
      }
      configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: authorization)
      proxied = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Returns a client that trusts the same authorities, connects directly, and reports a connection that takes too
    /// long as `HTTPClientError.connectTimeout`.
    func withoutProxy(connectTimeout: Duration) -> WebClient {
      WebClient(tls: tls, proxy: nil, connectTimeout: connectTimeout)
    }

    deinit {
      // A request in flight holds a reference to this, so there is none.
      _ = direct.shutdown()
      _ = proxied?.shutdown()
    }

    private static func certificates(in path: Path) throws(EnvelopeError) -> [NIOSSLCertificate] {
      let text = try path.openFileForReading().readAll(limit: 16 << 20, of: path).withBytes { [UInt8](copying: $0) }
      guard let certificates = try? NIOSSLCertificate.fromPEMBytes(text), !certificates.isEmpty else {
        throw EnvelopeError(
          .invalidArgument, "\(path) holds no certificate in PEM",
          advice: "Give the file of an authority's certificates.")
      }
      return certificates
    }

    /// A request: its body is wiped once it has been sent, or has failed to be.
    struct Request: Sendable {
      var method = "POST"
      let endpoint: Endpoint
      /// Begins with a slash; may hold a query.
      var path = "/"
      /// All but `host` and the body's length.
      var headers: [(name: String, value: String)] = []
      var body: GuardedMemory?
    }

    struct Answer: Sendable {
      let status: Int
      /// The body, which may hold secrets.
      let body: GuardedMemory
      private let headers: HTTPHeaders

      fileprivate init(status: HTTPResponseStatus, headers: HTTPHeaders, body: GuardedMemory) {
        self.status = Int(status.code)
        self.headers = headers
        self.body = body
      }

      /// The value of a header, or nil.
      func header(_ name: String) -> String? { headers.first(name: name) }
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - timeout: The time that all of it may take; at most a day.
    ///   - limit: How long the answer's body may be, in bytes.
    /// - Throws: `keyServiceUnavailable`, `keyServiceNotTrusted`, `keyServiceAnswerInvalid` where the answer is
    ///   too long; `CancellationError`.
    func answer(to request: Request, within timeout: Duration, limit: Int = 1 << 16) async throws -> Answer {
      do {
        return try await attempt(request, within: timeout, limit: limit)
      } catch let error as EnvelopeError {
        throw error
      } catch {
        try Task.checkCancellation()
        throw EnvelopeError.connection(error, to: request.endpoint, through: proxy(for: request.endpoint))
      }
    }

    /// Does the same, and leaves the network's errors as they are.
    func attempt(_ request: Request, within timeout: Duration, limit: Int = 1 << 16) async throws -> Answer {
      try await withThrowingTaskGroup(of: Answer.self) { group in
        group.addTask { try await self.exchange(request, within: timeout, limit: limit) }
        group.addTask {
          try await Task.sleep(for: timeout)
          throw HTTPClientError.deadlineExceeded
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
      }
    }

    private func proxy(for endpoint: Endpoint) -> Proxy? {
      guard let proxy, proxy.serves(endpoint) else { return nil }
      return proxy
    }

    private func exchange(_ request: Request, within timeout: Duration, limit: Int) async throws -> Answer {
      var outgoing = HTTPClientRequest(url: request.endpoint.origin + request.path)
      outgoing.method = HTTPMethod(rawValue: request.method)
      for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
      outgoing.headers.add(name: "host", value: request.endpoint.authority)
      let client = proxied.flatMap { proxy(for: request.endpoint) == nil ? nil : $0 } ?? direct
      let body = request.body.map {
        $0.withBytes { bytes in unsafe bytes.withUnsafeBytes { unsafe ByteBuffer(bytes: $0) } }
      }
      var hasAnswered = false
      defer {
        if hasAnswered {
          body?.wipe()
        } else {
          // The network's thread may be reading it still: the connection is being closed.
          client.eventLoopGroup.any().scheduleTask(in: .seconds(1)) { body?.wipe() }
        }
      }
      if let body { outgoing.body = .bytes(body) }

      let response = try await client.execute(outgoing, timeout: TimeAmount(timeout))
      hasAnswered = true
      var parts: [ByteBuffer] = []
      var byteCount = 0
      defer { for part in parts { part.wipe() } }
      for try await part in response.body {
        parts.append(part)
        byteCount += part.readableBytes
        guard byteCount <= limit else {
          throw EnvelopeError(
            .keyServiceAnswerInvalid, "The response of \(request.endpoint.authority) is longer than \(limit) bytes",
            advice: "Check that the endpoint is the service's.")
        }
      }
      // The body's sequence ends early where the task is cancelled.
      try Task.checkCancellation()
      let memory = try GuardedMemory(capacity: byteCount) { output in
        for part in parts {
          unsafe part.withUnsafeReadableBytes { unsafe output.append($0.bytes) }
        }
      }
      return Answer(status: response.status, headers: response.headers, body: memory)
    }
  }

  extension ByteBuffer {
    /// Overwrites the bytes where they lie, also for whoever else holds this storage: nobody reads them again.
    func wipe() {
      unsafe withUnsafeReadableBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(mutating: bytes).wipe()
      }
    }
  }

  extension TimeAmount {
    fileprivate init(_ duration: Duration) {
      let (seconds, attoseconds) = duration.components
      self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
  }
#endif
