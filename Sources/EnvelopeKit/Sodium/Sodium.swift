// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

internal import CLibsodium

/// libsodium, started once for the process.
enum Sodium {
  // `sodium_init` picks the fastest implementations; it may be called from any thread.
  private static let isStarted = sodium_init() >= 0

  /// Starts libsodium if nothing has yet.
  static func start() throws(EnvelopeError) {
    guard isStarted else {
      throw EnvelopeError(.systemFailure, "libsodium cannot be initialized")
    }
  }
}
