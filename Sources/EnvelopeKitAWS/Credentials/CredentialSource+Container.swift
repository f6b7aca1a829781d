// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  extension CredentialSource {
    /// Gets the credentials that ECS and EKS Pod Identity give to a container.
    ///
    /// - Returns: The credentials, or nil if no variable names an address.
    /// - Throws: `credentialsMissing` if the endpoint gives none; `keyServiceUnavailable` if it cannot be reached, or
    ///   fails inside, also after retries; `configurationInvalid` if the address is neither of AWS's, this machine's, nor
    ///   HTTPS, or the token cannot stand in a header; `fileFailure` if the token's file cannot be read.
    func fromContainer() async throws -> AWSCredentials? {
      let address: String
      if let path = environment.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        address = "http://169.254.170.2" + path
      } else if let complete = environment.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        address = complete
      } else {
        return nil
      }
      let (endpoint, path) = try Self.split(
        address, advice: "Correct AWS_CONTAINER_CREDENTIALS_FULL_URI: https://, this machine, or AWS's own address.")
      guard !Self.isInstanceMetadata(endpoint) else {
        throw EnvelopeError(
          .configurationInvalid, "\(EnvelopeError.quoted(address)) is not the address of a container's credentials",
          advice: "Correct AWS_CONTAINER_CREDENTIALS_FULL_URI: https://, this machine, or AWS's own address.")
      }
      var request = WebClient.Request(
        method: "GET", endpoint: endpoint, path: path, headers: [("accept", "application/json")])
      if let token = try containerToken() { request.headers.append(("authorization", token)) }
      var limits = metadataLimits
      // A variable says that this endpoint exists.
      limits.firstConnections = limits.attempts
      let service = MetadataService(name: "the container's endpoint", limits: limits, web: web)
      return try await service.send(
        request,
        failure: { reason in
          switch reason {
          case .unreachable: service.unavailable("at \(endpoint.authority) cannot be reached")
          case .vanished, .slow: service.unavailable("at \(endpoint.authority) does not respond in time")
          case .broken: service.unavailable("at \(endpoint.authority) closes the connection")
          }
        },
        read: { (answer) throws(EnvelopeError) in
          try Self.credentials(in: answer, from: service, advice: "Check the role of this task or pod.")
        })
    }

    private func containerToken() throws(EnvelopeError) -> String? {
      guard let file = environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
        return try environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Self.headerValue)
      }
      // Read anew each time: the platform replaces it.
      let text = try Path(file).openFileForReading().readAll(limit: 1 << 16, of: Path(file))
      return try Self.headerValue(text.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) })
    }

    private static func headerValue(_ text: String) throws(EnvelopeError) -> String {
      let value = text.last?.isNewline == true ? String(text.dropLast()) : text
      guard value.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
        throw EnvelopeError(
          .configurationInvalid, "The container's authorization token cannot stand in a header",
          advice: "Check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, or AWS_CONTAINER_AUTHORIZATION_TOKEN.")
      }
      return value
    }

    /// Splits the address of a metadata service into its endpoint and its path.
    static func split(_ address: String, advice: String) throws(EnvelopeError) -> (Endpoint, String) {
      guard let (scheme, rest) = Endpoint.split(address, at: "://") else {
        throw EnvelopeError(
          .configurationInvalid, "\(EnvelopeError.quoted(address)) is not the address of a metadata service",
          advice: advice)
      }
      let slash = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
      let path = rest[slash...].hasPrefix("/") ? String(rest[slash...]) : "/" + rest[slash...]
      guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
        throw EnvelopeError(
          .configurationInvalid, "\(EnvelopeError.quoted(address)) has a path that cannot be one", advice: advice)
      }
      do throws(EnvelopeError) {
        return (try Endpoint("\(scheme)://\(rest[..<slash])", plainHTTP: .toMetadata), path)
      } catch {
        throw EnvelopeError(.configurationInvalid, error.message, advice: advice)
      }
    }

    private static func isInstanceMetadata(_ endpoint: Endpoint) -> Bool {
      ["http://169.254.169.254", "http://[fd00:ec2::254]"].contains { endpoint.origin.lowercased().hasPrefix($0) }
    }

    /// Reads the credentials in a response.
    ///
    /// - Throws: `keyServiceUnavailable` if the failure may pass, else `credentialsMissing`.
    static func credentials(
      in answer: WebClient.Answer, from service: MetadataService, advice: String
    ) throws(EnvelopeError) -> AWSCredentials {
      let failure = MetadataService.description(of: answer)
      guard answer.status != 408, answer.status != 429, !(500..<600).contains(answer.status) else {
        throw service.unavailable(failure)
      }
      guard answer.status == 200 else { throw service.missing(failure, advice: advice) }
      guard let members = try? JSONMembers(answer.body) else {
        throw service.missing("sends a response that is not a JSON object", advice: advice)
      }
      do throws(EnvelopeError) {
        guard try members.string("Code") ?? "Success" == "Success" else {
          throw service.missing(failure, advice: advice)
        }
        for name in ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"] {
          guard let value = try members.secret(name), value.byteCount > 0 else {
            throw service.missing("sends credentials without \(name)", advice: advice)
          }
        }
        guard let id = try members.string("AccessKeyId"), let secret = try members.secret("SecretAccessKey"),
          let expiration = try members.string("Expiration").flatMap(Timestamp.seconds)
        else { throw service.missing("sends credentials with an Expiration that is not a time", advice: advice) }
        return try AWSCredentials(
          accessKeyID: id, sessionToken: members.string("Token"), expiration: expiration, secret: secret)
      } catch {
        guard error.code != .credentialsMissing else { throw error }
        throw service.missing("sends credentials that cannot be ones", advice: advice)
      }
    }
  }
#endif
