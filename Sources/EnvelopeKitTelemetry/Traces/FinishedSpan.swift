// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// A span that has ended, rendered as the members of an X-Ray segment or subsegment.
  struct FinishedSpan: Sendable {
    let id: XRaySegmentID
    let parent: XRaySegmentID?
    /// Whether it is a segment of its own, the root of this process, and not a subsegment.
    let isSegment: Bool
    let start: UInt64
    let end: UInt64
    /// The name, in the characters that X-Ray takes.
    let name: String
    let marks: FailureMarks
    /// The annotations whose keys were chosen to stay clear, in ascending order of their names.
    let clear: [SegmentDocument.Member]
    /// All members but `trace_id`, `parent_id`, `type` and `subsegments`, without braces.
    let body: [UInt8]
    /// Subsegments of the span that hold the metadata for which `body` has no room.
    let continuations: [FinishedSpan]

    /// How much memory the span takes until it is written.
    var byteCount: Int { continuations.reduce(body.count + 256) { $0 + $1.byteCount } }

    /// Returns the members of a sealed document of the span.
    func clearMembers(of trace: TraceID, annotations: [SegmentDocument.Member]) -> [SegmentDocument.Member] {
      var members: [SegmentDocument.Member] = [
        .init("name", .string(name)), .init("id", .string(id.text)), .init("trace_id", .string(trace.text)),
      ]
      if let parent { members.append(.init("parent_id", .string(parent.text))) }
      if !isSegment { members.append(.init("type", .string("subsegment"))) }
      members.append(.init("start_time", .number(JSONText.seconds(start))))
      members.append(.init("end_time", .number(JSONText.seconds(end))))
      members += marks.members
      if !annotations.isEmpty { members.append(.init("annotations", .object(annotations))) }
      return members
    }

    /// Returns the members that only an independent document has, each behind a comma.
    func independentMembers(of trace: TraceID) -> [UInt8] {
      var text = ",\"trace_id\":\"\(trace.text)\""
      if let parent { text += ",\"parent_id\":\"\(parent.text)\"" }
      if !isSegment { text += ",\"type\":\"subsegment\"" }
      return Array(text.utf8)
    }
  }

  /// The kinds of failure that X-Ray distinguishes.
  struct FailureMarks: Sendable {
    /// A client's error, 4xx.
    var isError = false
    /// Too many requests, 429.
    var isThrottle = false
    /// A server's failure, 5xx, or an error that was recorded.
    var isFault = false

    var members: [SegmentDocument.Member] {
      [("error", isError), ("throttle", isThrottle), ("fault", isFault)].filter(\.1).map {
        .init($0.0, .boolean(true))
      }
    }
  }
#endif
