// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Headers of segments of records.
extension Header {
  /// Reads the header of a segment of records, and nothing else.
  ///
  /// - Throws: `malformed`, `unsupportedVersion`, `unsupportedSuite`.
  package init(records bytes: [UInt8]) throws(EnvelopeError) {
    var reader = ByteReader(bytes)
    self = try Header(from: &reader, expecting: .records)
    guard reader.remainingByteCount == 0 else { throw EnvelopeError(.malformed, "Bytes follow the header of records") }
    guard hasSchemeOfRecords else { throw EnvelopeError(.malformed, "Records are not sealed under a passphrase") }
  }

  /// Whether another header claims to be of the same segment: the same, or the same under other wrapping keys.
  package func isOfSameSegment(as other: Header) -> Bool { salt == other.salt && commitment == other.commitment }

  /// Whether the header is not under a passphrase: each segment would cost a hash that is slow on purpose.
  var hasSchemeOfRecords: Bool { !wrappedKeys.contains { $0.scheme == .passphrase } }
}
