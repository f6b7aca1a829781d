// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The files and sockets that this process was started with, told from those of the network library.
///
/// That opens its own so that a program which is started from here would inherit them: the connection to a key service.
enum OpenDescriptors {
  private static let remembered = Mutex<Set<Int32>?>(nil)

  private static var all: [Int32] {
    let limit = min(sysconf(Int32(_SC_OPEN_MAX)), 4096)
    return (3..<Int32(max(3, limit))).filter { fcntl($0, F_GETFD) >= 0 }
  }

  /// Looks, before the network library opens anything.
  static func remember() { remembered.withLock { $0 = $0 ?? Set(all) } }

  /// Has programs that are started from here not inherit what was opened since.
  static func closeOthersOnExec() {
    guard let remembered = remembered.withLock({ $0 }) else { return }
    for number in all where !remembered.contains(number) { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
  }
}
