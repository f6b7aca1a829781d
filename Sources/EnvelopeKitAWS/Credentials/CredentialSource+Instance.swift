// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  extension CredentialSource {
    /// Gets the credentials of an EC2 instance's role from its metadata service, version 2.
    ///
    /// Only a connection that is refused or has no route, one whose packets vanish, and status 404 in response to the
    /// request for a session token mean that this is not an EC2 instance. AWS's tools wait one second for the
    /// connection, once, and so does this: longer, each use on a laptop would wait. On an instance that service is on
    /// the host itself and accepts connections at once, also if it is too busy to respond; the hop limit drops the
    /// response and not the connection. All other failures are retried, and are then an outage and not an absence.
    ///
    /// - Returns: The credentials, or nil if this is not an EC2 instance or its metadata is disabled by a variable.
    /// - Throws: `credentialsMissing` if the instance has no role, or its role gives no credentials;
    ///   `keyServiceUnavailable` if the service fails; `configurationInvalid` if a setting is invalid.
    func fromInstance() async throws -> AWSCredentials? {
      guard environment.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
      let (endpoint, root) = try Self.split(
        try instanceAddress(), advice: "Correct AWS_EC2_METADATA_SERVICE_ENDPOINT.")
      let service = MetadataService(
        name: "the instance's metadata service", limits: try instanceLimits(), web: web)
      let prefix = root.hasSuffix("/") ? String(root.dropLast()) : root
      guard let token = try await sessionToken(from: service, at: endpoint, prefix: prefix) else { return nil }
      let base = prefix + "/latest/meta-data/iam/security-credentials/"
      func request(_ path: String) -> WebClient.Request {
        WebClient.Request(
          method: "GET", endpoint: endpoint, path: path, headers: [("x-aws-ec2-metadata-token", token)])
      }
      func failure(_ reason: MetadataService.NoResponse) -> EnvelopeError? { service.unavailable("does not respond") }
      let noRole = "Attach an instance profile with a role to the instance."
      let role = try await service.send(request(base), failure: failure) { (answer) throws(EnvelopeError) in
        guard answer.status != 404 else { throw service.missing("has no role", advice: noRole) }
        guard answer.status == 200 else { throw service.unavailable(MetadataService.description(of: answer)) }
        let text = answer.body.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
        guard let role = text.split(whereSeparator: \.isNewline).first.map(String.init) else {
          throw service.missing("has no role", advice: noRole)
        }
        guard Self.isRole(role) else { throw service.unavailable("names a role that cannot be one") }
        return role
      }
      return try await service.send(request(base + (role ?? "")), failure: failure) { (answer) throws(EnvelopeError) in
        guard answer.status == 200 else {
          throw service.unavailable(MetadataService.description(of: answer))
        }
        return try Self.credentials(
          in: answer, from: service, advice: "Check the instance's role, and that EC2 may assume it.")
      }
    }

    /// Requests a session token.
    ///
    /// - Returns: The token, or nil if no such service exists.
    private func sessionToken(
      from service: MetadataService, at endpoint: Endpoint, prefix: String
    ) async throws -> String? {
      let request = WebClient.Request(
        method: "PUT", endpoint: endpoint, path: prefix + "/latest/api/token",
        headers: [("x-aws-ec2-metadata-token-ttl-seconds", "300")])
      let token = try await service.send(
        request,
        failure: { reason in
          switch reason {
          case .unreachable, .vanished: nil
          case .slow:
            service.unavailable(
              "accepts the connection and does not respond",
              advice: "Try again later. A container on an instance needs HttpPutResponseHopLimit 2: "
                + "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2")
          case .broken: service.unavailable("closes the connection")
          }
        },
        read: { (answer) throws(EnvelopeError) in
          guard answer.status != 404 else { return "" }
          guard answer.status == 200 else {
            throw service.unavailable(
              MetadataService.description(of: answer),
              advice: answer.status == 403
                ? "If the instance's metadata is disabled, enable it, or set AWS_EC2_METADATA_DISABLED=true"
                : "Try again later.")
          }
          let text = answer.body.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
          guard (1..<1024).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw service.unavailable("sends an invalid session token")
          }
          return text
        })
      return token.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether a name may stand in a path: a role's name, which some emulators give with its path.
    private static func isRole(_ name: String) -> Bool {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      return name.utf8.count <= 576
        && parts.allSatisfy { part in
          !part.isEmpty && part != "." && part != ".."
            && part.utf8.allSatisfy { $0.isLetter || $0.isDigit || "+=,.@_-".utf8.contains($0) }
        }
    }

    func instanceAddress() throws(EnvelopeError) -> String {
      let isIPv6 = try isInstanceAddressIPv6()
      return try environment.value("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")
        ?? (isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
    }

    private func isInstanceAddressIPv6() throws(EnvelopeError) -> Bool {
      let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
      guard let mode = try environment.value(name, "ec2_metadata_service_endpoint_mode") else {
        return try environment.isSet("AWS_IMDS_USE_IPV6", "imds_use_ipv6")
      }
      switch mode.lowercased() {
      case "ipv4": return false
      case "ipv6": return true
      default:
        throw EnvelopeError(
          .configurationInvalid, "\(EnvelopeError.quoted(mode)) is not a mode of the instance's metadata service",
          advice: "Set \(name), or ec2_metadata_service_endpoint_mode in the profile, to IPv4 or IPv6.")
      }
    }

    /// Reads how long and how often the user wants AWS's tools to try.
    private func instanceLimits() throws(EnvelopeError) -> MetadataService.Limits {
      var limits = metadataLimits
      let seconds = try number("AWS_METADATA_SERVICE_TIMEOUT", key: "metadata_service_timeout", atMost: 60)
      let attempts = try number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", key: "metadata_service_num_attempts", atMost: 60)
      if let seconds { (limits.connection, limits.attempt) = (.seconds(seconds), .seconds(seconds * 2)) }
      if let attempts { (limits.attempts, limits.firstConnections) = (attempts, attempts) }
      // For three requests; a token that comes at the last attempt leaves time for what follows.
      if seconds != nil || attempts != nil {
        limits.total = max(limits.total, min(limits.attempt * limits.attempts * 3, .seconds(60)))
      }
      return limits
    }

    private func number(_ name: String, key: String, atMost limit: Int) throws(EnvelopeError) -> Int? {
      guard let text = try environment.value(name, key) else { return nil }
      guard let number = Int(text), (1...limit).contains(number) else {
        throw EnvelopeError(
          .configurationInvalid, "\(name), or \(key) in the profile, is \(EnvelopeError.quoted(text))",
          advice: "Set it to a number from 1 to \(limit).")
      }
      return number
    }
  }
#endif
