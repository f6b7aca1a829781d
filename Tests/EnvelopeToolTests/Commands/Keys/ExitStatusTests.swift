// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct ExitStatusTests {
  static let codes: [(EnvelopeError.Code, Int32)] = [
    (.keyNotFound, 77), (.keyAccessDenied, 77), (.keyDisabled, 77), (.keyInvalidState, 77), (.keyVersionTooOld, 77),
    (.keyStoreLocked, 77), (.entryNotReadBack, 77), (.filePermissions, 77), (.auditLogAltered, 65),
    (.keyStoreDamaged, 65), (.unwrapFailed, 65), (.contextDiffers, 65), (.anonymousSender, 65), (.malformed, 65),
    (.unsupportedVersion, 65), (.keyExists, 73), (.fileFailure, 74), (.systemFailure, 71), (.usage, 64),
    (.functionUnknown, 64), (.noInput, 66), (.keyServiceUnavailable, 69), (.configuration, 78),
    (.archiveMalformed, 65), (.archiveEntryMissing, 66), (.archiveEntryUnsupported, 65), (.archiveTooLarge, 65),
  ]

  @Test(arguments: codes) func aFailureHasItsExitCode(code: EnvelopeError.Code, status: Int32) {
    #expect(ExitStatus(code).rawValue == status)
  }
}
