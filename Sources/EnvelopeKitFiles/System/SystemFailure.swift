// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

package import EnvelopeKit

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension EnvelopeError {
  /// The failure of a system call, with the reason that `errno` gives: call it before anything else can change that.
  package static func system(_ attempt: String, advice: String = "") -> EnvelopeError {
    EnvelopeError(.fileFailure, "\(attempt): \(unsafe String(cString: strerror(errno)))", advice: advice)
  }
}
