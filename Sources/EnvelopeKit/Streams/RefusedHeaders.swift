// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The headers that did not open, so that no line makes a keyring be called twice for one.
struct RefusedHeaders {
  /// The most different headers of one segment that are tried.
  private static let limit = 16
  /// The most headers whose wrapped keys or tags did not verify: each cost the keyring a call.
  private static let forgeryLimit = 1000

  private struct Reasons {
    /// Hashes of the headers, and why they do not open.
    var known: [(hash: [UInt8], error: EnvelopeError)] = []
    var isReported = false
    var isMissingReported = false
  }

  private var reasons: [SegmentID: Reasons] = [:]
  private var forgeryCount = 0

  private static func hash(_ header: [UInt8]) throws(EnvelopeError) -> [UInt8] {
    try unsafe BLAKE2b.hash(16, personal: "EK refused", message: header.span.bytes)
  }

  /// Why a header does not open; nil if that is not known.
  func reason(for header: [UInt8], of id: SegmentID) throws(EnvelopeError) -> EnvelopeError? {
    if let known = reasons[id]?.known, !known.isEmpty {
      let hash = try Self.hash(header)
      if let reason = known.first(where: { $0.hash == hash }) { return reason.error }
      if known.count >= Self.limit { return known.last?.error }
    }
    return forgeryCount < Self.forgeryLimit
      ? nil
      : EnvelopeError(.headerAltered, "\(Self.forgeryLimit) headers did not verify, so no further ones are opened")
  }

  mutating func insert(_ header: [UInt8], of id: SegmentID, _ error: EnvelopeError) throws(EnvelopeError) {
    reasons[id, default: Reasons()].known.append((try Self.hash(header), error))
    if [.unwrapFailed, .headerAltered].contains(error.code) { forgeryCount += 1 }
  }

  /// Whether it has been reported that a segment does not open or has no header.
  func isReported(_ id: SegmentID) -> Bool {
    reasons[id].map { $0.isReported || $0.isMissingReported } ?? false
  }

  /// Whether it has not been reported before that a segment does not open.
  mutating func isNews(_ id: SegmentID) -> Bool {
    defer { reasons[id, default: Reasons()].isReported = true }
    return reasons[id]?.isReported != true
  }

  /// Whether it has not been reported before that a segment has no header; not if it has one that does not open.
  mutating func isMissingNews(_ id: SegmentID) -> Bool {
    defer { reasons[id, default: Reasons()].isMissingReported = true }
    return reasons[id]?.isMissingReported != true && reasons[id]?.isReported != true
  }
}
