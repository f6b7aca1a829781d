// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension LockWait {
  /// The variable with the number of seconds that a command waits for another process that changes the same file.
  static let variable = "ENVELOPE_LOCK_TIMEOUT"

  /// How commands wait: for a minute, unless the variable says otherwise, and with a message on standard error.
  ///
  /// - Throws: `usage` if the variable is not a number of seconds from 0 to 86,400.
  static var ofCommand: LockWait {
    get throws(EnvelopeError) {
      var wait = LockWait { Console.say("envelope: \($0)") }
      guard let text = ProcessEnvironment.value(of: variable), !text.isEmpty else { return wait }
      guard let seconds = Int(text), (0...86_400).contains(seconds) else {
        throw EnvelopeError(
          .usage, "\(variable) is not a number of seconds from 0 to 86400",
          advice: "Unset it, or set it to the time to wait: \(variable)=60")
      }
      wait.limit = .seconds(seconds)
      return wait
    }
  }
}
