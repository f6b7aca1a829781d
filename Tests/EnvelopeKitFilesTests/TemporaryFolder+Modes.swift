// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

extension TemporaryFolder {
  func makeFolder(_ name: String, mode: Int = 0o700) throws -> String {
    let path = "\(path)/\(name)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try setMode(mode, of: path)
    return path
  }

  func setMode(_ mode: Int, of path: String) throws { try #require(unsafe chmod(path, mode_t(mode)) == 0) }

  func mode(of path: String) throws -> Int {
    var status = stat()
    let result = unsafe stat(path, &status)
    try #require(result == 0)
    return Int(status.st_mode & 0o7777)
  }
}

func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}
