// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Where secrets go, and what is left of them.
@Suite("Path+Replace: secrets", .timeLimit(.minutes(20))) struct ReplaceSecretTests {
  let folder: TemporaryFolder
  let path: Path

  init() throws {
    folder = try TemporaryFolder()
    path = Path(folder.path + "/file")
  }

  private func replace(_ path: Path? = nil, isSecret: Bool = true, notify: ((String) -> Void)? = nil) throws {
    try unsafe (path ?? self.path).replace(
      with: Array("secret".utf8).span.bytes, Replacement(isSecret: isSecret, notify: notify))
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

  @Test(.enabled(if: geteuid() == 0, "Only root can give a pipe away"), .timeLimit(.minutes(20)))
  func secretsAreNotWrittenToPipeOfAnotherUser() throws {
    let (pipe, link) = (folder.path + "/pipe", folder.path + "/link")
    try #require(unsafe mkfifo(pipe, 0o666) == 0 && chown(pipe, 65534, 65534) == 0)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "pipe")
    // Somebody waits for them already.
    let reader = unsafe open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    for place in [pipe, link, "/dev/fd/../../..\(pipe)", "/proc/self/root\(pipe)"] {
      let error = try #require(throws: EnvelopeError.self) { try replace(Path(place)) }
      #expect(error.code == .filePermissions && error.message.contains(place) && error.message.contains("65534"))
    }
    var byte: UInt8 = 0
    #expect(unsafe Foundation.read(reader, &byte, 1) <= 0)
    // What is sealed may go there.
    try replace(Path(pipe), isSecret: false)
    #expect(unsafe Foundation.read(reader, &byte, 1) == 1)
  }

  @Test(.timeLimit(.minutes(20))) func ownPipeAndSystemDeviceReceiveSecrets() throws {
    let pipe = folder.path + "/pipe"
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    let reader = unsafe open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    try replace(Path(pipe))
    var buffer = [UInt8](repeating: 0, count: 16)
    #expect(unsafe Foundation.read(reader, &buffer, 16) == 6)
    try replace(Path("/dev/null"))
  }

  @Test(arguments: [0o640, 0o604, 0o644] as [mode_t]) func secretsAreNotWrittenToPipeReadableByOthers(mode: mode_t)
    throws
  {
    let (pipe, link) = (folder.path + "/pipe", folder.path + "/link")
    try #require(unsafe mkfifo(pipe, 0o600) == 0 && chmod(pipe, mode) == 0)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "pipe")
    let reader = unsafe open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    var buffer = [UInt8](repeating: 0, count: 16)
    for place in [pipe, link] {
      let error = try #require(throws: EnvelopeError.self) { try replace(Path(place)) }
      #expect(error.code == .filePermissions && error.advice == "Run: chmod 600 '\(place)'")
    }
    #expect(unsafe Foundation.read(reader, &buffer, 16) <= 0)
    // What is sealed may go there.
    try replace(Path(pipe), isSecret: false)
    #expect(unsafe Foundation.read(reader, &buffer, 16) == 6)
    // Others may write to a pipe that they cannot read.
    for mode in [0o600, 0o622] as [mode_t] {
      try #require(unsafe chmod(pipe, mode) == 0)
      try replace(Path(pipe))
      #expect(unsafe Foundation.read(reader, &buffer, 16) == 6)
    }
  }

  /// Its parent, such as a shell with a process substitution, has chosen where an inherited pipe leads.
  @Test(.enabled(if: geteuid() == 0, "Only root can act as another user")) func inheritedPipeReceivesSecrets() async {
    await #expect(processExitsWith: .success) {
      var ends: [Int32] = [0, 0]
      try #require(seteuid(65534) == 0)
      try #require(unsafe pipe(&ends) == 0)
      try #require(seteuid(0) == 0)
      try unsafe Path("/dev/fd/\(ends[1])").replace(with: Array("secret".utf8).span.bytes, Replacement(isSecret: true))
      var buffer = [UInt8](repeating: 0, count: 16)
      #expect(unsafe Foundation.read(ends[0], &buffer, 16) == 6)
    }
  }

  /// As a file system that has no files without names.
  @Test func namedFileIsRemovedAfterFailure() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      try limitFiles(to: 3)
      for namesLate in [true, false] {
        var replacement = Replacement(isSecret: true)
        replacement.namesLate = namesLate
        let error = #expect(throws: EnvelopeError.self) {
          try unsafe Path(folder.path + "/file").replace(with: Array("secret".utf8).span.bytes, replacement)
        }
        #expect(error?.code == .fileFailure)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
      }
    }
  }

  @Test func removesWhatKilledProcessLeft() throws {
    let long = Path(folder.path + "/" + String(repeating: "n", count: 200))
    for file in [path, long] {
      let kept = String(file.name.prefix(100))
      let stale = ".\(kept).AAAAAAAAAAAA.new"
      try write("secret".utf8, to: "\(folder.path)/\(stale)")
      var notices: [String] = []
      try replace(file) { notices.append($0) }
      #expect(notices.count == 1 && notices[0].contains(stale))
      #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/\(stale)"))
    }
    #expect(try names() == [path.name, long.name].sorted())
  }

  @Test func keepsWhatAnotherProcessIsWriting() throws {
    let stale = ".file.AAAAAAAAAAAA.new"
    try write("secret".utf8, to: "\(folder.path)/\(stale)")
    let writer = try Path("\(folder.path)/\(stale)").openForReading()
    try #require(flock(writer.number, LOCK_EX | LOCK_NB) == 0)
    try replace { Issue.record("\($0)") }
    #expect(try names() == [stale, "file"])
    flock(writer.number, LOCK_UN)
    try replace()
    #expect(try names() == ["file"])
  }

  @Test func keepsWhatIsNotItsOwn() throws {
    var others = [".other.AAAAAAAAAAAA.new", ".file.AAAAAAAAAAA.new", ".file.new", "file.AAAAAAAAAAAA.new"]
    for name in others { try write([1], to: "\(folder.path)/\(name)") }
    try #require(unsafe mkfifo(folder.path + "/.file.BBBBBBBBBBBB.new", 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/.file.CCCCCCCCCCCC.new", withDestinationPath: ".file.new")
    others += [".file.BBBBBBBBBBBB.new", ".file.CCCCCCCCCCCC.new"]
    if geteuid() == 0 {
      others.append(".file.DDDDDDDDDDDD.new")
      try write([1], to: folder.path + "/.file.DDDDDDDDDDDD.new")
      try #require(unsafe chown(folder.path + "/.file.DDDDDDDDDDDD.new", 65534, 65534) == 0)
    }
    try replace { Issue.record("\($0)") }
    #expect(try Set(names()) == Set(others + ["file"]))
  }
}
