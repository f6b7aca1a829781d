// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where passphrases come from: the terminal, or for pipelines an open file.
enum Passphrase {
  /// The variable that tells the number of an open file from which a line is read for each passphrase.
  static let variable = "ENVELOPE_PASSPHRASE_FD"

  /// Whether it comes from an open file: nobody is there to try again.
  static var isFromDescriptor: Bool { ProcessEnvironment.value(of: variable) != nil }

  /// Reads the next line of the open file, or asks on the terminal without showing what is typed.
  ///
  /// - Throws: `usage` where there is neither, the line is empty, or the variable is no number; `fileFailure` where reading fails.
  static func read(_ prompt: String) throws(EnvelopeError) -> SecretBytes {
    guard let text = ProcessEnvironment.value(of: variable) else {
      guard Console.hasTerminal else {
        throw EnvelopeError(
          .usage, "There is no terminal to prompt for a passphrase on, and \(variable) is not set",
          advice: "Give the number of an open file: \(variable)=3 envelope … 3< FILE")
      }
      let line = try Console.readSecret(prompt: prompt)
      guard line.byteCount > 0 else { throw EnvelopeError(.usage, "A passphrase must not be empty") }
      return line
    }
    guard let number = Int32(text), number >= 0 else {
      throw EnvelopeError(.usage, "\(variable) is not the number of an open file")
    }
    // What this process starts must not inherit it, but must have its three streams.
    if number > STDERR_FILENO { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    let line = try Descriptor.withoutClosing(number) { (file) throws(EnvelopeError) in
      try file.readLine(limit: 65536, of: .stream("the open file that \(variable) names"))
    }
    guard line.byteCount > 0 else {
      throw EnvelopeError(.usage, "The open file that \(variable) names has no more lines, or an empty one")
    }
    return line
  }
}
