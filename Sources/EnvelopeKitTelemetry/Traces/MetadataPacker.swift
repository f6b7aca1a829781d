// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// Distributes a span's metadata to its own document and to as many continuations as it needs.
  struct MetadataPacker {
    /// The bytes of a document's other members: ids, times, marks and the mark of a continuation.
    private static let reservedByteCount = FinishedSpan.fixedByteCount + 256

    private let items: [MetadataItem]
    private var next = 0
    private var limit: Int
    private let following: Int

    /// - Parameters:
    ///   - items: The items in the order of their sections.
    ///   - first: The bytes that the span's own document has left for metadata.
    ///   - following: The bytes that the payload of a continuation has.
    init(items: [MetadataItem], first: Int, following: Int) {
      self.items = items
      limit = first - Self.reservedByteCount
      self.following = following - TraceLimits.operationByteCount - Self.reservedByteCount
    }

    /// Whether items remain for a continuation.
    var hasItems: Bool { next < items.count }

    /// Appends as much metadata as there is room for.
    ///
    /// - Parameter continuing: The span that a continuation belongs to, and its number, from 2 on.
    mutating func appendNext(to text: inout JSONText, continuing: (XRaySegmentID, part: Int)?) {
      guard continuing != nil || hasItems else { return }
      text.append(name: "metadata")
      text.open("{")
      if let continuing {
        text.append(name: "span")
        text.open("{")
        text.append([
          .init("continues", .string(continuing.0.text)), .init("part", .number(continuing.part.description)),
        ])
        text.close("}")
      }
      let start = text.count
      var section: MetadataItem.Section?
      while hasItems, text.count - start + items[next].text.count < limit || isFirst(next, continuing) {
        let item = items[next]
        if section != item.section {
          if let section { text.close(section.isObject ? "}" : "]") }
          text.append(name: item.section.name)
          text.open(item.section.isObject ? "{" : "[")
          section = item.section
        }
        text.separate()
        text.append(raw: item.text)
        next += 1
        isStarted = true
      }
      if let section { text.close(section.isObject ? "}" : "]") }
      text.close("}")
      limit = following
      isStarted = false
    }

    private var isStarted = false

    /// Whether the item is the first of a continuation, which takes one in any case: otherwise, none would end.
    private func isFirst(_ index: Int, _ continuing: (XRaySegmentID, part: Int)?) -> Bool {
      continuing != nil && !isStarted
    }
  }
#endif
