// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import Foundation

/// Where the published test vectors lie: the folder that `TEST_VECTORS` names, or else `../shared/vectors`.
package enum PublishedVectors {
  package static let folder: URL = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    return ProcessInfo.processInfo.environment["TEST_VECTORS"].map { URL(filePath: $0) }
      ?? root.appending(path: "../shared/vectors").standardized
  }()
}
