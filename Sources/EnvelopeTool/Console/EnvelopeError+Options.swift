// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension EnvelopeError {
  /// Runs `body`; errors whose remedy is an option of the command name that option.
  static func advisingOptions<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let error as EnvelopeError {
      throw error.advisingOptions
    }
  }

  /// The same error with advice that names the command's options.
  private var advisingOptions: EnvelopeError {
    let advice: String
    switch code {
    case .plainVariablesAltered:
      advice =
        "Take the file from where it was sealed. If the change is meant: envelope accept FILE, or --allow-changed NAME "
        + "for each variable that may differ."
    case .anonymousSender:
      advice = "Seal it under a key of your own as well, or open it as it is: --accept-anonymous-sender"
    default: return self
    }
    return EnvelopeError(
      code, message, advice: advice, names: names, serviceError: serviceError, requestID: requestID)
  }
}
