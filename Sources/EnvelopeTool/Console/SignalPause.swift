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

/// The last of the signals that came while they were put off, or 0.
private let putOffSignal = Atomic<Int32>(0)

/// Puts off the signals by which a person or the system ends a program, until what must not be left
/// half done is done.
///
/// They are caught, not blocked: system calls that wait are interrupted, and a program that is started meanwhile
/// finds them as they were. One that was ignored, as under `nohup`, stays so. There is one pause at a time.
struct SignalPause {
  private var before: [(signal: Int32, action: sigaction)] = []

  init() {
    putOffSignal.store(0, ordering: .relaxed)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
      var old = sigaction()
      guard unsafe sigaction(signal, nil, &old) == 0, !old.isIgnoring else { continue }
      // Without SA_RESTART, so that a read which waits is interrupted.
      var new = sigaction()
      new.setHandler { putOffSignal.store($0, ordering: .relaxed) }
      unsafe sigaction(signal, &new, nil)
      before.append((signal, old))
    }
  }

  /// Whether a signal has come meanwhile.
  var isInterrupted: Bool { putOffSignal.load(ordering: .relaxed) != 0 }

  /// Lets them through again: one that came meanwhile takes effect now.
  func end() {
    for (signal, action) in before {
      var action = action
      unsafe sigaction(signal, &action, nil)
    }
    let signal = putOffSignal.exchange(0, ordering: .relaxed)
    if signal != 0 { raise(signal) }
  }
}

extension sigaction {
  fileprivate var isIgnoring: Bool {
    // SIG_IGN is a number that cannot be compared as a function.
    #if canImport(Darwin)
      let handler = unsafe __sigaction_u.__sa_handler
    #elseif canImport(Glibc)
      let handler = unsafe __sigaction_handler.sa_handler
    #else
      let handler = unsafe __sa_handler.sa_handler
    #endif
    return unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  fileprivate mutating func setHandler(_ handler: @escaping @convention(c) (Int32) -> Void) {
    #if canImport(Darwin)
      unsafe __sigaction_u.__sa_handler = handler
    #elseif canImport(Glibc)
      unsafe __sigaction_handler.sa_handler = handler
    #else
      unsafe __sa_handler.sa_handler = handler
    #endif
  }
}
