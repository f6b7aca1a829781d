// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import Foundation

/// The published test vectors: in the folder that `TEST_VECTORS` names, or else in `../shared/vectors`.
package enum PublishedVectors {
  /// Whether the tests demand the vectors.
  ///
  /// In a clone alone, which has none, the tests that need them are skipped, and `Tests/run` prints which.
  package static let areExpected =
    ProcessInfo.processInfo.environment["TEST_VECTORS"] != nil || FileManager.default.fileExists(atPath: folder.path())

  package static let folder: URL = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    return ProcessInfo.processInfo.environment["TEST_VECTORS"].map { URL(filePath: $0) }
      ?? root.appending(path: "../shared/vectors").standardized
  }()
}
