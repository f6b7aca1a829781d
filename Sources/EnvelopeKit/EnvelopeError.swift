// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Says what failed and what to do next, and holds no secret, plaintext or key.
///
/// Switch over ``code``; the list of codes may grow in a later release, so keep a `default`.
public struct EnvelopeError: Error, Sendable, Equatable {
  /// What kind of failure it is.
  public let code: Code
  /// What failed, in one sentence without a full stop.
  public let message: String
  /// What to do next, in one sentence, or an empty string where nothing can be advised.
  public let advice: String
  /// The names of the variables concerned, in ascending order of their bytes; empty for other failures.
  public let names: [String]
  /// What the key service itself called the failure, `AccessDeniedException` say; nil where none answered.
  public var serviceError: String? { service?.name }
  /// The key service's own id of the request, for its logs and its support; nil where none answered.
  public var requestID: String? { service?.requestID }
  // Behind a pointer: most errors have none, and every function that throws has room for an error.
  private let service: Service?

  private final class Service: Sendable, Equatable {
    let name: String?
    let requestID: String?

    init(name: String?, requestID: String?) {
      self.name = name
      self.requestID = requestID
    }

    static func == (a: Service, b: Service) -> Bool { a.name == b.name && a.requestID == b.requestID }
  }

  /// Makes an error, for keyrings that live outside this package.
  ///
  /// - Parameters:
  ///   - code: What kind of failure it is.
  ///   - message: What failed. Put no secret here: it is printed and logged.
  ///   - advice: What to do next.
  ///   - names: The names of the variables concerned.
  ///   - serviceError: What the key service itself called the failure.
  ///   - requestID: The key service's own id of the request.
  public init(
    _ code: Code, _ message: String, advice: String = "", names: [String] = [], serviceError: String? = nil,
    requestID: String? = nil
  ) {
    self.code = code
    self.message = message
    self.advice = advice
    self.names = names
    service = serviceError == nil && requestID == nil ? nil : Service(name: serviceError, requestID: requestID)
  }
}

extension EnvelopeError: CustomStringConvertible {
  /// The message, the key service's id of the request and the advice in one line.
  public var description: String {
    let told = requestID.map { "\(message) (request \($0))" } ?? message
    return advice.isEmpty ? told : "\(told). \(advice)"
  }
}
