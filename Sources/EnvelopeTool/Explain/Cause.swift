// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// What is to blame where something does not open.
enum Cause: String {
  case key = "its key"
  case context = "its context"
  case state = "the state of its key"
  case policy = "the policy of its key"
  case version = "the version of its key"
  case damage = "damage"
  case age = "its age"
  case sender = "its sender"
  case format = "its format"
  case keyStore = "the key store"
  case keyService = "the key service"
  case machine = "this machine"
  case call = "how this command was called"
  case other = "another failure"

  /// What a failure is put down to.
  init(_ code: EnvelopeError.Code) {
    self = Self.causes[code] ?? .other
  }

  private static let causes: [EnvelopeError.Code: Cause] = {
    let codes: [Cause: [EnvelopeError.Code]] = [
      .key: [.keyNotFound, .entryNotReadBack, .keyExists],
      .context: [.contextDiffers, .functionUnknown],
      .state: [.keyDisabled, .keyInvalidState],
      .policy: [.keyAccessDenied],
      .version: [.keyVersionTooOld],
      .damage: [
        .malformed, .headerAltered, .payloadAltered, .unwrapFailed, .variablesAltered, .variablesAdded,
        .variablesMissing, .variablePutBack, .plainVariablesAltered, .noHeader, .headerUnknown, .archiveMalformed,
      ],
      .age: [.staleGeneration],
      .sender: [.anonymousSender],
      .format: [.unsupportedVersion, .unsupportedSuite, .typeMismatch, .archiveEntryUnsupported, .archiveTooLarge],
      .keyStore: [.keyStoreDamaged, .keyStoreLocked, .auditLogAltered, .filePermissions],
      .keyService: [
        .keyServiceUnavailable, .keyServiceThrottled, .keyServiceNotTrusted, .keyServiceAnswerInvalid,
        .keyServiceRefused, .credentialsMissing, .credentialsRefused,
      ],
      .machine: [.systemFailure, .fileFailure, .fileBusy, .changedMeanwhile],
      .call: [
        .usage, .configuration, .configurationInvalid, .noInput, .invalidArgument, .bufferTooSmall, .variableMissing,
        .archiveEntryMissing,
        .outputExists,
      ],
    ]
    return Dictionary(uniqueKeysWithValues: codes.flatMap { cause, codes in codes.map { ($0, cause) } })
  }()
}
