// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser

  /// A command that waits for keyrings and stays on the thread that called it.
  ///
  /// ArgumentParser's own protocol for this runs commands on threads that hold back nearly all signals: a command
  /// that takes this process's place would inherit that, and an interruption at a prompt would go astray.
  protocol MainThreadCommand: ParsableCommand {
    func run() async throws
  }
#endif
