// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// The headers that did not open, so that no line makes a keyring be called twice for one.
struct RefusedHeaders {
  /// The most different headers of one segment that are tried.
  private static let limit = 16

  private var reasons: [SegmentID: [(header: [UInt8], error: EnvelopeError)]] = [:]
  private var reported: Set<SegmentID> = []

  /// Why a header does not open; nil if that is not known.
  func reason(for header: [UInt8], of id: SegmentID) -> EnvelopeError? {
    guard let known = reasons[id] else { return nil }
    return known.first { $0.header == header }?.error ?? (known.count >= Self.limit ? known.last?.error : nil)
  }

  mutating func insert(_ header: [UInt8], of id: SegmentID, _ error: EnvelopeError) {
    reasons[id, default: []].append((header, error))
  }

  /// Whether nothing has been reported of the segment before.
  mutating func isNews(_ id: SegmentID) -> Bool { reported.insert(id).inserted }
}
