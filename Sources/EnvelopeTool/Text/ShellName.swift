// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Names that a shell keeps for itself: setting one does something else than setting a variable.
enum ShellName {
  /// Whether a shell sets something else than the variable, or nothing.
  static func isKept(_ name: String) -> Bool { isSpecial(name) || runs(name) }

  /// Refuses what a shell that reads a file of variables would run or calculate with.
  ///
  /// - Parameter isBare: Whether the value is of characters that no shell expands or calculates with.
  /// - Throws: `invalidArgument`, which names the variable.
  static func check(_ name: String, isBare: Bool) throws(EnvelopeError) {
    guard runs(name) || !isBare && (isSpecial(name) || name == "ENV") else { return }
    throw EnvelopeError(
      .invalidArgument, "A shell keeps the variable \(name) for itself, and could run its value as a command",
      advice: "Give the variable another name, or write JSON, or the format docker.", names: [name])
  }

  /// Whether a shell runs even a value of letters: as a command, or as the path of a script.
  private static func runs(_ name: String) -> Bool { name == "PROMPT_COMMAND" || name.hasPrefix("BASH_") }

  /// Whether bash or dash does anything but keep the value of this variable.
  ///
  /// Values of `HISTCMD`, `OPTIND`, `RANDOM` and `SRANDOM` are taken for arithmetic, in which bash runs commands;
  /// those of the prompts are expanded each time that they are shown; read-only ones end the reading of the file;
  /// the rest do not keep what they are set to. `ENV` is expanded when an interactive shell starts, and is a common
  /// name, so it may have a value in which there is nothing to expand.
  private static func isSpecial(_ name: String) -> Bool {
    switch name {
    case "_", "BASHOPTS", "BASHPID", "COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID",
      "FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "OPTIND", "PIPESTATUS", "PPID", "PROMPT_COMMAND", "PS0", "PS1",
      "PS2", "PS4", "RANDOM", "SECONDS", "SHELLOPTS", "SHLVL", "SRANDOM", "UID":
      true
    default: false
    }
  }
}
