// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  /// An error of which only the masked description is left.
  ///
  /// The type parameter keeps the name of the original's type, which handlers print.
  public struct RedactedError<Original: Error>: Error, CustomStringConvertible, CustomDebugStringConvertible {
    /// The description of the original, without secrets.
    public let description: String

    /// The description of the original, without secrets.
    public var debugDescription: String { description }
  }

  extension Redactor {
    /// Masks secrets in an error's description.
    func redact<E: Error>(_ error: E) -> any Error {
      RedactedError<E>(description: redact("\(error)"))
    }
  }
#endif
