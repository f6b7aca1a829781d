// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import TestSupport
import Testing

@testable import EnvelopeKitFiles

@Suite(.timeLimit(.minutes(20))) struct LongAuditLogTests {
  @Test func aLongLogIsContinuedAndVerified() async throws {
    let logged = try LoggedStore()
    let checkpoint = try logged.fill(entries: 100_000, function: "app")
    let clock = ContinuousClock()
    let time = try await clock.measure { for _ in 0..<10 { try await logged.use("app") } }
    // Nobody reads the whole log to add to it.
    #expect(time < .seconds(2))
    #expect(try logged.verify(checkpoint).count == 100_010)
  }

  #if !canImport(Darwin)
    @Test func aLongLogIsVerifiedInLittleMemory() async {
      await #expect(processExitsWith: .success) {
        let logged = try LoggedStore()
        let checkpoint = try logged.fill(entries: 3000, function: String(repeating: "n", count: 8000))
        // Forgets the peak that making the log had.
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        let before = try peakByteCount()
        #expect(try logged.verify(checkpoint) == checkpoint)
        // A log of 24 MB.
        #expect(try peakByteCount() - before < 8 << 20)
      }
    }
  #endif
}

extension LoggedStore {
  /// Makes a long log of what the library writes, without its syncing, which takes most of the time.
  fileprivate func fill(entries: Int, function: String) throws -> AuditLog.Checkpoint {
    let store = try store()
    let (key, id) = (try #require(store.auditKey), try store.require("default").id)
    try write([], to: logPath)
    try folder.setMode(0o600, of: logPath)
    let file = try #require(FileHandle(forWritingAtPath: logPath))
    var head = [UInt8](repeating: 0, count: 32)
    for number in 1...entries {
      let use = KeyUse(.wrap, of: try KeyID("\(id).1"), function: function)
      let line = try AuditEntry(number: UInt64(number), use).line(after: head, key: key)
      head = try #require(AuditEntry.Written(Array(line.dropLast()))).chain
      try file.write(contentsOf: Data(line))
    }
    return AuditLog.Checkpoint(count: UInt64(entries), head: head)
  }
}

#if !canImport(Darwin)
  private func peakByteCount() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.split { " \t".contains($0) }.dropLast().last ?? "")) * 1024
  }
#endif
