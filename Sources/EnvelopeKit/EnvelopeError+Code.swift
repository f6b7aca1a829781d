// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension EnvelopeError {
  /// The kind of a failure; a later release may add more.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The name of the code, as written in the documentation.
    public let rawValue: String

    /// Makes a code of one's own, for keyrings that live outside this package.
    public init(rawValue: String) { self.rawValue = rawValue }
  }
}

extension EnvelopeError.Code {
  /// Failures that say nothing about a key or an envelope: the next call to the service would meet them, too.
  package static let ofService: Set<Self> = [
    .keyServiceUnavailable, .keyServiceThrottled, .keyServiceNotTrusted, .credentialsMissing, .credentialsRefused,
  ]

  // Input that is not what it should be.

  /// The bytes or the text are not an envelope: wrong magic, length, encoding or count.
  public static let malformed = Self(rawValue: "malformed")
  /// The envelope was made by a later version of the format, or is of a kind that is not known here.
  public static let unsupportedVersion = Self(rawValue: "unsupportedVersion")
  /// A suite or scheme that is not known here, or that needs a newer libsodium than the program was built with.
  public static let unsupportedSuite = Self(rawValue: "unsupportedSuite")
  /// An argument breaks a documented limit: a name, a context, a key id, a length.
  public static let invalidArgument = Self(rawValue: "invalidArgument")
  /// The environment of the process cannot be followed: a variable, or a file that other tools share with it.
  public static let configurationInvalid = Self(rawValue: "configurationInvalid")
  /// The caller's buffer has less room than the result needs.
  public static let bufferTooSmall = Self(rawValue: "bufferTooSmall")

  // Opening.

  /// The encryption context differs from the one sealed with, or the header was altered.
  public static let contextDiffers = Self(rawValue: "contextDiffers")
  /// The header's commitment or tag does not verify: the header was altered.
  public static let headerAltered = Self(rawValue: "headerAltered")
  /// A payload does not verify: it, or its associated data, was altered, or another key sealed it.
  public static let payloadAltered = Self(rawValue: "payloadAltered")
  /// An opener was given an envelope with another header than the one that it was made for.
  public static let headerUnknown = Self(rawValue: "headerUnknown")

  // Keys.

  /// None of the envelope's keys is one that the keyring holds.
  public static let keyNotFound = Self(rawValue: "keyNotFound")
  /// The keyring holds the key, but the wrapped data key does not unwrap.
  public static let unwrapFailed = Self(rawValue: "unwrapFailed")
  /// The key may not be used: a permission is missing, or denied.
  public static let keyAccessDenied = Self(rawValue: "keyAccessDenied")
  /// The key is disabled.
  public static let keyDisabled = Self(rawValue: "keyDisabled")
  /// The key is in a state that allows no use, such as pending deletion.
  public static let keyInvalidState = Self(rawValue: "keyInvalidState")
  /// The version of the key is below the lowest that still unwraps.
  public static let keyVersionTooOld = Self(rawValue: "keyVersionTooOld")
  /// A wrapped data key that was just made cannot be opened here, so nothing that opens was dropped for it.
  public static let entryNotReadBack = Self(rawValue: "entryNotReadBack")

  // Key services.

  /// The key service cannot be reached, does not answer in time, or fails inside.
  public static let keyServiceUnavailable = Self(rawValue: "keyServiceUnavailable")
  /// The key service gets more requests than it allows.
  public static let keyServiceThrottled = Self(rawValue: "keyServiceThrottled")
  /// The connection is not secure: the certificate, the host's name or the version of TLS is not accepted.
  public static let keyServiceNotTrusted = Self(rawValue: "keyServiceNotTrusted")
  /// The key service answered something that it must not: another key, another length, no JSON.
  public static let keyServiceAnswerInvalid = Self(rawValue: "keyServiceAnswerInvalid")
  /// The key service refuses the request for another reason; `serviceError` has its name.
  public static let keyServiceRefused = Self(rawValue: "keyServiceRefused")
  /// There are no credentials for the key service where they are looked for.
  public static let credentialsMissing = Self(rawValue: "credentialsMissing")
  /// The key service does not accept the credentials: unknown, expired, or a wrong secret.
  public static let credentialsRefused = Self(rawValue: "credentialsRefused")

  // Key stores.

  /// The key store's text is not one, or contradicts itself.
  public static let keyStoreDamaged = Self(rawValue: "keyStoreDamaged")
  /// A key store with this alias, or this key, exists already.
  public static let keyExists = Self(rawValue: "keyExists")
  /// The key store is sealed itself, under a passphrase or a key that was not given.
  public static let keyStoreLocked = Self(rawValue: "keyStoreLocked")
  /// The log of uses does not verify; the message tells the place.
  public static let auditLogAltered = Self(rawValue: "auditLogAltered")

  // Environments.

  /// There is no sealed environment: neither `ENVELOPE_HEADER` nor `ENVELOPE_SEALED`.
  public static let noHeader = Self(rawValue: "noHeader")
  /// No function name was given, and the process does not run in AWS Lambda, which sets it.
  public static let functionUnknown = Self(rawValue: "functionUnknown")
  /// Variables do not verify: altered, swapped or renamed; `names` holds them.
  public static let variablesAltered = Self(rawValue: "variablesAltered")
  /// There are more sealed variables than were sealed; the message counts them.
  public static let variablesAdded = Self(rawValue: "variablesAdded")
  /// There are fewer sealed variables than were sealed; the message counts them.
  public static let variablesMissing = Self(rawValue: "variablesMissing")
  /// Every variable verifies alone, but not all together: one was put back, or the trailer was altered.
  public static let variablePutBack = Self(rawValue: "variablePutBack")
  /// The plain variables of a document are not those that were sealed with it; `names` holds those added or changed.
  public static let plainVariablesAltered = Self(rawValue: "plainVariablesAltered")
  /// The environment's generation is lower than the one demanded.
  public static let staleGeneration = Self(rawValue: "staleGeneration")
  /// The environment was opened through a key that anybody can seal to.
  public static let anonymousSender = Self(rawValue: "anonymousSender")
  /// The environment has no sealed variable of this name.
  public static let variableMissing = Self(rawValue: "variableMissing")
  /// A secret is not of the type asked for; the message does not show it.
  public static let typeMismatch = Self(rawValue: "typeMismatch")

  // Archives.

  /// The content of a sealed file is not a zip archive that is safe to read: it contradicts itself, its entries overlap or
  /// share a name, or a name leads out of the folder.
  public static let archiveMalformed = Self(rawValue: "archiveMalformed")
  /// The archive has no entry of this name, or the name is a folder's.
  public static let archiveEntryMissing = Self(rawValue: "archiveEntryMissing")
  /// The entry cannot be read: it is a link or a special file, is encrypted, or its compression is not known here.
  public static let archiveEntryUnsupported = Self(rawValue: "archiveEntryUnsupported")
  /// The archive or an entry exceeds a limit, which the caller may raise.
  public static let archiveTooLarge = Self(rawValue: "archiveTooLarge")

  // The machine.

  /// Memory, randomness or libsodium itself is not to be had.
  public static let systemFailure = Self(rawValue: "systemFailure")
  /// A file cannot be read or written.
  public static let fileFailure = Self(rawValue: "fileFailure")
  /// Another process holds the lock of a file for longer than the caller waits.
  public static let fileBusy = Self(rawValue: "fileBusy")
  /// A file or folder has an owner or permissions that its content must not have.
  public static let filePermissions = Self(rawValue: "filePermissions")
}
