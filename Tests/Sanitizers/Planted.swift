// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Faults that the sanitizers must report, and correct code that they must not report.
@main struct Planted {
  private final class Counts: @unchecked Sendable {
    let guarded = Mutex<[Int: Int]>([:])
    /// A fault: tasks change it without synchronization.
    var unguarded = 0
  }

  private static func count(racing: Bool) async {
    let counts = Counts()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<64 {
        group.addTask {
          for number in 0..<2000 {
            counts.guarded.withLock { $0[number % 50, default: 0] += task }
            if racing { counts.unguarded += 1 }
            if number.isMultiple(of: 100) { await Task.yield() }
          }
        }
      }
      await group.waitForAll()
    }
  }

  /// A fault: reads one byte behind an allocation.
  private static func overread() {
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
    bytes.initialize(repeating: 0, count: 16)
    print(bytes[CommandLine.arguments.count + 14])
    bytes.deallocate()
  }

  static func main() async {
    switch CommandLine.arguments.dropFirst().first {
    case "race": await count(racing: true)
    case "overread": overread()
    default: await count(racing: false)
    }
  }
}
