// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension Document {
  /// Seals variables under a new data key, with the generation that follows the environment that they replace.
  ///
  /// - Throws: `invalidArgument` if a value has a NUL byte; what sealing throws.
  static func seal(
    _ secrets: OpenedEnvironment, beside plain: OpenedEnvironment, as form: SealedEnvironment.Form, layout: Layout,
    _ settings: FunctionSettings, using keyring: MultiKeyring, replacing predecessor: Predecessor?
  ) async throws -> Document {
    try secrets.checkFitsProcess()
    try plain.checkFitsProcess()
    let sealed = try await SealedEnvironment.seal(
      secrets, beside: plain, as: form, context: settings.context, using: keyring,
      generation: predecessor?.nextGeneration())
    return Document(layout: layout, sealed: sealed, plain: plain)
  }
}
