// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
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
/// They are caught, not blocked: a program that is started meanwhile finds them as they were. One that was ignored,
/// as under `nohup`, stays so. A pause may stand in another, which then gets the signal.
struct SignalPause {
  private typealias Handler = @convention(c) (Int32) -> Void

  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
  private static let putOff: Handler = { putOffSignal.store($0, ordering: .relaxed) }
  private var before: [(signal: Int32, action: sigaction)] = []

  init() {
    for signal in Self.signals {
      var old = sigaction()
      guard unsafe sigaction(signal, nil, &old) == 0, !old.isIgnoring else { continue }
      Self.handle(signal, by: Self.putOff)
      before.append((signal, old))
    }
  }

  private static func handle(_ signal: Int32, by handler: @escaping Handler) {
    var action = sigaction()
    action.setHandler(handler)
    unsafe sigaction(signal, &action, nil)
  }

  /// Waits until there is something to read from an open file; false where a signal came first.
  func waitForInput(of file: Int32) -> Bool {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in Self.signals { unsafe sigaddset(&signals, signal) }
    var before = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, &signals, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    // Signals get through only while it waits, so that none is missed between the look and the wait.
    while putOffSignal.load(ordering: .relaxed) == 0 {
      var files = fd_set()
      // A set of files holds so many bits and no more.
      guard Int(file) < MemoryLayout<fd_set>.size * 8 else { return true }
      unsafe withUnsafeMutableBytes(of: &files) { unsafe $0[Int(file) / 8] |= 1 << UInt8(file % 8) }
      // What fails otherwise is told by reading.
      if unsafe pselect(file + 1, &files, nil, nil, nil, &before) >= 0 || errno != EINTR { return true }
    }
    return false
  }

  /// Runs `body`, during which SIGINT and SIGQUIT have no effect on this process.
  ///
  /// They are caught as well, so that a program that `body` starts finds them as they were.
  func droppingInterrupts<Result>(_ body: () throws(EnvelopeError) -> Result) throws(EnvelopeError) -> Result {
    let interrupts = before.map(\.signal).filter { [SIGINT, SIGQUIT].contains($0) }
    for signal in interrupts { Self.handle(signal) { _ in } }
    defer { for signal in interrupts { Self.handle(signal, by: Self.putOff) } }
    return try body()
  }

  /// Lets a signal take effect at the end, as if this process had received it.
  ///
  /// - Returns: False if this process ignores the signal.
  func receive(_ signal: Int32) -> Bool {
    guard before.contains(where: { $0.signal == signal }) else { return false }
    putOffSignal.store(signal, ordering: .relaxed)
    return true
  }

  /// Whether a signal came since the pause began.
  var hasSignal: Bool { putOffSignal.load(ordering: .relaxed) != 0 }

  /// Lets them through again; one that came meanwhile has had its effect.
  func forget() {
    putOffSignal.store(0, ordering: .relaxed)
    end()
  }

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
  var isIgnoring: Bool {
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
