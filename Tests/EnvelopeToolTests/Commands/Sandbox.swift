// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A folder of a test's own, with a home and a working folder in it, removed with its owner.
final class Sandbox {
  private let place: TemporaryFolder
  /// Everything lies here, by its path without links.
  var root: String { place.path }
  /// The working folder of commands.
  let folder: String
  /// The variables of commands.
  var environment: [String: String]

  init(isInMemory: Bool = false) throws {
    place = try TemporaryFolder(isInMemory: isInMemory)
    let root = place.path
    folder = root + "/work"
    for name in ["work", "home", "run"] {
      try FileManager.default.createDirectory(
        atPath: "\(root)/\(name)", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }
    environment = [
      "HOME": root + "/home", "XDG_RUNTIME_DIR": root + "/run", "PATH": "/usr/local/bin:/usr/bin:/bin",
      "LC_ALL": "C.UTF-8",
    ]
  }

  /// The path of a file in the working folder.
  func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }

  func read(_ name: String) throws -> String { String(decoding: try readBytes(name), as: UTF8.self) }

  func readBytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }

  func write(_ text: String, to name: String, mode: Int = 0o600) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    try setMode(mode, of: name)
  }

  func makeFolder(_ name: String, mode: Int = 0o700) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    try setMode(mode, of: name)
  }

  /// Makes an executable file; a process of its own writes it, for one that is open for writing cannot be run, and
  /// whatever this process starts meanwhile would hold it open.
  func writeProgram(_ text: String, to name: String) throws {
    try write(text, to: name + ".text")
    try shell("cat '\(path(name)).text' > '\(path(name))' && chmod 700 '\(path(name))'").succeeded()
  }

  /// Makes a script that `sh` runs.
  func writeScript(_ body: String, to name: String) throws { try writeProgram("#!/bin/sh\n\(body)\n", to: name) }

  func makePipe(_ name: String) throws { try #require(unsafe mkfifo(path(name), 0o600) == 0) }

  func mode(of name: String) throws -> Int {
    var status = stat()
    try #require(unsafe stat(path(name), &status) == 0)
    return Int(status.st_mode & 0o7777)
  }

  /// Waits for somebody to write to a pipe.
  func waitForPipe(_ name: String) throws { try shell("cat '\(path(name))'").succeeded() }

  /// Lets somebody who reads from a pipe go on.
  func openPipe(_ name: String) throws { try shell("echo > '\(path(name))'").succeeded() }

  func setMode(_ mode: Int, of name: String) throws { try #require(unsafe chmod(path(name), mode_t(mode)) == 0) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  /// The key store in its usual place.
  var keyStore: String { root + "/home/.local/share/envelope/keys" }

  /// The folder that private files are made in.
  var privatePlace: String { root + "/run" }
}
