// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

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

  /// Whether bytes that are not secret are the same, in a time that depends on where they differ.
  ///
  /// To compare a header in constant time would take as long as to open a short value.
  func hasSamePublicBytes(as other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { its in
        guard let mine = mine.baseAddress, let its = its.baseAddress else { return true }
        return unsafe memcmp(mine, its, byteCount) == 0
      }
    }
  }
}
