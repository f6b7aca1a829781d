// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// HKDF with SHA-256 (RFC 5869); libsodium 1.0.18 has only the HMAC to build it from.
package enum HKDFSHA256 {
  /// The longest output: 255 blocks of 32 bytes.
  package static let longestOutput = 255 * HMACSHA256.byteCount

  /// The pseudorandom key of an input key, 32 bytes.
  package static func extract(inputKey: RawSpan, salt: RawSpan) throws(EnvelopeError) -> SecretBytes {
    try SecretBytes(byteCount: HMACSHA256.byteCount) { (output) throws(EnvelopeError) in
      try HMACSHA256.append(of: inputKey, key: salt, to: &output)
    }
  }

  /// The output key of a pseudorandom key.
  ///
  /// - Throws: `invalidArgument` where more than ``longestOutput`` bytes are asked for.
  package static func expand(
    _ byteCount: Int, from pseudorandomKey: RawSpan, info: RawSpan
  ) throws(EnvelopeError) -> SecretBytes {
    guard (0...longestOutput).contains(byteCount) else {
      throw EnvelopeError(.invalidArgument, "HKDF derives at most \(longestOutput) bytes")
    }
    return try SecretBytes(byteCount: byteCount) { (output) throws(EnvelopeError) in
      // message = previous block ‖ info ‖ counter
      var block = SecretBytes(byteCount: 0) { _ in }
      var counter: UInt8 = 1
      while output.byteCount < byteCount {
        let next = try SecretBytes(byteCount: HMACSHA256.byteCount) { (next) throws(EnvelopeError) in
          let tail = [UInt8](appending: info, counter)
          try block.withBytes { (previous) throws(EnvelopeError) in
            try unsafe HMACSHA256.append(of: previous, tail.span.bytes, key: pseudorandomKey, to: &next)
          }
        }
        next.withBytes { bytes in
          output.append(bytes.extracting(first: min(bytes.byteCount, byteCount - output.byteCount)))
        }
        block = next
        counter &+= 1
      }
    }
  }
}

extension Array where Element == UInt8 {
  fileprivate init(appending bytes: RawSpan, _ last: UInt8) {
    self = [UInt8].appending(capacity: bytes.byteCount + 1) { output in
      output.append(bytes)
      output.append(last)
    }
  }
}
