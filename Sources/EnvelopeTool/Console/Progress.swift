// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// One line on the terminal that tells how far long work has come; nothing where standard error is no terminal.
struct Progress {
  private let total: Int
  private let isShown: Bool
  private var shownAt: ContinuousClock.Instant?

  /// - Parameter total: How many steps there are; a line is not worth its while for a few.
  init(total: Int) {
    self.total = total
    isShown = total >= 20 && Console.errorIsTerminal
  }

  /// Tells that so many steps are done.
  mutating func show(_ done: Int) {
    let now = ContinuousClock.now
    guard isShown, done == total || shownAt.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
    shownAt = now
    Console.send(
      "\r\(Self.bar(done, of: total, width: 30)) \(done.grouped) of \(total.grouped)" + (done == total ? "\n" : ""))
  }

  /// A bar that is filled as far as the work is done.
  static func bar(_ done: Int, of total: Int, width: Int) -> String {
    let filled = Int(Double(done) / Double(total) * Double(width))
    return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "]"
  }

  /// Takes the line away, so that something else can be said.
  mutating func clear() {
    guard isShown, shownAt != nil else { return }
    shownAt = nil
    Console.send("\r\u{1b}[K")
  }
}
