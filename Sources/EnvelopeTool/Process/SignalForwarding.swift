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

/// The process that signals are forwarded to, or 0.
private let receiver = Atomic<Int32>(0)

/// The last signal that came before there was a receiver, or 0.
private let earlySignal = Atomic<Int32>(0)

/// Forwards the signals by which users and supervisors control a program to a process that this one has started.
///
/// A terminal sends its signals to both, so those are not forwarded. A signal that was ignored, as under `nohup`, is
/// ignored by the other process as well.
final class SignalForwarding {
  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM]
  private var before: [(signal: Int32, action: sigaction)] = []

  /// Starts to catch signals.
  init() {
    for signal in Self.signals {
      var old = sigaction()
      guard unsafe sigaction(signal, nil, &old) == 0, !old.isIgnoring else { continue }
      var action = sigaction()
      unsafe action.setForwarding { signal, information, _ in
        let failure = errno
        let process = receiver.load(ordering: .sequentiallyConsistent)
        if process == 0 {
          earlySignal.store(signal, ordering: .sequentiallyConsistent)
        } else if unsafe information?.pointee.isFromTerminal != true {
          kill(process, signal)
        }
        errno = failure
      }
      unsafe sigaction(signal, &action, nil)
      before.append((signal, old))
    }
  }

  /// Forwards signals from now on, and the last one that came before.
  func begin(to process: pid_t) {
    receiver.store(process, ordering: .sequentiallyConsistent)
    let signal = earlySignal.exchange(0, ordering: .sequentiallyConsistent)
    if signal != 0 { kill(process, signal) }
  }

  /// Lets signals act on this process as before, and one that no process received at once.
  func end() {
    for (signal, action) in before {
      var action = action
      unsafe sigaction(signal, &action, nil)
    }
    before = []
    receiver.store(0, ordering: .sequentiallyConsistent)
    let signal = earlySignal.exchange(0, ordering: .sequentiallyConsistent)
    if signal != 0 { raise(signal) }
  }
}

extension siginfo_t {
  /// Whether a terminal, which has sent the signal to all processes in the foreground, or the kernel sent it.
  fileprivate var isFromTerminal: Bool {
    #if canImport(Darwin)
      si_pid == 0
    #else
      unsafe si_code > 0
    #endif
  }
}

extension sigaction {
  fileprivate mutating func setForwarding(
    _ handler: @escaping @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void
  ) {
    sa_flags = SA_SIGINFO | SA_RESTART
    #if canImport(Darwin)
      unsafe __sigaction_u.__sa_sigaction = handler
    #elseif canImport(Glibc)
      unsafe __sigaction_handler.sa_sigaction = handler
    #else
      unsafe __sa_handler.sa_sigaction = handler
    #endif
  }
}
