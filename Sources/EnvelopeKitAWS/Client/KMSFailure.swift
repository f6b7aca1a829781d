// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// What AWS KMS answered to a request that it did not take (AWS KMS API Reference, "Common Errors" and each
  /// operation's).
  struct KMSFailure {
    private let status: Int
    /// Such as `AccessDeniedException`; nil where the answer has no name.
    private let name: String?
    /// The service's own words, printable.
    private let words: String?
    private let requestID: String?

    /// - Parameters:
    ///   - status: The status of HTTP.
    ///   - errorType: The value of the header `x-amzn-errortype`.
    ///   - body: The body, JSON or not.
    ///   - requestID: The id of the request.
    init(status: Int, errorType: String?, body: GuardedMemory, requestID: String?) {
      self.status = status
      self.requestID = requestID
      let members = try? JSONMembers(body)
      // com.amazonaws.kms#NotFoundException, or NotFoundException:http://…
      let type = (try? members?.string("__type")) ?? errorType ?? Self.nameInXML(body)
      name = type.flatMap { type in
        let name = type.split(separator: "#").last?.split(separator: ":").first.map(String.init) ?? ""
        return (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { $0.isLetter || $0.isDigit } ? name : nil
      }
      words = ((try? members?.string("message") ?? members?.string("Message")) ?? nil).map(Self.printable)
    }

    /// Gateways answer in XML: the text of the first `<Code>`.
    private static func nameInXML(_ body: GuardedMemory) -> String? {
      let text = body.withBytes {
        String(decoding: [UInt8](copying: $0.extracting(first: min($0.byteCount, 4096))), as: UTF8.self)
      }
      guard let start = text.firstRange(of: "<Code>"), let end = text[start.upperBound...].firstRange(of: "</Code>")
      else {
        return nil
      }
      return String(text[start.upperBound..<end.lowerBound])
    }

    private static func printable(_ text: String) -> String {
      EnvelopeError.escaped(String(text.unicodeScalars.prefix(400)))
    }

    /// The failure in our words.
    func error(from endpoint: Endpoint) -> EnvelopeError {
      let (code, message, advice) = meaning(endpoint.authority)
      // Words that tell about a permission or a state name keys and roles; others may quote what was sent.
      let quotes: Set<EnvelopeError.Code> = [.keyAccessDenied, .keyDisabled, .keyInvalidState, .keyNotFound]
      let told = words.flatMap { $0.isEmpty || !quotes.contains(code) ? nil : "\(message): \($0.trimmingFullStop)" }
      return EnvelopeError(code, told ?? message, advice: advice, serviceError: name, requestID: requestID)
    }

    private func meaning(_ host: String) -> (EnvelopeError.Code, String, String) {
      switch name {
      case "AccessDeniedException"?, "AccessDenied"?, "NotAuthorized"?, "OptInRequired"?:
        (
          .keyAccessDenied, "AWS KMS denies the use of the key",
          "Allow the operation in the key's policy, or the role's, or by a grant; conditions on the context count."
        )
      case "DisabledException"?:
        (.keyDisabled, "The KMS key is disabled", "Enable it: aws kms enable-key --key-id KEY")
      case "NotFoundException"?:
        (
          .keyNotFound, "AWS KMS has no such key or alias in this Region",
          "Check the name, the account and the Region."
        )
      case "KMSInvalidStateException"?:
        (
          .keyInvalidState, "The KMS key is in a state that allows no use",
          "If its deletion is pending: aws kms cancel-key-deletion --key-id KEY, then enable it."
        )
      case "InvalidCiphertextException"?:
        (
          .unwrapFailed, "AWS KMS does not decrypt this: it was altered, or encrypted under another encryption context",
          "Check the function's name and the context, or restore the file from where it was sealed."
        )
      case "IncorrectKeyException"?:
        (
          .unwrapFailed, "The wrapped data key is under another KMS key than the one named",
          "Name the key that it was wrapped with."
        )
      case "ThrottlingException"?, "Throttling"?, "TooManyRequestsException"?, "RequestLimitExceeded"?:
        (
          .keyServiceThrottled, "AWS KMS throttles the requests of this account",
          "Cache data keys, or request a higher quota from AWS."
        )
      case "KMSInternalException"?, "DependencyTimeoutException"?, "KeyUnavailableException"?, "InternalFailure"?,
        "InternalServerError"?, "ServiceUnavailable"?, "ServiceUnavailableException"?:
        (.keyServiceUnavailable, "AWS KMS reports an internal failure", "Try again later.")
      case "ExpiredTokenException"?, "ExpiredToken"?, "UnrecognizedClientException"?, "InvalidClientTokenId"?,
        "MissingAuthenticationToken"?, "MissingAuthenticationTokenException"?, "AuthFailure"?, "TokenRefreshRequired"?:
        (
          .credentialsRefused, "AWS does not accept the credentials: they are unknown or have expired",
          "Get new ones, and check them: aws sts get-caller-identity"
        )
      case "InvalidSignatureException"?, "SignatureDoesNotMatch"?, "IncompleteSignature"?, "RequestExpired"?:
        (
          .credentialsRefused, "AWS does not accept the request's signature",
          "Check the secret access key, and this machine's clock."
        )
      default: meaningOfStatus(host)
      }
    }

    private func meaningOfStatus(_ host: String) -> (EnvelopeError.Code, String, String) {
      switch status {
      case 300..<400:
        (
          .keyServiceAnswerInvalid, "\(host) sends the request elsewhere (status \(status)), which is not followed",
          "Check that the endpoint is the service's."
        )
      case 429: (.keyServiceThrottled, "\(host) gets too many requests", "Try again later.")
      case 500..<600: (.keyServiceUnavailable, "\(host) fails inside (status \(status))", "Try again later.")
      case 400..<500:
        (
          .keyServiceRefused, "AWS KMS refuses the request (\(name ?? "status \(status)"))",
          "Check the key's kind (it must be symmetric), the grant tokens and the length of the context."
        )
      default:
        (
          .keyServiceAnswerInvalid, "\(host) answers with status \(status)",
          "Check that the endpoint is the service's."
        )
      }
    }
  }

  extension String {
    fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
  }
#endif
