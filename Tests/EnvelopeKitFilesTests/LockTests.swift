// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Path+Lock", .timeLimit(.minutes(20))) struct LockTests {
  /// Who waited for a folder that has been replaced waits for the one in its place too.
  @Test func aFolderThatWasReplacedIsNotTheOneLocked() throws {
    let folder = try TemporaryFolder()
    let place = try folder.makeFolder("place")
    let path = Path(place + "/file")
    let events = Mutex<[String]>([])
    let isDone = DispatchSemaphore(value: 0)
    let old = try path.folder.openForReading()
    try #require(flock(old.number, LOCK_EX) == 0)
    Thread.detachNewThread {
      if let lock = try? path.lock() {
        events.withLock { $0.append("waiter") }
        _ = consume lock
      }
      isDone.signal()
    }
    // Time to come to the lock of the old folder.
    Thread.sleep(forTimeInterval: 0.2)
    try FileManager.default.moveItem(atPath: place, toPath: place + ".old")
    _ = try folder.makeFolder("place")
    let lock = try path.lock()
    flock(old.number, LOCK_UN)
    Thread.sleep(forTimeInterval: 0.3)
    events.withLock { $0.append("owner") }
    _ = consume lock
    isDone.wait()
    #expect(events.withLock { $0 } == ["owner", "waiter"])
  }
}
