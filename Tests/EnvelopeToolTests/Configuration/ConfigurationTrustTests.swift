// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import Synchronization
import Testing

@testable import EnvelopeTool

/// Whose `envelope.yaml` is followed, and which commands do without.
@Suite(.timeLimit(.minutes(20))) struct ConfigurationTrustTests {
  let sandbox: Sandbox
  static let isRoot = geteuid() == 0

  init() throws {
    sandbox = try Sandbox()
    try sandbox.seal("AA=1\nBB=2\n")
    try sandbox.write("AA=1\n", to: ".env", mode: 0o644)
    // What follows it fails.
    try sandbox.write("default: {key: no-such-key}\n", to: "envelope.yaml", mode: 0o644)
  }

  private let seal = ["seal", ".env", "--function", "app"]

  private func run(_ arguments: [String], trusting folders: String? = nil) throws -> Outcome {
    try sandbox.start(arguments, with: folders.map { ["ENVELOPE_TRUST": $0] } ?? [:]).wait()
  }

  /// Gives a file or folder to another user.
  private func give(_ name: String, to user: uid_t = 65534) throws {
    try #require(unsafe chown(sandbox.path(name), user, user) == 0)
  }

  /// Runs a line of `sh` as a user to whom the home folder belongs, and root the working folder.
  private func shellAsAnotherUser(_ line: String, folderMode: Int = 0o755) throws -> Outcome {
    try #require(unsafe chmod((sandbox.root as NSString).deletingLastPathComponent, 0o755) == 0)
    try #require(unsafe chmod(sandbox.root, 0o755) == 0)
    try sandbox.setMode(folderMode, of: sandbox.folder)
    try sandbox.shell("chown -R 65534:65534 '\(sandbox.root)/home' && chmod 644 app.env").succeeded()
    return try sandbox.shell("exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '\(line)'")
  }

  // MARK: Root's

  @Test(.enabled(if: isRoot, "Only root can act as another user")) func rootsFileIsFollowed() throws {
    try shellAsAnotherUser("\"$ENVELOPE\" seal .env --function app").failed(77, saying: "no-such-key")
  }

  @Test(.enabled(if: isRoot, "Only root can act as another user")) func rootsFileThatOthersCanWriteIsRefused() throws {
    let line = "\"$ENVELOPE\" seal .env --function app"
    try sandbox.setMode(0o666, of: "envelope.yaml")
    try shellAsAnotherUser(line).failed(77, saying: "Other users can write to")
    try sandbox.setMode(0o644, of: "envelope.yaml")
    try shellAsAnotherUser(line, folderMode: 0o777).failed(77, saying: "Other users can write to")
  }

  @Test(.enabled(if: isRoot, "Only root can act as another user")) func unreadableFileStopsOnlyWhatNeedsIt() throws {
    try sandbox.setMode(0o600, of: "envelope.yaml")
    let sealed = try shellAsAnotherUser("\"$ENVELOPE\" seal .env --function app")
    sealed.failed(74, saying: "envelope.yaml: Permission denied")
    #expect(sealed.messages.contains("Let this user read it"))
    let open = try shellAsAnotherUser("\"$ENVELOPE\" open app.env --function app")
    #expect(open.succeeded().text == "AA=1\nBB=2\n")
    try shellAsAnotherUser("\"$ENVELOPE\" open app.env").failed(74, saying: "Permission denied")
  }

  // MARK: Others'

  @Test(.enabled(if: isRoot, "Only root can give a file away"), arguments: ["envelope.yaml", "."])
  func anotherUsersIsFollowedIfItsFolderIsTrusted(name: String) throws {
    try give(name)
    let refused = try run(seal).failed(77, saying: "belongs to another user (id 65534)")
    #expect(refused.messages.contains("ENVELOPE_TRUST='\(sandbox.folder)'"))
    for folders in [sandbox.folder, sandbox.folder + "/", "/nowhere:\(sandbox.folder)", "::\(sandbox.folder):"] {
      try run(seal, trusting: folders).failed(77, saying: "no-such-key")
    }
    for folders in ["", "/", "/nowhere", sandbox.root, sandbox.folder + "/below", sandbox.folder + "x"] {
      try run(seal, trusting: folders).failed(77, saying: "belongs to another user")
    }
  }

  @Test(arguments: ["work", ".", "./", "work:/", "~", "*"]) func trustedFoldersAreGivenFromTheRoot(folders: String)
    throws
  {
    try run(seal, trusting: folders).failed(64, saying: "ENVELOPE_TRUST")
  }

  @Test(arguments: [0o777, 0o1777]) func folderThatAllCanWriteToIsFollowedIfItIsTrusted(mode: Int) throws {
    try sandbox.setMode(mode, of: sandbox.folder)
    try run(seal).failed(77, saying: "ENVELOPE_TRUST='\(sandbox.folder)'")
    try run(seal, trusting: sandbox.folder).failed(77, saying: "no-such-key")
  }

  @Test func trustingFolderDoesNotTrustWhereLinkLeads() throws {
    try sandbox.makeFolder("shared", mode: 0o777)
    try sandbox.shell("mv envelope.yaml shared && ln -s shared/envelope.yaml envelope.yaml").succeeded()
    let shared = sandbox.path("shared")
    try run(seal, trusting: sandbox.folder).failed(77, saying: "Other users can write to \(shared)")
    try run(seal, trusting: shared).failed(77, saying: "no-such-key")
    #expect(try run(seal).messages.contains("ENVELOPE_TRUST='\(sandbox.folder):\(shared)'"))
  }

  @Test func fileInTheFolderCannotTrustIt() throws {
    try sandbox.setMode(0o777, of: sandbox.folder)
    try sandbox.write("ENVELOPE_TRUST=\(sandbox.folder)\n", to: ".env")
    try run(seal).failed(77, saying: "Other users can write to")
  }

  // MARK: Groups

  @Test(.enabled(if: isRoot, "Only root can give a file to a group")) func groupThatIsNotPrivateIsRefused() throws {
    for name in ["envelope.yaml", "."] {
      try sandbox.setMode(name == "." ? 0o775 : 0o664, of: name)
      // As the umask 002 leaves them; root's group has no other member.
      try run(seal).failed(77, saying: "no-such-key")
      try #require(unsafe chown(sandbox.path(name), 0, 65534) == 0)
      try run(seal).failed(77, saying: "Other users can write to")
      try #require(unsafe chown(sandbox.path(name), 0, 0) == 0)
    }
  }

  /// The group's bits are then the most that any named user has.
  @Test(.enabled(if: isRoot, "Only root can give a file to a group")) func accessControlListIsNotPrivate() throws {
    try sandbox.setMode(0o664, of: "envelope.yaml")
    let entries = "(1, 6, -1), (2, 6, 65534), (4, 4, -1), (16, 6, -1), (32, 4, -1)"
    let program =
      "import os, struct; os.setxattr(\"envelope.yaml\", \"system.posix_acl_access\", struct.pack(\"<I\", 2) + "
      + "b\"\".join(struct.pack(\"<HHi\", *e) for e in (\(entries))))"
    try sandbox.shell("'\(Tool.python)' -c '\(program)'").succeeded()
    try run(seal).failed(77, saying: "Other users can write to")
  }

  /// What is read is what was judged, however fast it is exchanged.
  @Test(.enabled(if: isRoot, "Only root can give a file to another user"))
  func fileThatIsExchangedMeanwhileIsReadAsItWasJudged() throws {
    for (name, text) in [("own", "own"), ("theirs", "theirs"), ("envelope.yaml", "own")] {
      try sandbox.write(text, to: name, mode: 0o644)
    }
    try give("theirs")
    let (path, other) = (sandbox.path("envelope.yaml"), sandbox.path("other"))
    let files = [sandbox.path("theirs"), sandbox.path("own")]
    let end = End()
    Thread.detachNewThread {
      while !end.isReached.load(ordering: .relaxed) {
        for file in files where unsafe link(file, other) != 0 || rename(other, path) != 0 {
          Issue.record("The file could not be exchanged")
          end.isReached.store(true, ordering: .relaxed)
        }
      }
      end.wasSeen.signal()
    }
    var (followed, refused) = (0, 0)
    while (followed < 500 || refused < 500) && !end.isReached.load(ordering: .relaxed) {
      do throws(EnvelopeError) {
        let file = try Configuration.open(Path(path))
        let text = try file.readAll(limit: 100, of: Path(path))
        if !text.withBytes({ [UInt8](copying: $0) }).elementsEqual("own".utf8) { Issue.record("theirs was read") }
        followed += 1
      } catch {
        if error.code != .filePermissions { Issue.record(error) }
        refused += 1
      }
    }
    end.isReached.store(true, ordering: .relaxed)
    end.wasSeen.wait()
  }

  /// Ends the thread that exchanges files.
  private final class End: Sendable {
    let isReached = Atomic(false)
    let wasSeen = DispatchSemaphore(value: 0)
  }

  // MARK: Commands that do without

  static let opening = [
    ["open", "app.env"], ["get", "app.env", "AA"], ["exec", "app.env"], ["inspect", "app.env"],
    ["explain", "app.env"], ["accept", "app.env", "--yes"], ["unset", "app.env", "BB"], ["rewrap", "app.env"],
    ["reseal", "app.env"],
  ]
  static let refusedTexts = ["default: {key: no-such-key}\n", "defualt: {}\n"]

  @Test(arguments: opening, refusedTexts) func commandThatOpensNeedsNoFile(arguments: [String], text: String) throws {
    try sandbox.write(text, to: "envelope.yaml", mode: 0o666)
    let rest = arguments[0] == "exec" ? ["--", "true"] : []
    let result = try run(arguments + ["--function", "app"] + rest).succeeded()
    #expect(!result.messages.contains("envelope.yaml"))
    if arguments[0] != "inspect" {
      try run(arguments + rest).failed(77, saying: "Other users can write to")
    }
  }

  @Test(arguments: [
    ["seal", "-"], ["set", "app.env", "AA"], ["edit", "app.env"], ["rewrap", "."], ["reseal", "."],
    ["rewrap", "app.env", "--configured"], ["reseal", "app.env", "--configured"],
    ["rewrap", "app.env", "--add", "default"], ["rewrap", "app.env", "--to", "default"],
    ["reseal", "app.env", "--to", "default"],
  ])
  func commandThatChoosesNeedsIt(arguments: [String]) throws {
    try sandbox.setMode(0o666, of: "envelope.yaml")
    let before = try sandbox.read("app.env")
    try run(arguments + ["--function", "app"]).failed(77, saying: "Other users can write to")
    #expect(try sandbox.read("app.env") == before)
  }

  @Test func failureSaysThatFileWasNotFollowed() throws {
    try sandbox.write("functions: {app: {context: {team: payments}}}\n", to: "envelope.yaml", mode: 0o644)
    try sandbox.seal("AA=1\n", to: "other.env")
    try run(["open", "other.env", "--function", "app"]).succeeded()
    try sandbox.setMode(0o666, of: "envelope.yaml")
    for arguments in [
      ["open", "other.env"], ["exec", "other.env"], ["explain", "other.env"], ["rewrap", "other.env"],
      ["reseal", "other.env"],
    ] {
      let rest = arguments[0] == "exec" ? ["--", "true"] : []
      let result = try run(arguments + ["--function", "app"] + rest)
      #expect(result.code == 65, "\(arguments)")
      #expect(result.messages.contains("envelope.yaml was not followed: Other users can write to"))
    }
    let inspected = try run(["inspect", "other.env", "--function", "app"]).succeeded()
    #expect(inspected.text.contains("context: differs"))
    #expect(inspected.messages.contains("envelope.yaml was not followed"))
    // The flags say what it would have said.
    let flags = ["--function", "app", "--context", "team=payments"]
    #expect(try run(["open", "other.env"] + flags).succeeded().messages.isEmpty)
  }
}
