// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import EnvelopeKit

extension FakeKeyService {
  /// What the service answers instead of a result, before it has a request id.
  struct Refusal: Error {
    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
      self.kind = kind
      self.message = message
    }

    /// The failures by the names that AWS KMS gives them.
    enum Kind: String, Sendable {
      case accessDenied = "AccessDeniedException"
      case alreadyExists = "AlreadyExistsException"
      case disabled = "DisabledException"
      case incorrectKey = "IncorrectKeyException"
      case internalFailure = "KMSInternalException"
      case invalidAliasName = "InvalidAliasNameException"
      case invalidCiphertext = "InvalidCiphertextException"
      case invalidGrantToken = "InvalidGrantTokenException"
      case invalidState = "KMSInvalidStateException"
      case keyUnavailable = "KeyUnavailableException"
      case limitExceeded = "LimitExceededException"
      case notFound = "NotFoundException"
      case throttling = "ThrottlingException"
      case validation = "ValidationException"
    }

    func error(number: Int) -> EnvelopeError {
      EnvelopeError(
        kind.code, message, advice: kind.advice, serviceError: kind.rawValue,
        requestID: FakeKeyService.requestID(number: number))
    }
  }

  /// The id of a request: its number, in a form that sorts.
  static func requestID(number: Int) -> String {
    let digits = String(number)
    return "fake-request-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }
}

extension FakeKeyService.Refusal.Kind {
  var code: EnvelopeError.Code {
    switch self {
    case .accessDenied: .keyAccessDenied
    case .alreadyExists: .keyExists
    case .disabled: .keyDisabled
    case .incorrectKey, .invalidCiphertext: .unwrapFailed
    case .internalFailure, .keyUnavailable: .keyServiceUnavailable
    case .invalidAliasName, .validation: .invalidArgument
    case .invalidGrantToken, .limitExceeded: .keyServiceRefused
    case .invalidState: .keyInvalidState
    case .notFound: .keyNotFound
    case .throttling: .keyServiceThrottled
    }
  }

  var advice: String {
    switch self {
    case .accessDenied: "Allow the operation, or make a grant."
    case .alreadyExists: "Choose another alias, or move this one."
    case .disabled: "Enable the key."
    case .incorrectKey: "Name the key that the data key was wrapped with."
    case .internalFailure, .keyUnavailable: "Try again."
    case .invalidAliasName: "Use alias/ and then letters, digits, slashes, underscores and hyphens."
    case .invalidCiphertext: "Give the same encryption context as when it was wrapped, and the bytes unchanged."
    case .invalidGrantToken: "Give the token that creating the grant returned."
    case .invalidState: "Wait for the key to be enabled, or cancel its deletion."
    case .limitExceeded: "Remove what is no longer used."
    case .notFound: "Check the name, and that the key was not deleted."
    case .throttling: "Try again later, or cache data keys."
    case .validation: "Keep to the limits in the documentation."
    }
  }
}
