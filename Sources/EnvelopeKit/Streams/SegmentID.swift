// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The name of a segment in its lines: the first bytes of its header's salt.
package struct SegmentID: Hashable, Sendable, CustomStringConvertible {
  static let byteCount = 9
  /// The length of the text.
  package static let characterCount = 12

  private let first: UInt64
  private let last: UInt8

  /// The name of the segment with this salt, of which only the first bytes count.
  init(salt: RawSpan) {
    first = salt.bigEndianInteger(at: 0)
    last = salt.byte(at: 8)
  }

  /// The name that a text stands for; nil if it is none.
  package init?(text: RawSpan) {
    guard text.byteCount == Self.characterCount else { return nil }
    var isText = false
    let id = RawSpan.withTemporary(capacity: Self.byteCount) { output in
      isText = Base64URL.append(decoding: text, to: &output)
    } _: { bytes in
      isText ? SegmentID(salt: bytes) : nil
    }
    guard let id else { return nil }
    self = id
  }

  /// The text.
  package var description: String {
    Base64URL.encode((0..<8).map { UInt8(truncatingIfNeeded: first >> (56 - 8 * UInt64($0))) } + [last])
  }
}
