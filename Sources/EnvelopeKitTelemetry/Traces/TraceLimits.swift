// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  /// The sizes that documents keep to, in bytes of JSON unless they say otherwise.
  ///
  /// Source: AWS X-Ray, segment documents: 64 KB a document, 50 annotations, names of 200 characters.
  struct TraceLimits: Sendable {
    /// A document as AWS X-Ray receives it.
    static let documentByteCount = 65_536
    /// The members of the sealed record, without header and ciphertext.
    static let recordMembersByteCount = 300
    /// The bytes that sealing adds to the payload: nonce and tag.
    static let sealingByteCount = 64
    /// Characters of a segment's name, counted in UTF-16.
    static let segmentNameLength = 200
    static let annotationCount = 50
    static let annotationNameLength = 500
    static let annotationValueByteCount = 1_000
    /// All annotations of a span, and all clear annotations of a document.
    static let annotationsByteCount = 8_192
    /// All exceptions in a `cause`.
    static let causeByteCount = 8_192
    static let exceptionMessageByteCount = 4_096
    static let urlByteCount = 2_048
    static let requestValueByteCount = 512
    static let operationByteCount = 1_024
    /// The name of an attribute in metadata.
    static let nameByteCount = 1_024
    /// One value in metadata: an attribute, an event or a link.
    static let valueByteCount = 16_384
    /// Events, links and errors of one span, each.
    static let occurrenceCount = 1_000
    /// Memory of all events, links and errors of one span.
    static let occurrencesByteCount = 1 << 20
    /// Subsegments inside each other in one document.
    static let nestingDepth = 64
    /// Memory of the finished spans that wait in one tree.
    static let waitingByteCount = 1 << 20
    /// The longest header.
    ///
    /// With a longer one, documents exceed AWS X-Ray's limit.
    static let maximumHeaderByteCount = 16_384

    /// The text of the envelope's header.
    let headerByteCount: Int
    /// Finished spans that wait for their root.
    let waitingCount: Int

    init(headerByteCount: Int, waitingCount: Int) {
      self.headerByteCount = min(max(0, headerByteCount), Self.maximumHeaderByteCount)
      self.waitingCount = max(0, waitingCount)
    }

    /// Returns how long a document's payload may be beside clear members of that length.
    func payloadByteCount(besideClear clearByteCount: Int) -> Int {
      let sealed = Self.documentByteCount - headerByteCount - Self.recordMembersByteCount - clearByteCount
      return sealed * 3 / 4 - Self.sealingByteCount
    }

    /// Returns the most bytes that a sealed document takes.
    func sealedByteCount(clear clearByteCount: Int, payload payloadByteCount: Int) -> Int {
      clearByteCount + Base64URL.encodedLength(of: payloadByteCount + Self.sealingByteCount) + headerByteCount
        + Self.recordMembersByteCount
    }
  }
#endif
