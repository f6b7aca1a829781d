// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
  @unsafe @preconcurrency import Darwin
#elseif canImport(Glibc)
  @unsafe @preconcurrency import Glibc
#elseif canImport(Musl)
  @unsafe @preconcurrency import Musl
#endif

/// SIGPIPE as this process was started with it.
///
/// Whatever speaks to a key service has the signal ignored, and a program that is started from here would begin so: it
/// would go on writing to a reader who has left.
enum BrokenPipe {
  private static let wasIgnored = Atomic(false)

  /// Looks, before anything changes it.
  static func remember() {
    var action = sigaction()
    let isIgnored = unsafe sigaction(SIGPIPE, nil, &action) == 0 && action.isIgnoring
    wasIgnored.store(isIgnored, ordering: .relaxed)
  }

  /// Puts it back, for a program that takes this process's place.
  static func restore() {
    guard !wasIgnored.load(ordering: .relaxed) else { return }
    _ = signal(SIGPIPE, SIG_DFL)
  }

  /// Has a program that is started begin with it.
  static func restore(in attributes: inout posix_spawnattr_t) {
    guard !wasIgnored.load(ordering: .relaxed) else { return }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
  }
}
