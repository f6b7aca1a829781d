// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A folder of a test's own, removed with its owner.
final class TemporaryFolder {
  /// Its path without links.
  let path: String

  init() throws {
    path = try #require(Self.base) + "/\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  /// All of them lie here; those of the last tests are in use until the process ends.
  private static let base: String? = {
    var template = Array((NSTemporaryDirectory() + "/envelope-test-XXXXXX").utf8CString)
    let made = unsafe mkdtemp(&template).flatMap { unsafe realpath($0, nil) }
    let path = unsafe made.map { unsafe String(cString: $0) }
    unsafe free(made)
    atexit { TemporaryFolder.base.map { try? FileManager.default.removeItem(atPath: $0) } }
    return path
  }()

  deinit { try? FileManager.default.removeItem(atPath: path) }

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
