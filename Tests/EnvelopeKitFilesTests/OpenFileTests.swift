// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Foundation
import TestSupport
import Testing

/// Files that settings name.
@Suite(.timeLimit(.minutes(20))) struct OpenFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func text(of path: String) throws -> [UInt8] {
    try Path(path).openFileForReading().readAll(limit: 100, of: Path(path)).withBytes { [UInt8](copying: $0) }
  }

  @Test func opensFileLinkAndNullDevice() throws {
    let path = folder.path + "/file"
    try write("text".utf8, to: path)
    let links = [(folder.path + "/link", path), (folder.path + "/null", "/dev/null")]
    for (link, target) in links {
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    }
    #expect(try text(of: path) == Array("text".utf8))
    #expect(try text(of: links[0].0) == Array("text".utf8))
    #expect(try text(of: "/dev/null") == [])
    #expect(try text(of: links[1].0) == [])
  }

  @Test func refusesPipeDeviceAndFolderWithoutWaiting() async throws {
    let pipe = folder.path + "/pipe"
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: pipe)
    for path in [pipe, link, "/dev/zero", folder.path] {
      await expectError(.fileFailure, saying: "not a file") { try text(of: path) }
    }
    await expectError(.fileFailure, saying: "Cannot open") { try text(of: folder.path + "/none") }
  }
}
