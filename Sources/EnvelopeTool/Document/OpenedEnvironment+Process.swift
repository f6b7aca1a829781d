// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

extension OpenedEnvironment {
  /// Refuses new values that no process environment can hold: `exec` and `open` would fail for the complete file.
  ///
  /// - Parameter kept: Variables that are sealed already: a value that stays as it is passes, so that the others can be
  ///   changed.
  /// - Throws: `invalidArgument`, which names the variables that have a NUL byte.
  func checkFitsProcess(keeping kept: OpenedEnvironment? = nil) throws(EnvelopeError) {
    let names = secrets.filter { secret in
      secret.withBytes { $0.contains(0) } && !(kept?[secret.name]).isSame(as: secret)
    }.map(\.name)
    guard !names.isEmpty else { return }
    throw EnvelopeError(
      .invalidArgument,
      "\(names.count == 1 ? "The value" : "Each value") of \(EnvelopeError.listed(names)) has a NUL byte, which no "
        + "process environment can hold",
      advice: "Encode the value before it is sealed, for example as base64.", names: names)
  }
}
