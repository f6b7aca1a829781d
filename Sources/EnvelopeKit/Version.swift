// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The version of this package.
package enum EnvelopeKitVersion {
  /// As the command and the user agent of requests have it.
  package static let current = "1.0.0"
}
