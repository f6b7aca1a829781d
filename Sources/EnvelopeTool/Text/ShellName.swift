// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Names that a shell keeps for itself: setting one does something else than setting a variable.
enum ShellName {
  /// Refuses what a shell that reads a file of variables would run, calculate with, or refuse.
  ///
  /// - Throws: `invalidArgument`, which names the variable.
  static func check(_ name: String, isBare: Bool) throws(EnvelopeError) {
    guard kept.contains(name) || name.hasPrefix("BASH_") || name == "ENV" && !isBare else { return }
    throw EnvelopeError(
      .invalidArgument, "A shell keeps the variable \(name) for itself, and could run its value as a command",
      advice: "Give the variable another name, or write JSON.", names: [name])
  }

  /// Those of bash and dash.
  ///
  /// Values of `HISTCMD`, `OPTIND`, `RANDOM` and `SRANDOM` are taken for arithmetic, in which bash runs commands;
  /// those of the prompts are expanded each time that they are shown; read-only ones end the reading of the file;
  /// the rest do not keep what they are set to. `ENV` is expanded when an interactive shell starts, and is a common
  /// name, so it may have a value in which there is nothing to expand.
  private static let kept: Set<String> = [
    "_", "BASHOPTS", "BASHPID", "COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME",
    "GROUPS", "HISTCMD", "LINENO", "OPTIND", "PIPESTATUS", "PPID", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4",
    "RANDOM", "SECONDS", "SHELLOPTS", "SHLVL", "SRANDOM", "UID",
  ]
}
