// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitFiles
import Synchronization

/// A line on the terminal that shows how much of a file is done, how fast, and how long the rest takes.
///
/// Nothing is shown if standard error is not a terminal, or for a small file. Any thread can report.
final class ByteProgress: Sendable {
  private struct State {
    var done = 0
    var startedAt = ContinuousClock.now
    var shownAt: ContinuousClock.Instant?
    var isCleared = false
  }

  /// Less than this takes no time worth showing.
  static let minimumByteCount = 64 << 20

  private let state = Mutex(State())
  private let isShown = Console.errorIsTerminal

  /// Reports progress.
  ///
  /// - Parameter total: Nil if the length is not known, as of a pipe.
  func show(_ done: Int, _ total: Int?) {
    state.withLock { state in
      // Reports of several threads can overtake each other.
      state.done = max(state.done, done)
      let now = ContinuousClock.now
      guard isShown, !state.isCleared, total ?? done >= Self.minimumByteCount,
        state.shownAt.map({ now - $0 >= .milliseconds(100) }) ?? true
      else { return }
      state.shownAt = now
      Console.send("\r\(Self.line(state.done, of: total, after: now - state.startedAt))\u{1b}[K")
    }
  }

  /// Removes the line, so that messages can follow; later reports show nothing.
  func clear() {
    state.withLock { state in
      state.isCleared = true
      guard state.shownAt != nil else { return }
      state.shownAt = nil
      Console.send("\r\u{1b}[K")
    }
  }

  /// The line; at most 79 characters.
  static func line(_ done: Int, of total: Int?, after elapsed: Duration) -> String {
    let seconds = elapsed / .seconds(1)
    let rate = seconds > 0 ? Int(min(Double(done) / seconds, 1e18)) : 0
    var line = done.byteText
    if let total, total > 0 {
      line = "\(Progress.bar(min(done, total), of: total, width: 20)) \(line) of \(total.byteText)"
    }
    guard rate > 0 else { return line }
    line += ", \(rate.byteText)/s"
    if let total, total > done { line += ", \(timeText((total - done) / rate)) left" }
    return line
  }

  private static func timeText(_ seconds: Int) -> String {
    switch seconds {
    case ..<60: "\(seconds + 1) s"
    case ..<3600: "\(seconds / 60) min"
    case ..<360_000: "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: "\(seconds / 86_400) days"
    }
  }
}

extension FileOptions {
  /// The options of a command: progress on the terminal, and messages on standard error.
  init(_ progress: ByteProgress?, keepsAttributes: Bool = false) {
    self.init()
    self.keepsAttributes = keepsAttributes
    self.progress = progress?.show
    notify = { message in
      progress?.clear()
      Console.say("envelope: \(message)")
    }
  }
}
