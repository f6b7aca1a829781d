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

  /// The version of libsodium that this was built with.
  static var version: String { SODIUM_VERSION_STRING }

  /// The error for what the libsodium that this was built with does not have.
  static func lacks(_ primitive: String, since needed: String) -> EnvelopeError {
    EnvelopeError(
      .unsupportedSuite,
      "\(primitive) needs libsodium \(needed) or newer, and this program was built with \(version)",
      advice: "Use a program that was built with libsodium \(needed) or newer.")
  }
}
