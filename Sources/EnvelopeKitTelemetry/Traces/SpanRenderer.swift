// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  /// Renders a span that has ended as the members of a segment or subsegment.
  struct SpanRenderer {
    let id: XRaySegmentID
    let parent: XRaySegmentID?
    let isSegment: Bool
    let service: String
    let clearAnnotations: Set<String>
    let limits: TraceLimits

    /// Renders the span, with metadata that exceeds one document in continuations.
    func render(_ recording: SpanRecording, end: UInt64) -> FinishedSpan {
      // A clock that was set back must not give a span that ends before it starts.
      let end = max(end, recording.start)
      // X-Ray calls a segment by the service that handled the request, and a subsegment by the call.
      let name = SegmentName.restricted(isSegment ? service : recording.name)
      let http = HTTPMembers(recording.attributes, kind: recording.kind)
      let annotations = Annotations(recording.attributes, clear: clearAnnotations, except: http.consumed)
      let cause = FailureCause(recording)
      let marks = FailureMarks(recording, httpStatus: http.status)

      var body = JSONText()
      body.append([
        .init("name", .string(name)), .init("id", .string(id.text)),
        .init("start_time", .number(JSONText.seconds(recording.start))),
        .init("end_time", .number(JSONText.seconds(end))),
      ])
      body.append(marks.members)
      if !isSegment, recording.kind == .client || recording.kind == .producer {
        body.append([.init("namespace", .string("remote"))])
      }
      http.append(to: &body)
      cause.append(to: &body)
      if !annotations.text.isEmpty {
        body.append(name: "annotations")
        body.open("{")
        body.append(raw: annotations.text)
        body.close("}")
      }

      let items = MetadataItem.items(
        of: recording, attributes: annotations.rest, failures: cause.rest, name: name)
      let clearByteCount = FinishedSpan.clearByteCount(name: name, annotations: annotations.clear)
      var packer = MetadataPacker(
        items: items, first: limits.payloadByteCount(besideClear: clearByteCount) - body.count,
        following: limits.payloadByteCount(besideClear: FinishedSpan.clearByteCount(name: name, annotations: [])))
      packer.appendNext(to: &body, continuing: nil)
      var continuations: [FinishedSpan] = []
      while packer.hasItems {
        let partID = XRaySegmentID()
        var part = JSONText()
        part.append([
          .init("name", .string(name)), .init("id", .string(partID.text)),
          .init("start_time", .number(JSONText.seconds(recording.start))),
          .init("end_time", .number(JSONText.seconds(end))),
        ])
        packer.appendNext(to: &part, continuing: (id, part: continuations.count + 2))
        continuations.append(
          FinishedSpan(
            id: partID, parent: id, isSegment: false, start: recording.start, end: end, name: name,
            marks: FailureMarks(), clear: [], body: part.bytes, continuations: []))
      }
      return FinishedSpan(
        id: id, parent: parent, isSegment: isSegment, start: recording.start, end: end, name: name, marks: marks,
        clear: annotations.clear, body: body.bytes, continuations: continuations)
    }
  }

  extension FinishedSpan {
    /// Everything that a document has beside name, annotations and body, at most: ids, times, marks and punctuation.
    static let fixedByteCount = 384

    /// Returns how many bytes the clear members take at most.
    static func clearByteCount(name: String, annotations: [SegmentDocument.Member]) -> Int {
      SegmentDocument.json(of: [.init("name", .string(name))] + annotations).count + fixedByteCount
    }
  }
#endif
