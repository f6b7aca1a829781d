// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// A segment whose header has verified.
final class OpenedSegment {
  let id: SegmentID
  private let header: Header
  private let headerBytes: [UInt8]
  private let headerKey: SecretBytes
  /// What is known of its records.
  var records: SegmentRecords
  /// The salt of the header.
  var salt: [UInt8] { header.salt }

  init(_ unlocked: borrowing UnlockedHeader) throws(EnvelopeError) {
    id = unsafe SegmentID(salt: unlocked.header.salt.span.bytes)
    header = unlocked.header
    headerBytes = unlocked.header.bytes
    headerKey = try unlocked.keys.key(.header)
    records = try SegmentRecords(id, RecordKeys(unlocked))
  }

  /// Whether a header is of this segment: the same, or the same under other wrapping keys.
  ///
  /// Its tag is verified, for which no key is unwrapped.
  func isOf(_ bytes: [UInt8]) -> Bool {
    guard bytes != headerBytes else { return true }
    guard let other = try? Header(records: bytes), other.isOfSameSegment(as: header), other.suite == header.suite,
      other.contextCheck == header.contextCheck,
      let tag = try? KeySchedule.headerTag(over: other.taggedBytes, key: headerKey)
    else { return false }
    return tag.equalsInConstantTime(other.tag)
  }
}
