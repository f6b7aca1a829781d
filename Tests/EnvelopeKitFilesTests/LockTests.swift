// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Path+Lock", .timeLimit(.minutes(20))) struct LockTests {
  let folder: TemporaryFolder
  let path: Path

  init() throws {
    folder = try TemporaryFolder()
    path = Path(try folder.makeFolder("place") + "/file")
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path.folder.string) }

  private func expectBusy(_ path: Path? = nil, advice: String = "", _ location: SourceLocation = #_sourceLocation) {
    let path = path ?? self.path
    let error = #expect(throws: EnvelopeError.self, sourceLocation: location) {
      _ = try path.lock(LockWait(limit: .zero))
    }
    #expect(error?.code == .fileBusy, "\(String(describing: error))", sourceLocation: location)
    #expect(error?.message.contains(path.string) == true, sourceLocation: location)
    #expect(
      advice.isEmpty || error?.advice.contains(advice) == true, "\(String(describing: error))",
      sourceLocation: location)
  }

  /// Acts as a file system without locks.
  private static let lockless: [Int32] = [ENOLCK, EOPNOTSUPP, EINVAL, ENOSYS, EBADF]

  private static func withoutLocks<R>(_ failure: Int32 = ENOLCK, _ body: () throws -> R) rethrows -> R {
    try AdvisoryLock.$systemCall.withValue(
      { _, _ in
        errno = failure; return -1
      }, operation: body)
  }

  @Test func releasedLockLeavesNoFile() throws {
    for _ in 0..<2 {
      let lock = try path.lock(LockWait(limit: .zero))
      #expect(try names() == [path.lockPlace.name])
      #expect(try folder.mode(of: path.lockPlace.string) == 0o600)
      try lock.check()
      _ = consume lock
      #expect(try names() == [])
    }
  }

  @Test func heldLockEndsWaitWithErrorThatNamesLockFile() async throws {
    let lock = try path.lock()
    expectBusy(advice: path.lockPlace.string)
    let path = path
    await expectError(.fileBusy, saying: path.string) {
      _ = try await path.lockLeavingThread(LockWait(limit: .zero))
    }
    try lock.check()
    _ = consume lock
    _ = try path.lock(LockWait(limit: .zero))
  }

  /// A lock that is released when the wait is announced.
  private final class Held: Sendable {
    private let lock: Mutex<FileLock?>
    let notices = Mutex<[String]>([])

    init(_ path: Path) throws {
      let taken = try path.lock()
      lock = Mutex(consume taken)
    }

    func notice(_ text: String) {
      notices.withLock { $0.append(text) }
      lock.withLock { $0 = nil }
    }
  }

  @Test func waitIsAnnouncedOnceAndEndsWithRelease() throws {
    let held = try Held(path)
    let lock = try path.lock(LockWait(limit: .zero) { held.notice($0) })
    try lock.check()
    _ = consume lock
    let notices = held.notices.withLock { $0 }
    #expect(notices.count == 1 && notices[0].contains(path.string) && notices[0].contains("0 seconds"))
  }

  @Test func lockThatIsFreeIsNotAnnounced() throws {
    _ = try path.lock(LockWait(limit: .zero) { Issue.record("\($0)") })
  }

  @Test func storeChangeGivesUpAndLeavesStore() async throws {
    var file = try KeyStoreFile(at: path.string)
    try file.make("default")
    let before = try bytes(of: path.string)
    let notices = Mutex<[String]>([])
    file.lockTimeout = .zero
    file.notify = { text in notices.withLock { $0.append(text) } }
    let lock = try path.lock()
    let keyring = try cheapKeyring("horse")
    await expectError(.fileBusy, saying: file.location) { try file.make("more") }
    await expectError(.fileBusy, saying: file.location) {
      try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
    }
    #expect(notices.withLock { $0.count } == 2)
    #expect(try bytes(of: path.string) == before)
    // Reading needs no lock.
    #expect(try file.load()?.keysets.count == 1)
    _ = consume lock
    try file.make("more")
  }

  @Test func processThatCameByLinkWaitsForSameLock() throws {
    try write([1], to: path.string)
    let link = Path(folder.path + "/link")
    try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "place/file")
    let lock = try link.lock()
    expectBusy()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link", "place"])
    try lock.check()
  }

  @Test func lockFileOfKilledProcessIsTakenOver() throws {
    try write([], to: path.lockPlace.string)
    let lock = try path.lock(LockWait(limit: .zero))
    try lock.check()
    _ = consume lock
    #expect(try names() == [])
  }

  /// A process that waited for a folder that has been replaced waits for the new folder too.
  @Test func lockOfReplacedFolderDoesNotCount() throws {
    let old = try path.lock()
    try FileManager.default.moveItem(atPath: path.folder.string, toPath: path.folder.string + ".old")
    #expect(throws: EnvelopeError.self) { try old.check() }
    _ = try folder.makeFolder("place")
    #expect(throws: EnvelopeError.self) { try old.check() }
    let new = try path.lock(LockWait(limit: .zero))
    try new.check()
    _ = consume old
    try new.check()
    expectBusy()
    #expect(try FileManager.default.contentsOfDirectory(atPath: path.folder.string + ".old") == [])
  }

  @Test func removedLockFileDoesNotCount() throws {
    let lock = try path.lock()
    try FileManager.default.removeItem(atPath: path.lockPlace.string)
    #expect(throws: EnvelopeError.self) { try lock.check() }
    let other = try path.lock(LockWait(limit: .zero))
    _ = consume lock
    // The end of the first takes nothing from the second.
    try other.check()
  }

  @Test(arguments: lockless) func fileSystemWithoutLocksUsesLockFile(failure: Int32) throws {
    try Self.withoutLocks(failure) {
      let lock = try path.lock(LockWait(limit: .zero))
      try lock.check()
      expectBusy(advice: "rm '\(path.lockPlace.string)'")
      _ = consume lock
      #expect(try names() == [])
      _ = try path.lock(LockWait(limit: .zero))
      // Only a person knows that nobody holds what a killed process left.
      try write([], to: path.lockPlace.string)
      expectBusy(advice: "rm '\(path.lockPlace.string)'")
    }
  }

  @Test func otherLockFailureIsReported() throws {
    let error = Self.withoutLocks(EIO) { #expect(throws: EnvelopeError.self) { _ = try path.lock() } }
    #expect(error?.code == .fileFailure && error?.message.contains(path.lockPlace.string) == true)
    #expect(try names() == [])
  }

  @Test(arguments: lockless) func storeWithLogChangesWithoutLocks(failure: Int32) async throws {
    let logged = try LoggedStore()
    let store = try logged.store()
    try await AdvisoryLock.$systemCall.withValue({ _, _ in
      errno = failure; return -1
    }) {
      try logged.file.make("more")
      _ = try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring())
      #expect(try logged.verify().count == 1)
    }
    #expect(try logged.store().keysets.count == 3)
    #expect(try FileManager.default.contentsOfDirectory(atPath: logged.folder.path).sorted() == ["keys", "keys.audit"])
  }

  @Test func whatIsNoLockFileIsNotAdvisedToBeRemoved() throws {
    let place = path.lockPlace.string
    let manager = FileManager.default
    for make in [
      { try #require(unsafe mkfifo(place, 0o600) == 0) }, { try write([1], to: place) },
      { try manager.createSymbolicLink(atPath: place, withDestinationPath: "/etc/passwd") },
      { try manager.createDirectory(atPath: place, withIntermediateDirectories: false) },
    ] {
      try make()
      let error = Self.withoutLocks {
        #expect(throws: EnvelopeError.self) { _ = try path.lock(LockWait(limit: .zero)) }
      }
      #expect(error?.description.contains("rm ") == false, "\(String(describing: error))")
      #expect(error?.description.contains(place) == true)
      try manager.removeItem(atPath: place)
    }
  }

  /// A log that others can open is refused before it is locked: they could hold its lock.
  @Test func logThatOthersCanReadIsRefusedWhileLocked() async throws {
    let logged = try LoggedStore()
    try await logged.use("app")
    try logged.folder.setMode(0o644, of: logged.logPath)
    let log = try Path(logged.logPath).openForReading()
    try #require(flock(log.number, LOCK_EX | LOCK_NB) == 0)
    await expectError(.filePermissions) { try await logged.use("app") }
    try logged.folder.setMode(0o600, of: logged.logPath)
    var file = logged.file
    file.lockTimeout = .zero
    let store = try #require(try file.load())
    await expectError(.fileBusy, saying: logged.logPath) {
      try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring())
    }
    await expectError(.fileBusy, saying: logged.logPath) { try file.auditLog(of: store)?.verify() }
    flock(log.number, LOCK_UN)
    try await logged.use("app")
  }

  @Test(.enabled(if: geteuid() == 0, "Only root can act as another user")) func otherUserCannotHoldLock() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let base = (folder.path as NSString).deletingLastPathComponent
      try #require(unsafe chmod(base, 0o755) == 0)
      try folder.setMode(0o755, of: folder.path)
      let path = Path(folder.path + "/keys")
      try #require(seteuid(65534) == 0)
      let others = try path.folder.openForReading()
      try #require(flock(others.number, LOCK_EX | LOCK_NB) == 0)
      try #require(seteuid(0) == 0)
      let lock = try path.lock(LockWait(limit: .zero))
      try #require(seteuid(65534) == 0)
      #expect(throws: EnvelopeError.self) { _ = try path.lockPlace.openForReading() }
      try #require(seteuid(0) == 0)
      _ = consume lock

      // In a folder where anyone may create files, the error names the user.
      try folder.setMode(0o1777, of: folder.path)
      try #require(seteuid(65534) == 0)
      let number = unsafe open(path.lockPlace.string, O_RDWR | O_CREAT | O_EXCL, 0o600)
      try #require(flock(number, LOCK_EX | LOCK_NB) == 0)
      try #require(seteuid(0) == 0)
      let error = #expect(throws: EnvelopeError.self) { _ = try path.lock(LockWait(limit: .zero)) }
      #expect(error?.code == .fileBusy && error?.advice.contains("65534") == true)
      close(number)
    }
  }
}
