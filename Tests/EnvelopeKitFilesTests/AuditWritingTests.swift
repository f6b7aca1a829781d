// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// What happens while an entry is written, and where it cannot be.
@Suite(.timeLimit(.minutes(20))) struct AuditWritingTests {
  let logged: LoggedStore
  init() throws { logged = try LoggedStore() }

  // MARK: Unfinished lines

  @Test func aPieceOfALineIsToldAndTakenOffByTheNextUse() async throws {
    try await logged.use("one", "two", "three")
    let lines = try logged.lines()
    for count in 1..<lines[2].count {
      try logged.replaceLog(lines.prefix(2) + [Array(lines[2].prefix(count))])
      await expectError(.auditLogAltered, saying: "entry 3 is not whole", at: "\(count)") { try logged.verify() }
      try await logged.use("again")
      #expect(try logged.verify().count == 3)
      #expect(try logged.entries().last?["function"] == "again")
    }
  }

  @Test func aPieceOfTheFirstLineIsTakenOffToo() async throws {
    try write(Array("{\"entry\":1,\"ti".utf8), to: logged.logPath)
    try logged.folder.setMode(0o600, of: logged.logPath)
    await expectError(.auditLogAltered, saying: "entry 1 is not whole") { try logged.verify() }
    try await logged.use("one")
    #expect(try logged.verify().count == 1)
  }

  /// A log whose end is no entry is not continued, for what is there would be given a chain.
  @Test func whatDoesNotEndInAnEntryIsNotContinued() async throws {
    try await logged.use("one", "two")
    let lines = try logged.lines()
    for end in [
      Array("\n".utf8), Array("{}\n".utf8), lines[1].dropLast(3) + [10], [UInt8](repeating: 65, count: 1 << 18),
    ] {
      try logged.replaceLog(lines + [end])
      let before = try bytes(of: logged.logPath)
      await expectError(.auditLogAltered, saying: "does not end in an entry") { try await logged.use("three") }
      #expect(try bytes(of: logged.logPath) == before)
    }
  }

  // MARK: Entries that are too long

  /// Whoever asks a keyring itself can name a function of any length: that is refused and does not end the log.
  @Test func aContextThatIsTooLongDoesNotMakeALineThatIs() async throws {
    try await logged.use("one")
    let keyring = try logged.store().keyring()
    let good: EncryptionContext = ["function": "two"]
    let entries = try await keyring.generateDataKey(for: good).wrapped
    for byteCount in [8193, 70_000, 1 << 20] {
      let context: EncryptionContext = ["function": String(repeating: "f", count: byteCount)]
      await expectError(.invalidArgument) { try await keyring.generateDataKey(for: context).wrapped.count }
      await expectError(.invalidArgument) { try await keyring.unwrap(entries, for: context).source }
    }
    try logged.change { (store) throws(EnvelopeError) in try store.disable("default") }
    let disabled = try logged.store().keyring()
    let context: EncryptionContext = ["function": String(repeating: "f", count: 1 << 20)]
    await expectError(.invalidArgument) { try await disabled.generateDataKey(for: context).wrapped.count }
    await expectError(.invalidArgument) { try await disabled.unwrap(entries, for: context).source }
    await expectError(.keyDisabled) { try await disabled.unwrap(entries, for: good).source }
    #expect(try logged.verify().count == 3)
    #expect(try logged.lines().allSatisfy { $0.count < 1000 })
  }

  // MARK: Many at once

  /// The reader verifies a fixed number of times: it never suspends, so a reader that waited for the last entry would
  /// keep a thread that the writers may need.
  @Test func concurrentWritersKeepOneChainAndReaderSeesCompleteLines() async throws {
    // Entries that the system writes in several pieces.
    let long = String(repeating: "\u{1}", count: 8000)
    let (logged, log) = (logged, try logged.log)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for _ in 0..<20 { try await logged.use(writer.isMultiple(of: 2) ? long : "short") }
        }
      }
      group.addTask {
        var count: UInt64 = 0
        for _ in 0..<80 {
          let checkpoint = try log.verify()
          #expect(checkpoint.count >= count)
          count = checkpoint.count
        }
      }
      try await group.waitForAll()
    }
    #expect(try logged.verify().count == 80)
    #expect(try logged.entries().filter { $0["function"] == long }.count == 40)
  }

  /// A use waits for the log's lock alone and a change for the store's first: none waits for another in a circle.
  @Test func usesAndChangesAtOnceEnd() async throws {
    let logged = logged
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          for number in 0..<10 {
            if worker.isMultiple(of: 2) {
              try await logged.use("app")
            } else {
              try logged.change { (store) throws(EnvelopeError) in
                try store.add(Keyset.generate(), alias: "k\(worker)-\(number)")
                try store.report(KeyUse(KeyUse.Operation(rawValue: "create"), of: store.require("default").id))
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try logged.verify().count == 40)
    #expect(try logged.store().keysets.count == 22)
  }

  // MARK: Where it cannot be written

  /// Expects that a use fails and gives nothing out, and that the store opens all the same.
  private func expectUseFails(
    _ code: EnvelopeError.Code, saying part: String, _ location: SourceLocation = #_sourceLocation
  ) async throws {
    await expectError(code, saying: part, sourceLocation: location) { try await logged.use("refused") }
    #expect(try logged.file.load() != nil, sourceLocation: location)
  }

  @Test(arguments: [0o644, 0o620, 0o602, 0o666, 0o610, 0o604]) func aLogThatOthersCanUseIsRefused(mode: Int)
    async throws
  {
    try await logged.use("one")
    try logged.folder.setMode(mode, of: logged.logPath)
    let before = try bytes(of: logged.logPath)
    try await expectUseFails(.filePermissions, saying: logged.logPath)
    #expect(try bytes(of: logged.logPath) == before)
    try logged.folder.setMode(0o600, of: logged.logPath)
    try await logged.use("two")
    #expect(try logged.verify().count == 2)
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a file away"))
  func anotherUsersLogIsRefused() async throws {
    try await logged.use("one")
    try #require(unsafe chown(logged.logPath, 65534, 65534) == 0)
    try await expectUseFails(.filePermissions, saying: logged.logPath)
  }

  @Test(arguments: ["file", "nothing", "/dev/null"]) func aLinkInItsPlaceIsRefused(target: String) async throws {
    if target == "file" { try write([], to: logged.folder.path + "/file") }
    try logged.folder.setMode(0o700, of: logged.folder.path)
    try FileManager.default.createSymbolicLink(atPath: logged.logPath, withDestinationPath: target)
    try await expectUseFails(.fileFailure, saying: logged.logPath)
    if target == "file" { #expect(try bytes(of: logged.folder.path + "/file") == []) }
    #expect(!FileManager.default.fileExists(atPath: logged.folder.path + "/nothing"))
  }

  @Test func aPipeInItsPlaceIsRefusedAndNotWaitedFor() async throws {
    try #require(unsafe mkfifo(logged.logPath, 0o600) == 0)
    try await expectUseFails(.filePermissions, saying: logged.logPath)
    await expectError(.auditLogAltered, saying: "not a file") { try logged.verify() }
  }

  @Test func aFolderInItsPlaceIsRefused() async throws {
    try FileManager.default.createDirectory(atPath: logged.logPath, withIntermediateDirectories: false)
    try await expectUseFails(.fileFailure, saying: logged.logPath)
    await expectError(.auditLogAltered, saying: "not a file") { try logged.verify() }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "Only root can mount a disk of its own; the next test has none"))
  func aFullDiskFailsTheUseAndLeavesNoPieceOfALine() async throws {
    let disk = try SmallDisk()
    let logged = try LoggedStore(at: disk.path)
    try await logged.use("one")
    try disk.fill()
    // The last page of the log has room for a few.
    var count: UInt64 = 1
    var failure: EnvelopeError?
    while failure == nil, count < 100 {
      let before = try bytes(of: logged.logPath)
      do {
        try await logged.use("app")
        count += 1
      } catch let error as EnvelopeError {
        failure = error
        #expect(try bytes(of: logged.logPath) == before)
      }
    }
    #expect(failure?.code == .fileFailure && failure?.message.contains("No space") == true && count > 1)
    #expect(try logged.verify().count == count)
    #expect(try logged.file.load()?.keysets.count == 2)
    // A longer one does not fit either, and a change that cannot be logged is not made.
    await expectError(.fileFailure) { try await logged.use(String(repeating: "n", count: 8000)) }
    let store = try bytes(of: logged.file.location)
    await expectError(.fileFailure) {
      try logged.change { (store) throws(EnvelopeError) in
        try store.disable("default")
        try store.report(KeyUse(KeyUse.Operation(rawValue: "disable"), of: store.require("default").id))
      }
    }
    #expect(try bytes(of: logged.file.location) == store)
    #expect(try logged.verify().count == count)
    try disk.clear()
    try await logged.use("more")
    #expect(try logged.verify().count == count + 1)
  }

  @Test func aWriteThatEndsEarlyFailsTheUseAndLeavesNoPieceOfALine() async {
    await #expect(processExitsWith: .success) {
      let logged = try LoggedStore()
      try await logged.use("one", "two")
      let before = try bytes(of: logged.logPath)
      for room in [0, 1, 100, before.count / 2 - 1] {
        try limitFiles(to: before.count + room)
        await expectError(.fileFailure, saying: logged.logPath, at: "\(room)") { try await logged.use("three") }
        #expect(try bytes(of: logged.logPath) == before)
        #expect(try logged.verify().count == 2)
      }
      try limitFiles(to: 1 << 20)
      try await logged.use("three")
      #expect(try logged.verify().count == 3)
    }
  }
}
