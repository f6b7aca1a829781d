// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Document {
  /// Seals variables under a new data key, with the generation that follows the environment that they replace.
  ///
  /// That environment is opened first, because only a generation that verifies always counts. If it does not open, that is
  /// reported: its generation counts unless it is far ahead of the clock.
  static func seal(
    _ secrets: OpenedEnvironment, beside plain: OpenedEnvironment, as form: SealedEnvironment.Form, layout: Layout,
    _ settings: FunctionSettings, using keyring: MultiKeyring, replacing previous: SealedEnvironment?
  ) async throws -> Document {
    var generation: UInt32?
    if let previous { generation = try await self.generation(after: previous, settings) }
    let sealed = try await SealedEnvironment.seal(
      secrets, beside: plain, as: form, context: settings.context, using: keyring, generation: generation)
    return Document(layout: layout, sealed: sealed, plain: plain)
  }

  /// The generation after that of an environment; nil if it does not count.
  private static func generation(
    after previous: SealedEnvironment, _ settings: FunctionSettings
  ) async throws -> UInt32? {
    do {
      let keyring = try await ToolKeys.opening(previous.wrappedKeys, settings)
      _ = try await previous.open(context: settings.context, using: keyring, anonymousSender: .accepted)
    } catch let error as EnvelopeError {
      let isCounted = !previous.hasImplausibleGeneration
      Console.say(
        "The generation \(previous.generation) of what is replaced does not verify (\(error.message)). It counts"
          + (isCounted ? " all the same." : " no more: it is more than a day ahead of the clock."))
      guard isCounted else { return nil }
    }
    return try SealedEnvironment.generation(after: previous.generation)
  }
}
