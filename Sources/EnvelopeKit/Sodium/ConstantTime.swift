// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

extension RawSpan {
  /// Whether the bytes are the same, in a time that depends on their number alone.
  package func equalsInConstantTime(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    guard byteCount > 0 else { return true }
    return unsafe withUnsafeBytes { a in
      unsafe other.withUnsafeBytes { b in
        unsafe sodium_memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
      }
    }
  }
}
