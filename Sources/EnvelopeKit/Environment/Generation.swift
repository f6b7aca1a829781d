// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

extension SealedEnvironment {
  /// How far ahead of the clock a generation that has not been verified may be, in seconds.
  static let unverifiedLead: UInt64 = 86_400

  /// Returns the generation that follows one that has been verified: one more, or the time now.
  ///
  /// - Throws: `invalidArgument` after the last number.
  package static func generation(after previous: UInt32) throws(EnvelopeError) -> UInt32 {
    guard previous < .max else {
      throw EnvelopeError(
        .invalidArgument, "The environment's generation is the highest possible",
        advice: "Open it, and seal its variables as a new environment.")
    }
    return max(previous + 1, UInt32(clamping: Clock.now))
  }

  /// Whether the generation, unless it has been verified, is too far ahead of the clock to be counted on.
  ///
  /// Otherwise an attacker who can write the variables could use up the numbers.
  package var hasImplausibleGeneration: Bool { UInt64(generation) > UInt64(Clock.now) + Self.unverifiedLead }
}
