// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What of the key store file only shows with processes of their own.
@Suite(.timeLimit(.minutes(20))) struct KeyStoreProcessTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  @Test(arguments: ["", "link"]) func processesThatWriteAtOnceLoseNothing(way: String) throws {
    try sandbox.makeFolder("store")
    if !way.isEmpty {
      // Half of them come by a link in another folder.
      try sandbox.envelope("keys", "create", "first", with: ["ENVELOPE_STORE": "store/keys"]).succeeded()
      try sandbox.makeFolder("other")
      try sandbox.shell("ln -s ../store/keys other/keys").succeeded()
    }
    for round in 0..<3 {
      let running = try (0..<8).map { number in
        let store = way.isEmpty || number.isMultiple(of: 2) ? "store/keys" : "other/keys"
        return try sandbox.start(["keys", "create", "k\(round)-\(number)"], with: ["ENVELOPE_STORE": store])
      }
      for process in running { try process.wait().succeeded() }
    }
    let list = try sandbox.envelope("keys", "list", with: ["ENVELOPE_STORE": "store/keys"]).succeeded().text
    for round in 0..<3 { for number in 0..<8 { #expect(list.contains("k\(round)-\(number)\t")) } }
  }

  @Test(arguments: ["000", "077", "022"]) func theStoreIsPrivateUnderAnyMask(mask: String) throws {
    try sandbox.shell("umask \(mask); \"$ENVELOPE\" keys create").succeeded()
    #expect(try sandbox.mode(of: sandbox.keyStore) == 0o600)
    for folder in ["/envelope", ""] {
      #expect(try sandbox.mode(of: sandbox.root + "/home/.local/share" + folder) == 0o700)
    }
    try sandbox.envelope("keys", "list").succeeded()
  }

  @Test func aDiskThatIsFullLeavesTheOldStore() throws {
    // The limit counts 512 or 1,024 bytes, depending on the shell.
    for number in 0..<14 { try sandbox.envelope("keys", "create", "k\(number)").succeeded() }
    let before = try sandbox.readBytes(sandbox.keyStore)
    try #require(before.count > 1024)
    let result = try sandbox.shell("trap '' XFSZ; ulimit -f 1; \"$ENVELOPE\" keys create more")
    result.failed(74, saying: sandbox.keyStore)
    #expect(try sandbox.readBytes(sandbox.keyStore) == before)
    #expect(try sandbox.names(in: sandbox.root + "/home/.local/share/envelope") == ["keys"])
  }

  @Test func whereItIsFollowsTheVariables() throws {
    let data = sandbox.path("data")
    try sandbox.envelope("keys", "create", with: ["XDG_DATA_HOME": data]).succeeded()
    #expect(sandbox.exists("data/envelope/keys"))
    try sandbox.envelope("keys", "create", with: ["XDG_DATA_HOME": data, "ENVELOPE_STORE": "here/keys"]).succeeded()
    #expect(sandbox.exists("here/keys"))
    try sandbox.envelope("keys", "create", with: ["XDG_DATA_HOME": "data"]).succeeded()
    #expect(FileManager.default.fileExists(atPath: sandbox.keyStore))
  }

  @Test func storeThatOthersCanWriteIsRefusedWithTheCommandThatMendsIt() throws {
    try sandbox.seal("AA=1\n")
    try sandbox.setMode(0o664, of: sandbox.keyStore)
    for arguments in [["open", "app.env"], ["seal", "-"], ["get", "app.env", "AA"]] {
      try sandbox.start(arguments + ["--function", "app"], input: Data("AA=1\n".utf8)).wait().failed(
        77, saying: "chmod 600 '\(sandbox.keyStore)'")
    }
    try sandbox.envelope("keys", "create", "more").failed(77)
    try sandbox.shell("chmod 600 '\(sandbox.keyStore)'").succeeded()
    #expect(try sandbox.opened() == ["AA": "1"])
  }

  @Test func aDamagedStoreIsToldOf() throws {
    try sandbox.seal("AA=1\n")
    let text = try sandbox.read(sandbox.keyStore)
    let secret = try #require(text.split(separator: "\n")[2].split(separator: " ").last)
    for damage in [String(text.dropLast(5)), text.replacingOccurrences(of: "version", with: "versions"), "", "x"] {
      try sandbox.write(damage, to: sandbox.keyStore)
      let result = try sandbox.envelope("open", "app.env", "--function", "app").failed(65, saying: "key store")
      #expect(!result.messages.contains(secret))
    }
  }
}
