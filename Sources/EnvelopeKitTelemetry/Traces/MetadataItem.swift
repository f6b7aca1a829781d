// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  /// One value of a span's `metadata`, rendered.
  struct MetadataItem {
    /// A namespace of `metadata`, in the order of the document.
    enum Section: Int, Comparable {
      /// The name of the operation, its kind, and the numbers of dropped events, links and errors.
      case span
      /// Attributes that are no annotations.
      case attributes
      case events
      case links
      case exceptions

      static func < (a: Section, b: Section) -> Bool { a.rawValue < b.rawValue }

      var name: String {
        switch self {
        case .span: "span"
        case .attributes: "default"
        case .events: "events"
        case .links: "links"
        case .exceptions: "exceptions"
        }
      }

      /// Whether the items have names, as members of an object; others are elements of an array.
      var isObject: Bool { self == .span || self == .attributes }
    }

    let section: Section
    let text: [UInt8]

    /// Renders a span's metadata.
    ///
    /// - Parameters:
    ///   - attributes: The attributes that are no annotations.
    ///   - failures: The errors that `cause` does not show in full.
    ///   - name: The name that the segment has.
    static func items(
      of recording: SpanRecording, attributes: [(name: String, value: SpanAttribute)],
      failures: [SpanRecording.Failure], name: String
    ) -> [MetadataItem] {
      var items = spanItems(of: recording, name: name)
      for (place, attribute) in attributes.enumerated() {
        items.append(
          MetadataItem(.attributes) { text in
            text.append(attributeName: attribute.name, at: place)
            text.append(attribute.value, limit: TraceLimits.valueByteCount)
          })
      }
      items += recording.events.map { event in
        MetadataItem(.events) {
          $0.appendOccurrence(
            [("name", event.name)], at: event.nanosecondsSinceEpoch, attributes: event.attributes)
        }
      }
      items += recording.links.map { link in
        MetadataItem(.links) {
          let trace = link.context.xRayTrace
          $0.appendOccurrence(
            [("trace_id", trace?.traceID), ("id", trace?.segmentID)], at: nil, attributes: link.attributes)
        }
      }
      items += failures.map { failure in
        MetadataItem(.exceptions) {
          $0.appendOccurrence(
            [("type", failure.type), ("message", failure.message)], at: failure.nanoseconds,
            attributes: failure.attributes)
        }
      }
      return items
    }

    private static func spanItems(of recording: SpanRecording, name: String) -> [MetadataItem] {
      var items: [MetadataItem] = []
      if recording.name != name {
        items.append(
          MetadataItem(.span) {
            $0.append(name: "operation")
            $0.append(string: recording.name, limit: TraceLimits.operationByteCount)
          })
      }
      if recording.kind != .internal {
        items.append(MetadataItem(.span) { $0.append([.init("kind", .string("\(recording.kind)"))]) })
      }
      let dropped = [
        ("dropped_events", recording.dropped.events), ("dropped_links", recording.dropped.links),
        ("dropped_exceptions", recording.dropped.failures),
      ]
      for (name, count) in dropped where count > 0 {
        items.append(MetadataItem(.span) { $0.append([.init(name, .number(count.description))]) })
      }
      return items
    }

    private init(_ section: Section, _ render: (inout JSONText) -> Void) {
      var text = JSONText()
      render(&text)
      self.section = section
      self.text = text.bytes
    }
  }

  extension JSONText {
    /// Appends an event, link or error as an object.
    fileprivate mutating func appendOccurrence(
      _ texts: [(name: String, value: String?)], at nanoseconds: UInt64?, attributes: SpanAttributes
    ) {
      let end = count + TraceLimits.valueByteCount
      open("{")
      for (name, value) in texts {
        guard let value else { continue }
        append(name: name)
        append(string: value, limit: TraceLimits.valueByteCount / 2)
      }
      if let nanoseconds {
        append(name: "time")
        append(nanoseconds: nanoseconds)
      }
      if !attributes.isEmpty {
        append(name: "attributes")
        append(attributes, limit: max(0, end - count))
      }
      close("}")
    }
  }
#endif
