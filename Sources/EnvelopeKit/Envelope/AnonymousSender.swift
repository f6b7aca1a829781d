// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Whether to accept an envelope that was opened through the entry of a recipient.
///
/// Anyone who has the recipient's public text can create such an envelope, so it proves no sender. Everything that
/// opens refuses it with `anonymousSender` unless the caller accepts it.
public enum AnonymousSender: Sendable {
  /// Throws `anonymousSender`.
  case refused
  /// Opens the envelope. Do not trust its content more than any input from outside.
  case accepted
}

extension WrappedDataKey? {
  /// Refuses an envelope that was opened through the entry of a recipient, unless that is accepted.
  ///
  /// - Throws: `anonymousSender`.
  func check(_ sender: AnonymousSender, advice: String? = nil) throws(EnvelopeError) {
    guard self?.scheme.isAnonymous == true, sender == .refused else { return }
    throw EnvelopeError(
      .anonymousSender, "This was sealed to a recipient's public key, so anyone may have sealed it",
      advice: advice ?? "Seal it under a key of your own as well, or accept an anonymous sender.")
  }
}
