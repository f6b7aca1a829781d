// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Document {
  /// Seals variables under a new data key, with the generation that follows the environment that they replace.
  ///
  /// A generation far ahead of the clock counts only if it verifies; if it does not, that is reported.
  static func seal(
    _ secrets: OpenedEnvironment, beside plain: OpenedEnvironment, as form: SealedEnvironment.Form, layout: Layout,
    _ settings: FunctionSettings, using keyring: MultiKeyring, replacing previous: SealedEnvironment?
  ) async throws -> Document {
    let sealed: SealedEnvironment
    if let previous, previous.hasImplausibleGeneration {
      sealed = try await SealedEnvironment.seal(
        secrets, beside: plain, as: form, context: settings.context, using: keyring,
        generation: generation(after: previous, settings))
    } else {
      sealed = try await SealedEnvironment.seal(
        secrets, beside: plain, as: form, context: settings.context, using: keyring, after: previous)
    }
    return Document(layout: layout, sealed: sealed, plain: plain)
  }

  /// The generation after one that is far ahead of the clock; nil if it does not verify.
  private static func generation(
    after previous: SealedEnvironment, _ settings: FunctionSettings
  ) async throws -> UInt32? {
    do {
      let keyring = try await ToolKeys.opening(previous.wrappedKeys, settings)
      _ = try await previous.open(context: settings.context, using: keyring)
    } catch let error as EnvelopeError {
      Console.say(
        "The generation \(previous.generation) of what is replaced is more than a year ahead of the clock and does not "
          + "verify (\(error.message)), so it does not count. A handler that demands it will refuse the new file.")
      return nil
    }
    return try SealedEnvironment.generation(after: previous.generation)
  }
}
