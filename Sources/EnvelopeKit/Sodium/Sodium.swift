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

  /// Whether the library that was loaded has all that the headers declare: an older one may have the same file name, and
  /// to call a function that it lacks would end the process.
  static let hasWhatItsHeadersSay =
    sodium_library_version_major() == SODIUM_LIBRARY_VERSION_MAJOR
    && sodium_library_version_minor() >= SODIUM_LIBRARY_VERSION_MINOR

  /// The version of the headers, or of the library if that is older.
  static var version: String {
    unsafe hasWhatItsHeadersSay ? SODIUM_VERSION_STRING : String(cString: sodium_version_string())
  }

  /// The error for what neither the headers nor the library have.
  static func lacks(_ primitive: String, since needed: String) -> EnvelopeError {
    EnvelopeError(
      .unsupportedSuite,
      "\(primitive) needs libsodium \(needed) or newer, and this program has \(version)",
      advice: "Use a program that has libsodium \(needed) or newer.")
  }
}
