// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Advice to change permissions is given only for files that were looked at.
@Suite(.timeLimit(.minutes(20))) struct AdviceTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func expectNoCommand(
    _ error: EnvelopeError?, saying part: String, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(error?.code == .filePermissions, sourceLocation: location)
    let text = error?.description ?? ""
    #expect(text.contains(part), "\(text)", sourceLocation: location)
    for command in ["chmod", "chown", "rm "] { #expect(!text.contains(command), "\(text)", sourceLocation: location) }
  }

  @Test(arguments: ["root:x:0:0:root:/root:/bin/sh\n", "", "envelope-key", "ek2:", "\u{7f}ELF"])
  func fileThatIsNoKeyStore(text: String) throws {
    let path = folder.path + "/file"
    try write(text.utf8, to: path)
    try folder.setMode(0o666, of: path)
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file")
    for place in [path, link] {
      let file = try KeyStoreFile(at: place)
      for use in [{ _ = try file.load() }, { try file.make("key") }, { _ = try file.lockingKeys() }] {
        expectNoCommand(#expect(throws: EnvelopeError.self) { try use() }, saying: "does not begin as a key store")
      }
    }
    #expect(try folder.mode(of: path) == 0o666)
  }

  @Test func fileOfTheSystem() throws {
    let error = try #require(throws: EnvelopeError.self) { _ = try KeyStore.open(at: "/etc/passwd") }
    #expect(error.code == .unsupportedVersion && !error.description.contains("chmod"), "\(error)")
  }

  @Test func lockedStoreThatOthersCanWrite() async throws {
    let file = try KeyStoreFile(at: folder.path + "/keys")
    let keyring = try cheapKeyring("horse")
    try await file.update(unlockingWith: keyring, lockingWith: keyring) { _ in }
    try folder.setMode(0o666, of: file.location)
    let error = try #require(throws: EnvelopeError.self) { _ = try file.lockingKeys() }
    #expect(error.advice == "Run: chmod 600 '\(file.location)'")
  }

  @Test func folderThatOthersUseToo() throws {
    let place = try folder.makeFolder("shared")
    let file = try KeyStoreFile(at: place + "/keys")
    try file.make("key")
    try write([], to: place + "/a file of another kind")
    try folder.setMode(0o777, of: place)
    expectNoCommand(#expect(throws: EnvelopeError.self) { _ = try file.load() }, saying: "Move the key store")
    try FileManager.default.removeItem(atPath: place + "/a file of another kind")
    let error = try #require(throws: EnvelopeError.self) { _ = try file.load() }
    #expect(error.advice == "Run: chmod 700 '\(place)'")
  }

  @Test func fileThatIsNoLog() async throws {
    let logged = try LoggedStore()
    let store = try logged.store()
    try write("something else".utf8, to: logged.logPath)
    try logged.folder.setMode(0o644, of: logged.logPath)
    let error = await expectError(.filePermissions) {
      try await SealedEnvironment.seal(["A": "1"], context: [:], using: store.keyring())
    }
    expectNoCommand(error, saying: "does not begin as a log")
    #expect(try bytes(of: logged.logPath) == Array("something else".utf8))
  }

  @Test func pathsInCommandsAreOneWord() {
    for (path, advice) in [
      ("/a/keys", "Run: chmod 600 '/a/keys'"), ("it's", "Run: chmod 600 'it'\\''s'"),
      ("-R", "Run: chmod 600 './-R'"), ("$(id)`id`", "Run: chmod 600 '$(id)`id`'"),
      // A copied command would name another file.
      ("a\nb", "Run on it: chmod 600"), ("a\u{1b}[2J", "Run on it: chmod 600"), ("a\u{9b}b", "Run on it: chmod 600"),
    ] {
      #expect(Path(path).advice(running: "chmod 600") == advice)
    }
  }
}
