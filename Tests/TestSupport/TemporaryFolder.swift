// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder of a test's own, for this user alone, removed with its owner.
package final class TemporaryFolder: Sendable {
  /// Its path without links.
  package let path: String

  package init() throws {
    guard let base = Self.base else { throw CocoaError(.fileWriteUnknown) }
    path = "\(base)/\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All of them lie here; those of the last tests are in use until the process ends.
  private static let base: String? = {
    var template = Array((NSTemporaryDirectory() + "/envelope-test-XXXXXX").utf8CString)
    let made = unsafe mkdtemp(&template).flatMap { unsafe realpath($0, nil) }
    let path = unsafe made.map { unsafe String(cString: $0) }
    unsafe free(made)
    atexit { TemporaryFolder.base.map { try? FileManager.default.removeItem(atPath: $0) } }
    return path
  }()
}
