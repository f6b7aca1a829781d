// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The patterns of a redactor and the tables for their search, all in guarded memory.
final class PatternAutomaton: Sendable {
  private let memory: GuardedMemory
  let layout: PatternTables.Layout

  /// Builds the automaton; returns nil if there is no pattern.
  ///
  /// - Throws: `systemFailure` if there is no memory.
  static func build(_ list: borrowing PatternList) throws(EnvelopeError) -> PatternAutomaton? {
    list.patterns.isEmpty ? nil : try PatternAutomaton(list)
  }

  private init(_ list: borrowing PatternList) throws(EnvelopeError) {
    let order = SortedPatterns(list)
    let layout = PatternTables.Layout(of: list, in: order)
    guard layout.byteCount < Int(UInt32.max) else {
      throw EnvelopeError(.systemFailure, "The secrets are too long to be masked")
    }
    self.layout = layout
    memory = try GuardedMemory(capacity: layout.byteCount) { output in
      unsafe output.withUnsafeMutableBytes { buffer, count in
        guard let base = buffer.baseAddress else { return }
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: layout.byteCount)
        unsafe PatternTables(layout, at: base).build(list, in: order)
        count = layout.byteCount
      }
    }
  }

  /// Whether the system keeps the patterns out of swap.
  var isLocked: Bool { memory.isLocked }

  /// Gives access to the tables, which are valid only inside `body`.
  @inline(__always)
  func withTables<R>(_ body: (PatternTables) -> R) -> R {
    memory.withBytes { bytes in
      unsafe bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { preconditionFailure("The memory has no address") }
        // Nothing stores in it: the pages are read-only.
        return unsafe body(PatternTables(layout, at: UnsafeMutableRawPointer(mutating: base)))
      }
    }
  }
}
