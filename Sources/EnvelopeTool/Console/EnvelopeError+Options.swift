// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension EnvelopeError {
  /// Runs `body`; errors whose remedy is an option of the command name that option.
  ///
  /// - Parameter entries: The wrapped keys that `body` opens: if none of them is held, the error names the key store.
  static func advisingOptions<Result: ~Copyable>(
    opening entries: [WrappedDataKey] = [], _ body: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await body()
    } catch let error as EnvelopeError {
      guard error == .keyNotFound(among: entries), let store = try? KeyStoreFile() else { throw error.advisingOptions }
      throw EnvelopeError.keyNotHeld(entries, store.location)
    }
  }

  private static func keyNotHeld(_ entries: [WrappedDataKey], _ store: String) -> EnvelopeError {
    let keys = listed(entries.map { "\($0.scheme) \($0.keyID)" })
    let inService = entries.filter { $0.scheme == .awsKMS }
    let advice = "Import it: envelope keys import FILE; or set ENVELOPE_STORE to the key store that has it"
    return EnvelopeError(
      .keyNotFound,
      entries.count == 1
        ? "The key that this is sealed under, \(keys), is not in the key store \(store.shown)"
        : "None of the keys that this is sealed under (\(keys)) is in the key store \(store.shown)",
      advice: inService.isEmpty
        ? advice + "."
        : inService.count == entries.count
          ? "Name the KMS key: --key \(inService[0].keyID)" : advice + "; or name the KMS key: --key ARN")
  }

  /// The same error with advice that names the command's options.
  private var advisingOptions: EnvelopeError {
    let advice: String
    switch code {
    case .keyNotFound where serviceError == "IncorrectKeyException":
      advice =
        "If that key is yours, open it with both: --key ARN --key ALIAS; and rewrap it, so that the alias's new key opens: "
        + "envelope rewrap FILE --key ARN --to ALIAS"
    case .plainVariablesAltered:
      advice =
        "Take the file from where it was sealed. If the change is meant: envelope accept FILE, or --allow-changed NAME "
        + "for each variable that may differ."
    case .anonymousSender:
      advice = "Seal it under a key of your own as well, or open it as it is: --accept-anonymous-sender"
    case .archiveTooLarge:
      advice =
        "If you trust the sender of the archive, raise the limit: --max-entries, --max-bytes or --max-ratio NUMBER."
    default: return self
    }
    return EnvelopeError(
      code, message, advice: advice, names: names, serviceError: serviceError, requestID: requestID)
  }
}
