// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// When a segment ends and the next one begins, under another data key.
  ///
  /// A segment ends with the first record that reaches a limit, if the next data key has been fetched by then; if not, it
  /// goes on until it has, and for at most 65,536 records.
  public struct SegmentLimits: Sendable, Hashable {
    /// The most records of a segment.
    public let recordCount: Int
    /// The most bytes of its lines.
    public let byteCount: Int
    /// The longest time from its first to its last record.
    public let duration: Duration

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - recordCount: 16 to 65,536, or the nearest of these.
    ///   - byteCount: At least 4,096 bytes, or that.
    ///   - duration: At least one second, or that.
    public init(recordCount: Int = 65_536, byteCount: Int = 64 << 20, duration: Duration = .seconds(3600)) {
      self.recordCount = min(max(recordCount, 16), 65_536)
      self.byteCount = max(byteCount, 4096)
      self.duration = max(duration, .seconds(1))
    }
  }
#endif
