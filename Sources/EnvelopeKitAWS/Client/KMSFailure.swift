// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// What the failures of AWS KMS mean (AWS KMS API Reference, each operation's errors).
  extension ServiceFailure {
    /// - Parameter now: The time of this machine, in seconds since 1970.
    func kmsError(from endpoint: Endpoint, now: UInt64) -> EnvelopeError {
      let meaning = kmsMeaning ?? commonMeaning("AWS KMS", at: endpoint, now: now) ?? refusal
      // Words that tell about a permission or a state name keys and roles; others may quote what was sent.
      let quotes: Set<EnvelopeError.Code> = [.keyAccessDenied, .keyDisabled, .keyInvalidState, .keyNotFound]
      return error(meaning, quotesWords: quotes.contains(meaning.code))
    }

    private var kmsMeaning: Meaning? {
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
      case "KMSInternalException"?, "DependencyTimeoutException"?, "KeyUnavailableException"?:
        (.keyServiceUnavailable, "AWS KMS reports an internal failure", "Try again later.")
      default: nil
      }
    }

    private var refusal: Meaning {
      (
        .keyServiceRefused, "AWS KMS refuses the request (\(name ?? "status \(status)"))",
        "Check the key's kind (it must be symmetric), the grant tokens and the length of the context."
      )
    }
  }
#endif
