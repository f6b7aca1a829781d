// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Runs a command whose output passes through this process, which masks secrets in it.
struct RedactedCommand {
  let command: [String]
  let redactor: Redactor

  /// Runs the command and waits until it has ended and all writers of its output have closed it.
  ///
  /// - Returns: Its exit code, 128 and the number of the signal that ended it, or the exit code that shells give for a
  ///   command that cannot be run.
  func run(in environment: borrowing ChildEnvironment) throws(EnvelopeError) -> Int32 {
    // The command gets the signal when its pipe is closed, as it would from the reader of this process's output.
    _ = signal(SIGPIPE, SIG_IGN)
    // If it is ignored, the system keeps no exit status.
    _ = signal(SIGCHLD, SIG_DFL)
    let signals = SignalForwarding()
    defer { signals.end() }
    var outputs: [RedactedOutput] = []
    for (number, others) in Self.targets { outputs.append(try RedactedOutput(of: number, also: others, redactor)) }
    var process: pid_t = 0
    let failure = try unsafe environment.start(command) { program, arguments, variables in
      unsafe Self.spawn(&process, program, arguments, variables, outputs)
    }
    for output in outputs { output.closeInput() }
    if let failure { return failure }
    signals.begin(to: process)
    for output in outputs { output.start() }
    // The number stays the command's until the process is reaped, and signals are not sent to it any more then.
    var information = unsafe siginfo_t()
    while unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0 {
      guard errno == EINTR else { throw .system("Cannot wait for the command") }
    }
    signals.end()
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw .system("Cannot wait for the command") }
    }
    var isWritten = true
    for output in outputs where !output.wait() { isWritten = false }
    // POSIX's WTERMSIG and WEXITSTATUS, which are macros.
    let signal = status & 0x7f
    let code = signal != 0 ? 128 + signal : status >> 8 & 0xff
    return code == 0 && !isWritten ? ExitStatus.ioError.rawValue : code
  }

  /// The streams of the command that get a pipe each.
  ///
  /// Two that lead to one place share a pipe, which keeps their order. A stream that is closed stays closed.
  private static var targets: [(number: Int32, others: [Int32])] {
    let isOutputOpen = fcntl(STDOUT_FILENO, F_GETFD) >= 0
    guard fcntl(STDERR_FILENO, F_GETFD) >= 0 else { return isOutputOpen ? [(STDOUT_FILENO, [])] : [] }
    guard isOutputOpen else { return [(STDERR_FILENO, [])] }
    var (output, error) = (stat(), stat())
    // Two openings of a file have a position each.
    if unsafe fstat(STDOUT_FILENO, &output) == 0, unsafe fstat(STDERR_FILENO, &error) == 0,
      output.st_dev == error.st_dev, output.st_ino == error.st_ino, mode_t(output.st_mode) & S_IFMT != S_IFREG
    {
      return [(STDOUT_FILENO, [STDERR_FILENO])]
    }
    return [(STDOUT_FILENO, []), (STDERR_FILENO, [])]
  }

  /// Starts a program; returns 0 or the error's number.
  @unsafe
  private static func spawn(
    _ process: inout pid_t, _ program: String, _ arguments: UnsafePointer<UnsafeMutablePointer<CChar>?>,
    _ variables: UnsafePointer<UnsafeMutablePointer<CChar>?>, _ outputs: [RedactedOutput]
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for output in outputs {
      for number in output.numbers { unsafe posix_spawn_file_actions_adddup2(&actions, output.input, number) }
    }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    BrokenPipe.restore(in: &attributes)
    return unsafe posix_spawn(&process, program, &actions, &attributes, arguments, variables)
  }
}
