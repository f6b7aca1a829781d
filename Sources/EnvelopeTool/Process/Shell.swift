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

/// Runs a command line of the person's own, such as their editor.
enum Shell {
  /// Runs `sh -c script sh argument` and waits for its end.
  ///
  /// - Returns: Its exit code, or 128 and the number of the signal that ended it.
  static func run(_ script: String, argument: String) throws(EnvelopeError) -> Int32 {
    let words: [String] = ["sh", "-c", script, "sh", argument]
    var arguments = unsafe words.map { word in unsafe strdup(word) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var process: pid_t = 0
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    BrokenPipe.restore(in: &attributes)
    OpenDescriptors.closeOthersOnExec()
    let failure = unsafe posix_spawn(&process, "/bin/sh", nil, &attributes, &arguments, ProcessEnvironment.entries)
    guard failure == 0 else {
      throw EnvelopeError(.fileFailure, "Cannot run a shell: \(unsafe String(cString: strerror(failure)))")
    }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw .system("Cannot wait for the editor") }
    }
    // POSIX's WIFSIGNALED, WTERMSIG and WEXITSTATUS, which are macros.
    let signal = status & 0x7f
    return signal != 0 ? 128 + signal : status >> 8 & 0xff
  }
}
