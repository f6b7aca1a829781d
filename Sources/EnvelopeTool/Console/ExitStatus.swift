// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The exit codes of the command, after sysexits.h.
enum ExitStatus: Int32 {
  case usage = 64
  case dataError = 65
  case noInput = 66
  case unavailable = 69
  case software = 70
  case system = 71
  case cannotCreate = 73
  case ioError = 74
  case noPermission = 77
  case configuration = 78

  /// The exit code for a failure of the library.
  init(_ code: EnvelopeError.Code) {
    switch code {
    case .functionUnknown: self = .usage
    case .noHeader, .variableMissing, .archiveEntryMissing, .noInput: self = .noInput
    case .keyServiceUnavailable, .keyServiceThrottled, .keyServiceNotTrusted, .keyServiceAnswerInvalid,
      .keyServiceRefused, .unsupportedSuite:
      self = .unavailable
    case .bufferTooSmall: self = .software
    case .systemFailure: self = .system
    case .keyExists, .outputExists: self = .cannotCreate
    case .fileFailure, .fileBusy, .changedMeanwhile: self = .ioError
    case .keyNotFound, .filePermissions, .keyAccessDenied, .keyDisabled, .keyInvalidState, .keyVersionTooOld,
      .keyStoreLocked, .entryNotReadBack, .credentialsMissing, .credentialsRefused:
      self = .noPermission
    case .usage: self = .usage
    case .configuration, .configurationInvalid: self = .configuration
    // What was altered, malformed, stale, of another context or type: the data is at fault.
    default: self = .dataError
    }
  }
}

extension EnvelopeError.Code {
  /// A file that was to be read is not there.
  static let noInput = Self(rawValue: "noInput")
  /// Somebody else changed a file while it was worked on.
  static let changedMeanwhile = Self(rawValue: "changedMeanwhile")
  /// A file that a command was to write holds what would be lost.
  static let outputExists = Self(rawValue: "outputExists")
  /// The command was called in a way that it cannot follow.
  static let usage = Self(rawValue: "usage")
  /// `envelope.yaml` cannot be followed.
  static let configuration = Self(rawValue: "configuration")
}
