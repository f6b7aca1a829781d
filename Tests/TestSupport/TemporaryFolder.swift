// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder of a test's own, for this user alone, removed with its owner.
package final class TemporaryFolder: Sendable {
  /// Its path without links.
  package let path: String

  /// - Parameter isInMemory: Whether it shall lie in memory where the system has a place for that: for many files, each of
  ///   which is synced.
  package init(isInMemory: Bool = false) throws {
    guard let base = isInMemory ? Self.memory ?? Self.base : Self.base else { throw CocoaError(.fileWriteUnknown) }
    path = "\(base)/\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All of them lie here; those of the last tests are in use until the process ends.
  private static let base: String? = {
    atexit { TemporaryFolder.base.map { try? FileManager.default.removeItem(atPath: $0) } }
    return make(in: NSTemporaryDirectory())
  }()

  private static let memory: String? = {
    atexit { TemporaryFolder.memory.map { try? FileManager.default.removeItem(atPath: $0) } }
    return make(in: "/dev/shm")
  }()

  private static func make(in folder: String) -> String? {
    var template = Array((folder + "/envelope-test-XXXXXX").utf8CString)
    let made = unsafe mkdtemp(&template).flatMap { unsafe realpath($0, nil) }
    defer { unsafe free(made) }
    return unsafe made.map { unsafe String(cString: $0) }
  }
}
