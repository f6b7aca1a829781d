// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit
  internal import EnvelopeKitFiles

  /// Credentials from the addresses at which AWS gives them to what it runs.
  extension CredentialSource {
    /// As ECS and EKS Pod Identity give them.
    ///
    /// - Returns: nil where no variable names an address.
    /// - Throws: `credentialsMissing` where the address gives none, `invalidArgument` where it is not one of AWS's,
    ///   this machine's, or HTTPS.
    func fromContainer() async throws -> AWSCredentials? {
      let address: String
      if let path = environment.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        address = "http://169.254.170.2" + path
      } else if let whole = environment.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        address = whole
      } else {
        return nil
      }
      let (endpoint, path) = try Self.split(address)
      var request = WebClient.Request(method: "GET", endpoint: endpoint, path: path)
      if let token = try containerToken() { request.headers.append(("authorization", token)) }
      return try await credentials(answering: request, from: "the container's endpoint")
    }

    private func containerToken() throws(EnvelopeError) -> String? {
      guard let file = environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
        return try environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Self.headerValue)
      }
      // Read anew each time: the platform changes it.
      let text = try Path(file).openFileForReading().readAll(limit: 1 << 16, of: Path(file))
      return try Self.headerValue(text.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) })
    }

    private static func headerValue(_ text: String) throws(EnvelopeError) -> String {
      let value = text.last?.isNewline == true ? String(text.dropLast()) : text
      guard value.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
        throw EnvelopeError(.invalidArgument, "The container's authorization token cannot stand in a header")
      }
      return value
    }

    private static func split(_ address: String) throws(EnvelopeError) -> (Endpoint, String) {
      guard let (scheme, rest) = Endpoint.split(address, at: "://") else {
        throw EnvelopeError(
          .invalidArgument, "\(EnvelopeError.quoted(address)) is not the address of a metadata service",
          advice: "Correct AWS_CONTAINER_CREDENTIALS_FULL_URI, or AWS_EC2_METADATA_SERVICE_ENDPOINT.")
      }
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      let path = slash == rest.endIndex ? "/" : String(rest[slash...])
      guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
        throw EnvelopeError(
          .invalidArgument, "The address of a metadata service has a path that cannot be one")
      }
      return (try Endpoint("\(scheme)://\(rest[..<slash])", plainHTTP: .toMetadata), path)
    }

    /// As an EC2 instance's metadata service, version 2, gives them.
    ///
    /// - Returns: nil where nobody answers, or the instance has no role.
    func fromInstance() async throws -> AWSCredentials? {
      guard environment.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
      let (endpoint, root) = try Self.split(
        environment.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254")
      let prefix = root.hasSuffix("/") ? String(root.dropLast()) : root
      let ask = WebClient.Request(
        method: "PUT", endpoint: endpoint, path: prefix + "/latest/api/token",
        headers: [("x-aws-ec2-metadata-token-ttl-seconds", "300")])
      // Elsewhere than on an instance nobody is at that address, and packets to it may just vanish.
      guard let token = try? await text(answering: ask) else {
        try Task.checkCancellation()
        return nil
      }
      let base = prefix + "/latest/meta-data/iam/security-credentials/"
      let headers = [(name: "x-aws-ec2-metadata-token", value: token)]
      let list = WebClient.Request(method: "GET", endpoint: endpoint, path: base, headers: headers)
      guard let role = try await text(answering: list)?.split(whereSeparator: \.isNewline).first.map(String.init) else {
        return nil
      }
      guard role.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "+=,.@_-".utf8.contains($0) }) else {
        throw EnvelopeError(.credentialsMissing, "The instance's metadata names a role that cannot be one")
      }
      return try await credentials(
        answering: WebClient.Request(method: "GET", endpoint: endpoint, path: base + role, headers: headers),
        from: "the instance's metadata")
    }

    private static let metadataTimeout = Duration.seconds(1)

    /// The text of an answer, nil where the status is 404.
    private func text(answering request: WebClient.Request) async throws -> String? {
      let answer = try await web.answer(to: request, within: Self.metadataTimeout)
      guard answer.status != 404 else { return nil }
      let text = answer.body.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
      guard answer.status == 200, !text.isEmpty, text.utf8.count < 1024,
        text.utf8.allSatisfy({ (0x21...0x7e).contains($0) || $0 == .lineFeed })
      else {
        throw EnvelopeError(.credentialsMissing, "The instance's metadata service sent an invalid token")
      }
      return text
    }

    private func credentials(answering request: WebClient.Request, from place: String) async throws -> AWSCredentials {
      let answer = try await web.answer(to: request, within: Self.metadataTimeout * 2)
      guard answer.status != 429, !(500..<600).contains(answer.status) else {
        throw EnvelopeError(
          .keyServiceUnavailable, "There are no AWS credentials now: \(place) responds with status \(answer.status)",
          advice: "Try again later.")
      }
      guard answer.status == 200 else {
        throw EnvelopeError(
          .credentialsMissing, "There are no AWS credentials: \(place) responds with status \(answer.status)",
          advice: "Check the role that is given to this task or instance.")
      }
      do {
        let members = try JSONMembers(answer.body)
        guard try members.string("Code") ?? "Success" == "Success",
          let id = try members.string("AccessKeyId"), let secret = try members.secret("SecretAccessKey"),
          let expiration = try members.string("Expiration").flatMap(Timestamp.seconds)
        else { throw EnvelopeError(.malformed, "") }
        return try AWSCredentials(
          accessKeyID: id, sessionToken: members.string("Token"), expiration: expiration, secret: secret)
      } catch {
        throw EnvelopeError(
          .credentialsMissing, "There are no AWS credentials: the response of \(place) has none",
          advice: "Check the role that is given to this task or instance.")
      }
    }
  }
#endif
