// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file: NeverForceUnwrap
// Lengths are checked before a pointer is taken, so none of those unwrapped here can be nil.

internal import CLibsodium

/// Random bytes from the kernel, drawn at the moment of use and never kept in advance:
/// a forked process or a cloned machine must not repeat one.
package enum Randomness {
  /// Appends random bytes.
  ///
  /// - Throws: `bufferTooSmall` where there is no room for them.
  @inline(__always)
  package static func append(_ byteCount: Int, to output: inout OutputRawSpan) throws(EnvelopeError) {
    try Sodium.start()
    guard byteCount >= 0, output.freeCapacity >= byteCount else { throw .bufferTooSmall }
    unsafe output.withUnsafeMutableBytes { buffer, count in
      if byteCount > 0 { unsafe randombytes_buf(buffer.baseAddress! + count, byteCount) }
      count += byteCount
    }
  }

  /// Random bytes that are not secret: salts, nonces and key ids.
  package static func bytes(_ byteCount: Int) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: byteCount) { (output) throws(EnvelopeError) in
      try append(byteCount, to: &output)
    }
  }
}

extension EnvelopeError {
  static let bufferTooSmall = EnvelopeError(
    .bufferTooSmall, "The output buffer is too small",
    advice: "Make it as long as the documentation of the call says.")
}
