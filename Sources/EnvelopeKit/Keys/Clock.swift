// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The system's wall clock.
package enum Clock {
  /// Seconds since 1970 (UTC).
  package static var now: UInt64 { UInt64(max(0, time(nil))) }
}
