// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// The response of a service of AWS to a request that it did not accept, in JSON or XML.
  struct ServiceFailure {
    /// How the fields of an error are reported.
    typealias Meaning = (code: EnvelopeError.Code, message: String, advice: String)

    let status: Int
    /// Such as `AccessDeniedException`; nil if the response has no name.
    let name: String?
    /// The service's own words, printable.
    let words: String?
    private let requestID: String?
    /// When the response was sent, in seconds since 1970, if it says so.
    private let date: UInt64?
    private let isPage: Bool

    /// Reads a response, whose body may be JSON, XML, or anything else.
    ///
    /// - Parameters:
    ///   - errorType: The value of the header `x-amzn-errortype`.
    ///   - date: The value of the header `date`.
    ///   - isPage: Whether the body is a page for browsers.
    init(
      status: Int, errorType: String?, date: String?, body: GuardedMemory, requestID: String?, isPage: Bool = false
    ) {
      (self.status, self.requestID, self.isPage) = (status, requestID, isPage)
      self.date = date.flatMap(HTTPDate.seconds)
      let members = try? JSONMembers(body)
      // com.amazonaws.kms#NotFoundException, or NotFoundException:http://…
      let type = (try? members?.string("__type")) ?? errorType ?? Self.element("Code", of: body)
      name = type.flatMap { type in
        let name = type.split(separator: "#").last?.split(separator: ":").first.map(String.init) ?? ""
        return (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { $0.isLetter || $0.isDigit } ? name : nil
      }
      let message = (try? members?.string("message") ?? members?.string("Message")) ?? nil
      words = (message ?? Self.element("Message", of: body)).map(Self.printable)
    }

    /// The text of the first element of a name: AWS STS and gateways respond in XML.
    private static func element(_ name: String, of body: GuardedMemory) -> String? {
      let text = body.withBytes {
        String(decoding: [UInt8](copying: $0.extracting(first: min($0.byteCount, 4096))), as: UTF8.self)
      }
      guard let start = text.firstRange(of: "<\(name)>"),
        let end = text[start.upperBound...].firstRange(of: "</\(name)>")
      else { return nil }
      return String(text[start.upperBound..<end.lowerBound])
    }

    private static func printable(_ text: String) -> String {
      EnvelopeError.escaped(String(text.unicodeScalars.prefix(400)))
    }

    /// The failure, with the service's own words if they name no more than keys and roles.
    func error(_ meaning: Meaning, quotesWords: Bool) -> EnvelopeError {
      let words = words.flatMap { $0.isEmpty || !quotesWords ? nil : "\(meaning.message): \($0.trimmingFullStop)" }
      return EnvelopeError(
        meaning.code, words ?? meaning.message, advice: meaning.advice, serviceError: name, requestID: requestID)
    }

    /// What the failures mean that all services have (AWS KMS API Reference, "Common Errors"), or nil for others.
    ///
    /// - Parameters:
    ///   - service: The service in words.
    ///   - now: The time of this machine, in seconds since 1970.
    func commonMeaning(_ service: String, at endpoint: Endpoint, now: UInt64) -> Meaning? {
      if isPage { return meaningOfPage(service, endpoint.authority) }
      switch name {
      case "ThrottlingException"?, "Throttling"?, "TooManyRequestsException"?, "RequestLimitExceeded"?:
        return (
          .keyServiceThrottled, "\(service) throttles the requests of this account",
          "Cache data keys, or request a higher quota from AWS."
        )
      case "InternalFailure"?, "InternalServerError"?, "ServiceUnavailable"?, "ServiceUnavailableException"?:
        return (.keyServiceUnavailable, "\(service) reports an internal failure", "Try again later.")
      case "ExpiredTokenException"?, "ExpiredToken"?, "UnrecognizedClientException"?, "InvalidClientTokenId"?,
        "MissingAuthenticationToken"?, "MissingAuthenticationTokenException"?, "AuthFailure"?, "TokenRefreshRequired"?:
        return (
          .credentialsRefused, "AWS does not accept the credentials: they are unknown or have expired",
          "Get new ones, and check them: aws sts get-caller-identity"
        )
      case "InvalidSignatureException"?, "SignatureDoesNotMatch"?, "IncompleteSignature"?, "RequestExpired"?,
        "RequestTimeTooSkewed"?, "RequestInTheFuture"?:
        return meaningOfSignature(now)
      default: return meaningOfStatus(endpoint.authority)
      }
    }

    private func meaningOfSignature(_ now: UInt64) -> Meaning {
      guard let skew = skew(now) else {
        return (
          .credentialsRefused, "AWS does not accept the request's signature",
          "Check the secret access key: it does not belong to the access key id."
        )
      }
      return (
        .credentialsRefused, "AWS does not accept the request's signature: this machine's clock is \(skew)",
        "Set the clock: AWS accepts a difference of five minutes at most."
      )
    }

    /// By how many minutes the clock of this machine differs from the service's, or nil if AWS tolerates that.
    private func skew(_ now: UInt64) -> String? {
      guard let date else { return nil }
      let minutes = (now > date ? now - date : date - now) / 60
      return minutes < 4 ? nil : "\(minutes) minutes \(now > date ? "fast" : "slow")"
    }

    /// What a page for browsers means: no service of AWS sends one.
    private func meaningOfPage(_ service: String, _ host: String) -> Meaning {
      let isTemporary = status == 429 || (500..<600).contains(status)
      return (
        isTemporary ? .keyServiceUnavailable : .keyServiceAnswerInvalid,
        "\(host) sent an HTML page (status \(status)), which \(service) never does: a proxy, a firewall or a login page "
          + "of the network responded instead", "Check the endpoint, the network and HTTPS_PROXY."
      )
    }

    private func meaningOfStatus(_ host: String) -> Meaning? {
      switch status {
      case 300..<400:
        (
          .keyServiceAnswerInvalid, "\(host) sends the request elsewhere (status \(status)), which is not followed",
          "Check that the endpoint is the service's."
        )
      case 429: (.keyServiceThrottled, "\(host) gets too many requests", "Try again later.")
      case 500..<600: (.keyServiceUnavailable, "\(host) fails inside (status \(status))", "Try again later.")
      case 400..<500: nil
      default:
        (
          .keyServiceAnswerInvalid, "\(host) responds with status \(status)",
          "Check that the endpoint is the service's."
        )
      }
    }
  }

  extension String {
    fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
  }
#endif
