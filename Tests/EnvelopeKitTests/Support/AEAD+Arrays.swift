// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

@testable import EnvelopeKit

extension AEAD {
  /// Seals into an array of its own.
  func seal(
    _ plaintext: [UInt8], authenticating associatedData: [UInt8], nonce: [UInt8], key: [UInt8]
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: plaintext.count + tagByteCount) { (output) throws(EnvelopeError) in
      try unsafe seal(
        plaintext.span.bytes, authenticating: associatedData.span.bytes, nonce: nonce.span.bytes, key: key.span.bytes,
        into: &output)
    }
  }

  /// Opens into an array of its own.
  func open(
    _ sealed: [UInt8], authenticating associatedData: [UInt8], nonce: [UInt8], key: [UInt8]
  ) throws(EnvelopeError) -> [UInt8] {
    try [UInt8].appending(capacity: max(0, sealed.count - tagByteCount)) { (output) throws(EnvelopeError) in
      try unsafe open(
        sealed.span.bytes, authenticating: associatedData.span.bytes, nonce: nonce.span.bytes, key: key.span.bytes,
        into: &output)
    }
  }
}
