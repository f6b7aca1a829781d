// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  public import Logging

  /// Marks a value of metadata to be sealed by a ``SealedLogHandler``.
  ///
  /// Other handlers print it as it is: a mark is a classification, and what acts on it is the handler.
  public enum Sealing: Int64, Logger.MetadataValueAttributes.Attribute, Sendable {
    /// The value is sealed.
    case sealed = 1
  }

  extension Logger.MetadataValue.StringInterpolation {
    /// Appends a value, and marks all of the metadata's value to be sealed.
    ///
    /// Write `"user": "\\(sealed: email)"`.
    public mutating func appendInterpolation<T: CustomStringConvertible>(sealed value: T) {
      appendInterpolation(value, attributes: { $0[Sealing.self] = .sealed })
    }
  }

  extension Logger.MetadataValue {
    /// Whether the value, or one inside it, is marked to be sealed.
    var isMarked: Bool {
      switch self {
      case .string: false
      case .stringConvertible: attributes[Sealing.self] == .sealed
      case .array(let values): values.contains { $0.isMarked }
      case .dictionary(let values): values.values.contains { $0.isMarked }
      }
    }
  }
#endif
