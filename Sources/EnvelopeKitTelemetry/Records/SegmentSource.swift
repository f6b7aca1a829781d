// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  /// Makes segments.
  struct SegmentSource: Sendable {
    let context: EncryptionContext
    let suite: AlgorithmSuite
    let keyring: any Keyring

    func make() async throws -> WritableSegment {
      WritableSegment(try await RecordSegment.make(context: context, suite: suite, using: keyring))
    }
  }

  /// A segment and the texts that its lines repeat.
  ///
  /// One writer has it, and uses it behind its lock.
  final class WritableSegment: @unchecked Sendable {
    var segment: RecordSegment
    /// The text of the header.
    let header: [UInt8]
    /// The text of the name.
    let name: [UInt8]

    init(_ segment: consuming RecordSegment) {
      header = Array(Base64URL.encode(segment.header, after: EnvelopeText.headerPrefix).utf8)
      name = Array(segment.id.description.utf8)
      self.segment = segment
    }

    var nextSequence: Int { segment.nextSequence }
  }
#endif
