// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// What somebody does to a log without its key is found, and its place is told.
@Suite(.timeLimit(.minutes(20))) struct AuditTamperingTests {
  let logged: LoggedStore
  let lines: [[UInt8]]
  let checkpoint: AuditLog.Checkpoint

  init() async throws {
    logged = try LoggedStore()
    try await logged.use("one", "two", "three", "four", "five")
    lines = try logged.lines()
    checkpoint = try logged.verify()
    try #require(lines.count == 5 && checkpoint.count == 5)
  }

  private func expectRefusal(
    _ lines: [[UInt8]], saying part: String, _ location: SourceLocation = #_sourceLocation
  ) async throws {
    try logged.replaceLog(lines)
    for checkpoint in [nil, checkpoint] {
      await expectError(.auditLogAltered, saying: part, sourceLocation: location) { try logged.verify(checkpoint) }
    }
  }

  @Test func noByteCanBeAltered() async throws {
    let log = try logged.log
    let whole = Array(lines.joined())
    for offset in whole.indices {
      for mask in [0x01, 0x20, 0x80] as [UInt8] {
        var altered = whole
        altered[offset] ^= mask
        try write(altered, to: logged.logPath)
        let error = await expectError(.auditLogAltered, at: "byte \(offset), mask \(mask)") { try log.verify() }
        // The entry in which it is; where it is of the number or the line feed, maybe the one before or after.
        let entry = whole[..<offset].filter { $0 == 10 }.count + 1
        let named = (entry - 1...entry + 1).contains { error?.message.contains("entry \($0)") == true }
        #expect(named, "byte \(offset): \(error?.message ?? "")")
      }
    }
  }

  @Test(arguments: 0..<4) func aRemovedEntryIsFound(index: Int) async throws {
    var lines = lines
    lines.remove(at: index)
    try await expectRefusal(lines, saying: "after entry \(index) and before entry \(index + 2)")
  }

  @Test(arguments: 0..<5) func aDoubledEntryIsFound(index: Int) async throws {
    var lines = lines
    lines.insert(lines[index], at: index)
    try await expectRefusal(lines, saying: "after entry \(index + 1), entry \(index + 1) was added")
  }

  @Test(arguments: 0..<4) func swappedEntriesAreFound(index: Int) async throws {
    var lines = lines
    lines.swapAt(index, index + 1)
    try await expectRefusal(lines, saying: "after entry \(index) and before entry \(index + 2)")
  }

  @Test(arguments: 1..<5) func aHeadThatWasCutIsFound(count: Int) async throws {
    try await expectRefusal(Array(lines.dropFirst(count)), saying: "after entry 0 and before entry \(count + 1)")
  }

  /// The lines of another log of the same length, whose key is another.
  private func forged() async throws -> [[UInt8]] {
    let other = try LoggedStore()
    try await other.use("one", "two", "three", "four", "five")
    return try other.lines()
  }

  @Test(arguments: 0..<5) func aForgedEntryIsFound(index: Int) async throws {
    let forged = try await forged()
    var inserted = lines
    inserted.insert(forged[index], at: index)
    try await expectRefusal(inserted, saying: "entry \(index + 1) was altered")
    var replaced = lines
    replaced[index] = forged[index]
    try await expectRefusal(replaced, saying: "entry \(index + 1) was altered")
    var added = lines
    added.append(forged[index])
    try await expectRefusal(added, saying: "after entry 5, entry \(index + 1) was added")
  }

  @Test func anotherStoresLogIsFound() async throws {
    try await expectRefusal(try await forged(), saying: "entry 1 was altered")
  }

  /// With the numbers put right, it is the chain that tells.
  @Test(arguments: 0..<4) func numbersThatWerePutRightHideNothing(index: Int) async throws {
    var lines = lines
    lines.remove(at: index)
    for place in index..<4 {
      let text = String(decoding: lines[place], as: UTF8.self)
      let renumbered = text.replacingOccurrences(of: "{\"entry\":\(place + 2),", with: "{\"entry\":\(place + 1),")
      try #require(renumbered != text)
      lines[place] = Array(renumbered.utf8)
    }
    try await expectRefusal(lines, saying: "entry \(index + 1) was altered")
  }

  /// Each is genuine, and has its own number, but not in this company.
  @Test(arguments: 1..<4) func entriesOfTwoHistoriesAreFound(shared: Int) async throws {
    try logged.replaceLog(lines.prefix(shared))
    for _ in shared..<5 { try await logged.use("other") }
    let other = try logged.lines()
    for place in shared..<4 {
      try await expectRefusal(
        Array(lines[...place] + other[(place + 1)...]), saying: "entry \(place + 2) was altered, or the one before it")
    }
  }

  @Test func whatIsNoEntryIsFound() async throws {
    for text in ["\n", "{}\n", "x\n", "{\"entry\":3}\n", "\r\n", String(repeating: " ", count: 200) + "\n"] {
      for index in 0...5 {
        var lines = lines
        lines.insert(Array(text.utf8), at: index)
        try await expectRefusal(lines, saying: "entry \(index + 1) was altered")
      }
    }
    for number in ["0", "01", "+1", "-1", "1 ", "18446744073709551616", ""] {
      var lines = lines
      let text = String(decoding: lines[0], as: UTF8.self).replacingOccurrences(of: "y\":1,", with: "y\":\(number),")
      lines[0] = Array(text.utf8)
      try await expectRefusal(lines, saying: "entry 1 was altered")
    }
  }

  @Test func aLineWithoutEndIsNotReadIntoMemory() async throws {
    try await expectRefusal(lines + [[UInt8](repeating: 32, count: 4 << 20)], saying: "longer than any entry")
    try await expectRefusal(lines + [[UInt8](repeating: 32, count: 4 << 20) + [10]], saying: "")
  }

  // MARK: The tail

  @Test(arguments: 0..<5) func aCutTailIsFoundByACheckpoint(count: Int) async throws {
    try logged.replaceLog(lines.prefix(count))
    let now = try logged.verify()
    #expect(now.count == UInt64(count))
    await expectError(.auditLogAltered, saying: "ends after entry \(count), and had 5") {
      try logged.verify(checkpoint)
    }
    // Entries that come after the cut do not hide it.
    for _ in count..<5 { try await logged.use("again") }
    #expect(try logged.verify().count == 5)
    await expectError(.auditLogAltered, saying: "entry 5 is not the one") { try logged.verify(checkpoint) }
    try await logged.use("more")
    await expectError(.auditLogAltered, saying: "entry 5 is not the one") { try logged.verify(checkpoint) }
    #expect(try logged.verify(now).count == 6)
  }

  @Test func aLogThatIsGoneIsFoundByACheckpoint() async throws {
    try FileManager.default.removeItem(atPath: logged.logPath)
    #expect(try logged.verify().count == 0)
    await expectError(.auditLogAltered, saying: "ends after entry 0, and had 5") { try logged.verify(checkpoint) }
  }

  @Test func aCheckpointHoldsWhileTheLogGrows() async throws {
    var checkpoints = [checkpoint]
    for function in ["six", "seven"] {
      try await logged.use(function)
      checkpoints.append(try logged.verify())
    }
    #expect(checkpoints.map(\.count) == [5, 6, 7])
    for checkpoint in checkpoints + [try AuditLog.Checkpoint("0:\(String(repeating: "A", count: 43))")] {
      #expect(try logged.verify(checkpoint) == checkpoints[2])
      #expect(try AuditLog.Checkpoint(checkpoint.description) == checkpoint)
    }
  }

  @Test func aDamagedCheckpointIsRefused() async throws {
    let text = checkpoint.description
    let head = text.dropFirst(2)
    for damaged in [
      "", ":", "5", "5:", String(head), ":\(head)", "5:\(head.dropLast())", "5:\(head)A", "5:\(head)=", "5 \(head)",
      " \(text)", "\(text) ", "\(text)\n", "05:\(head)", "+5:\(head)", "-5:\(head)", "5::\(head)", "5:\(head):",
      "0:\(head)", "18446744073709551616:\(head)", "5:\(head.dropLast())!", "٥:\(head)", "5.0:\(head)",
      "5:\(head.dropLast())\(head.last == "B" ? "C" : "B")",
    ] {
      await expectError(.invalidArgument, at: damaged) { try AuditLog.Checkpoint(damaged) }
    }
    // A well-formed one of another log is no damage of the text, but of the log.
    await expectError(.auditLogAltered, saying: "entry 4 is not the one") {
      try logged.verify(AuditLog.Checkpoint("4:\(head)"))
    }
    await expectError(.auditLogAltered, saying: "had 6") { try logged.verify(AuditLog.Checkpoint("6:\(head)")) }
  }
}
