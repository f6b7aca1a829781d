// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// Assumes roles at AWS STS, in one Region (AWS Security Token Service API Reference).
  struct STS: Sendable {
    let region: String
    let web: WebClient
    let limits: AWSService.Limits
    let timing: KMSClient.Timing
    let allowsInsecureLoopbackHTTP: Bool

    /// Calls AssumeRole with other credentials.
    ///
    /// - Throws: `credentialsMissing` if AWS STS refuses the role, `credentialsRefused` if it does not accept the other
    ///   credentials; `keyServiceUnavailable` and the like if it cannot be reached, throttles or fails.
    func assume(
      _ role: AssumedRole, with source: AWSCredentials, environment: AWSEnvironment
    ) async throws -> AWSCredentials {
      var fields = fields("AssumeRole", role)
      if let duration = role.duration { fields.append(("DurationSeconds", "\(duration)")) }
      if let id = role.externalID { fields.append(("ExternalId", id)) }
      let body = try Self.body(fields)
      let credentials = CredentialCache(now: timing.wallClock) { source }
      return try await send(body, as: credentials, role, environment)
    }

    /// Calls AssumeRoleWithWebIdentity, which is not signed.
    ///
    /// - Throws: As ``assume(_:with:environment:)``; `credentialsMissing` also if the token cannot be one.
    func assume(
      _ role: AssumedRole, withWebIdentity token: borrowing SecretBytes, environment: AWSEnvironment
    ) async throws -> AWSCredentials {
      let body = try Self.body(fields("AssumeRoleWithWebIdentity", role), "WebIdentityToken", token)
      return try await send(body, as: nil, role, environment)
    }

    private func fields(_ action: String, _ role: AssumedRole) -> [(String, String)] {
      let name = role.sessionName ?? "envelope-\(timing.wallClock())"
      return [
        ("Action", action), ("Version", "2011-06-15"), ("RoleArn", role.arn), ("RoleSessionName", name),
      ]
    }

    private func send(
      _ body: GuardedMemory, as credentials: CredentialCache?, _ role: AssumedRole, _ environment: AWSEnvironment
    ) async throws -> AWSCredentials {
      let service = AWSService(
        name: "sts", region: region,
        endpoint: try ServiceEndpoint.find(
          "sts", region: region, configured: nil, environment: environment,
          plainHTTP: allowsInsecureLoopbackHTTP ? .toLoopback : .toNobody),
        web: web, limits: limits, timing: timing)
      let headers = [(name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8")]
      return try await service.send(AWSService.Request(headers: headers, body: body), as: credentials) {
        (answer) throws(EnvelopeError) in
        guard answer.status == 200, !answer.isPage else {
          throw ServiceFailure(answer).stsError(about: role, from: service.endpoint, now: timing.wallClock())
        }
        return try Self.credentials(in: answer, role)
      }
    }

    private static func credentials(
      in answer: WebClient.Answer, _ role: AssumedRole
    ) throws(EnvelopeError) -> AWSCredentials {
      do throws(EnvelopeError) {
        let elements = try XMLElements(answer.body, in: "Credentials")
        guard let id = try elements.string("AccessKeyId"), let secret = try elements.secret("SecretAccessKey"),
          let token = try elements.string("SessionToken"),
          let expiration = try elements.string("Expiration").flatMap(Timestamp.seconds)
        else { throw EnvelopeError(.malformed, "an element is missing") }
        return try AWSCredentials(accessKeyID: id, sessionToken: token, expiration: expiration, secret: secret)
      } catch {
        throw EnvelopeError(
          .keyServiceAnswerInvalid, "AWS STS sent an invalid response for the role \(role.shownARN)",
          advice: "Check that the endpoint is the service's.", requestID: answer.requestID)
      }
    }

    /// A form (URL Standard, section 5.2), of which one field is secret.
    private static func body(_ fields: [(String, String)]) throws(EnvelopeError) -> GuardedMemory {
      let text = fields.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
      return try GuardedMemory(capacity: text.utf8.count) { $0.append(text) }
    }

    private static func body(
      _ fields: [(String, String)], _ name: String, _ token: borrowing SecretBytes
    ) throws(EnvelopeError) -> GuardedMemory {
      let text = fields.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&") + "&\(name)="
      return try token.withBytes { (token) throws(EnvelopeError) in
        var end = token.byteCount
        while end > 0, token.byte(at: end - 1).isBlankOrLineEnd { end -= 1 }
        guard end > 0 else {
          throw EnvelopeError(
            .credentialsMissing, "The web identity token file is empty", advice: "Check that the platform writes it.")
        }
        return try GuardedMemory(capacity: text.utf8.count + 3 * end) { output in
          output.append(text)
          for offset in 0..<end { append(percentEncoding: token.byte(at: offset), to: &output) }
        }
      }
    }

    private static func percentEncoded(_ text: String) -> String {
      let bytes = Array(text.utf8)
      let encoded = [UInt8].appending(capacity: 3 * bytes.count) { output in
        for byte in bytes { append(percentEncoding: byte, to: &output) }
      }
      return String(decoding: encoded, as: UTF8.self)
    }

    private static func append(percentEncoding byte: UInt8, to output: inout OutputRawSpan) {
      guard !byte.isLetter, !byte.isDigit, !"-._~".utf8.contains(byte) else { return output.append(byte) }
      let digits: StaticString = "0123456789ABCDEF"
      output.append(UInt8(ascii: "%"))
      for nibble in [byte >> 4, byte & 15] { output.append(unsafe digits.utf8Start[Int(nibble)]) }
    }
  }

  extension UInt8 {
    fileprivate var isBlankOrLineEnd: Bool { isBlank || self == .lineFeed || self == .carriageReturn }
  }

  extension ServiceFailure {
    /// What a failure of AWS STS means, for a role.
    fileprivate func stsError(about role: AssumedRole, from endpoint: Endpoint, now: UInt64) -> EnvelopeError {
      let shown = role.shownARN
      switch name {
      case "IDPCommunicationError"?:
        return error(
          (.keyServiceUnavailable, "AWS STS cannot reach the identity provider", "Try again later."), quotesWords: false
        )
      case "ExpiredTokenException"? where status == 400, "InvalidIdentityToken"?, "IDPRejectedClaim"?:
        return error(
          (
            .credentialsMissing, "AWS STS does not accept the web identity token for the role \(shown)",
            "Check that the platform renews the token file, and the role's trust policy."
          ), quotesWords: false)
      default: break
      }
      let refusal: Meaning = (
        .credentialsMissing, "The role \(shown) cannot be assumed (\(name ?? "status \(status)"))",
        "Check the role's trust policy, and that the credentials may call sts:AssumeRole."
      )
      let meaning = commonMeaning("AWS STS", at: endpoint, now: now) ?? refusal
      return error(meaning, quotesWords: meaning.code == .credentialsMissing)
    }
  }
#endif
