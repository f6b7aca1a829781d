// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension OpenedEnvironment {
  /// Refuses new values that no process environment or no text can hold: `exec` or `open` would fail for the complete
  /// file.
  ///
  /// - Parameter kept: Variables that are sealed already: a value that stays as it is passes, so that the others can be
  ///   changed.
  /// - Throws: `invalidArgument`, which names the first variable that has a NUL byte or is not UTF-8.
  func checkFitsProcess(keeping kept: OpenedEnvironment? = nil) throws(EnvelopeError) {
    for secret in secrets where !(kept?[secret.name]).isSame(as: secret) { try VariablesText.check(secret) }
  }
}
